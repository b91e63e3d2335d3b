import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { createServer, type Server } from 'node:net';
import os from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { createRenderer, type Rendered, type RenderInput } from '../../shared/print/index.ts';
import { docxOf, type Fixture, image, paragraph, picture } from '../print/docx-fixture.ts';
import { readPdf } from '../print/pdf.ts';
import { printedIn, writeDocuments } from '../print/same-bytes/documents.ts';

let dir: string;
let server: Server;
let address: string;
let connections = 0;

beforeAll(async () => {
  dir = await mkdtemp(path.join(os.tmpdir(), 'render-office-'));
  server = createServer((socket) => {
    connections++;
    socket.destroy();
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const bound = server.address();
  address = `127.0.0.1:${typeof bound === 'object' ? bound?.port : ''}`;
});

afterAll(async () => {
  await new Promise((resolve) => server.close(resolve));
  await rm(dir, { recursive: true, force: true });
});

async function print(
  body: string,
  fixture: Fixture = {},
  change: Partial<RenderInput> = {},
  tempDir = os.tmpdir(),
): Promise<Rendered> {
  const outDir = await mkdtemp(path.join(dir, 'out-'));
  const input = path.join(outDir, 'in.docx');
  await writeFile(input, docxOf(body, fixture));
  return createRenderer({ tempDir }).render({
    path: input,
    outDir,
    timeoutMs: 90_000,
    renderer: 'libreoffice',
    ...change,
  });
}

it('prints text, tables, pictures and equations as a tagged PDF', async () => {
  const table = `<w:tbl><w:tr><w:tc>${paragraph('North')}</w:tc><w:tc>${paragraph('42')}</w:tc></w:tr></w:tbl>`;
  const equation = '<w:p><m:oMath><m:r><m:t>x=7</m:t></m:r></m:oMath></w:p>';

  const printed = await print(paragraph('Income rose') + table + equation + picture('a'), {
    parts: { 'media/a.png': { type: 'image', content: await image('png') } },
  });

  const pdf = await readPdf(printed.path);
  expect(pdf.text).toMatch(/Income rose.*North.*42.*x ?= ?7/s);
  expect(pdf.images).toBe(1);
  expect(pdf.isTagged).toBe(true);
  expect(printed).toMatchObject({ pages: 1, imagesFound: 1, imagesKept: 1 });
});

it('fetches no linked picture', async () => {
  const printed = await print(paragraph('words') + picture('a', 'link'), {
    external: { a: { type: 'image', target: `http://${address}/a.png` } },
  });

  expect(printed).toMatchObject({ imagesFound: 1, imagesKept: 0 });
  expect((await readPdf(printed.path)).images).toBe(0);
  expect(connections).toBe(0);
});

it('reads no local file into the document', async () => {
  const secret = path.join(dir, 'secret.png');
  await writeFile(secret, await image('png', { colour: '#123456' }));

  const printed = await print(paragraph('words') + picture('a', 'link'), {
    external: { a: { type: 'image', target: `file://${secret}` } },
  });

  expect((await readPdf(printed.path)).images).toBe(0);
});

it('prints the same bytes at any time, in any zone and locale, in any process', async () => {
  const files = await writeDocuments(dir);

  const first = await printedIn({ TZ: 'UTC', LANG: 'C' }, 'libreoffice', files, dir);
  const second = await printedIn(
    { TZ: 'Pacific/Kiritimati', LANG: 'ja_JP.UTF-8', LC_ALL: 'ja_JP.UTF-8' },
    'libreoffice',
    files.toReversed(),
    dir,
  );

  expect(Object.values(first).flat()).toHaveLength(files.length);
  expect(second).toEqual(first);
}, 180_000);

it('shows what the document says, not the clock and not the temporary file', async () => {
  const field = (instruction: string, result: string) =>
    `<w:p><w:fldSimple w:instr="${instruction}"><w:r><w:t>${result}</w:t></w:r></w:fldSimple></w:p>`;
  const link = '<w:p><w:hyperlink r:id="a"><w:r><w:t>other file</w:t></w:r></w:hyperlink></w:p>';

  const printed = await print(
    field('DATE', '12 May 1999') +
      field('TIME', 'noon') +
      field('FILENAME \\p', 'plan.docx') +
      link,
    { external: { a: { type: 'hyperlink', target: 'other.docx' } } },
  );

  const pdf = await readPdf(printed.path);
  expect(pdf.text).toBe('12 May 1999 noon plan.docx other file');
  expect(await readFile(printed.path, 'latin1')).not.toContain('dropline-office-');
});

it('stops at the time limit, with every process it started', async () => {
  const body = Array.from({ length: 20_000 }, (_, at) => paragraph(`Number ${at}`)).join('');

  await expect(print(body, {}, { timeoutMs: 500 })).rejects.toMatchObject({
    code: 'render.timeout',
  });

  expect(await officeProcesses()).toEqual([]);
});

it('leaves nothing behind in the temporary directory', async () => {
  const tempDir = await mkdtemp(path.join(dir, 'temp-'));

  await print(paragraph('words'), {}, {}, tempDir);

  expect(await readdir(tempDir)).toEqual([]);
});

/** Command lines of running LibreOffice processes with our profiles. */
async function officeProcesses(): Promise<string[]> {
  const found: string[] = [];
  for (const pid of await readdir('/proc')) {
    if (!/^\d+$/.test(pid)) continue;
    const line = await readFile(`/proc/${pid}/cmdline`, 'utf8').catch(() => '');
    if (line.includes('dropline-office-')) found.push(line.replaceAll('\0', ' '));
  }
  return found;
}
