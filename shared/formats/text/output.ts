import { writeFile } from 'node:fs/promises';
import path from 'node:path';
import { RejectDocument } from '../../journey/errors.ts';
import type { Fidelity } from '../../journey/record.ts';
import { HiddenWords, hiddenTextWarnings, withoutTags } from '../safety/visibility.ts';
import type { Conversion } from '../types.ts';

/**
 * Writes converted text to a file below `outDir`, without characters that show nothing.
 * @returns the conversion that uploads this file
 * @throws RejectDocument `normalize.too_large` if it is larger than `maxOutputBytes`
 */
export async function writeTextConversion(
  outDir: string,
  text: string,
  fidelity: Fidelity,
  limits: { maxOutputBytes: number },
): Promise<Conversion> {
  const words = new HiddenWords();
  const shown = withoutTags(text, (spelt) => words.add(spelt));
  const bytes = Buffer.from(shown.endsWith('\n') ? shown : `${shown}\n`);
  if (bytes.length > limits.maxOutputBytes) {
    throw new RejectDocument({
      code: 'normalize.too_large',
      message: `The text of the file has ${bytes.length} bytes; the limit is ${limits.maxOutputBytes}.`,
    });
  }
  const target = path.join(outDir, 'text.txt');
  await writeFile(target, bytes);
  return {
    outcome: 'file',
    path: target,
    mimeType: 'text/plain',
    block: 'document',
    fidelity: { ...fidelity, warnings: [...fidelity.warnings, ...hiddenTextWarnings(words.count)] },
    parts: [],
  };
}
