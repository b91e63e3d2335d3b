import { createHash } from 'node:crypto';
import { mkdtemp, readFile } from 'node:fs/promises';
import path from 'node:path';
import { createRenderer, type RenderInput } from '../../../shared/print/index.ts';

/**
 * Prints the docx files that it is given, in their order and with one renderer, and writes the hashes of
 * each one's PDFs by its name. A test runs it in processes that differ. Arguments: the renderer, a folder for the PDFs, the files.
 */
const [renderer = '', outDir = '', ...files] = process.argv.slice(2);

const printer = createRenderer();
const hashes = new Map(files.map((file) => [path.basename(file), new Set<string>()]));
for (const file of files) {
  const printed = await printer.render({
    path: file,
    outDir: await mkdtemp(path.join(outDir, 'out-')),
    timeoutMs: 90_000,
    renderer: renderer as RenderInput['renderer'],
  });
  const bytes = await readFile(printed.path);
  hashes.get(path.basename(file))?.add(createHash('sha256').update(bytes).digest('hex'));
}
await printer.close();
process.stdout.write(
  JSON.stringify(Object.fromEntries([...hashes].map(([name, found]) => [name, [...found]]))),
);
