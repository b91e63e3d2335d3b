import { copyFile, mkdir, mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { afterAll, afterEach, beforeAll, expect, it } from 'vitest';
import { findAssets } from '../../shared/print/assets.ts';
import { startBrowser } from '../../shared/print/browser.ts';
import { createRenderer, type Renderer, type RenderInput } from '../../shared/print/index.ts';
import { docxOf, paragraph } from './docx-fixture.ts';

let dir: string;
let renderer: Renderer;
let good: RenderInput;

beforeAll(async () => {
  dir = await mkdtemp(path.join(os.tmpdir(), 'render-failures-'));
  renderer = createRenderer();
  good = await inputOf(docxOf(paragraph('a good document')));
});

afterEach(async () => {
  // Whatever went wrong, the next document succeeds.
  await expect(renderer.render(good)).resolves.toMatchObject({ pages: 1 });
});

afterAll(async () => {
  await renderer.close();
  await rm(dir, { recursive: true, force: true });
});

async function inputOf(docx: Buffer, change: Partial<RenderInput> = {}): Promise<RenderInput> {
  const outDir = await mkdtemp(path.join(dir, 'out-'));
  const file = path.join(outDir, 'in.docx');
  await writeFile(file, docx);
  return {
    path: file,
    outDir,
    timeoutMs: 60_000,
    renderer: 'chromium',
    ...change,
  };
}

/** Long enough to be still printing when the test interferes. */
function longDocx(): Buffer {
  const body = Array.from({ length: 6_000 }, (_, at) => paragraph(`Paragraph number ${at}`));
  return docxOf(body.join(''));
}

it('a browser that dies while printing fails only that document', async () => {
  const started: number[] = [];
  let killed = false;
  const own = createRenderer({
    async start(choice, tempDir) {
      const running = await startBrowser(choice, tempDir);
      started.push(running.browser.process()?.pid ?? 0);
      running.browser.on('targetcreated', () => {
        if (killed) return;
        killed = true;
        process.kill(started[0] ?? 0, 'SIGKILL');
      });
      return running;
    },
  });
  const input = await inputOf(longDocx());
  const waiting = await inputOf(docxOf(paragraph('a neighbour')));

  const [failed, neighbour] = await Promise.allSettled([own.render(input), own.render(waiting)]);
  await own.close();

  expect(failed).toMatchObject({ status: 'rejected', reason: { code: 'render.crashed' } });
  expect(neighbour).toMatchObject({ status: 'fulfilled', value: { pages: 1 } });
  expect(new Set(started).size).toBe(2);
});

it('a browser that dies delays no document, though Puppeteer never settles the pending call', async () => {
  const own = createRenderer({
    async start(choice, tempDir) {
      const running = await startBrowser(choice, tempDir);
      running.browser.newPage = () => {
        process.kill(running.browser.process()?.pid ?? 0, 'SIGKILL');
        return new Promise(() => undefined);
      };
      return running;
    },
  });

  await expect(own.render(good)).rejects.toMatchObject({ code: 'render.crashed' });

  await own.close();
});

it('a browser that died while idle is replaced before the next document', async () => {
  await renderer.render(good);
  process.kill(renderer.browserPid ?? 0, 'SIGKILL');

  const printed = await renderer.render(await inputOf(docxOf(paragraph('later'))));

  expect(printed.pages).toBe(1);
});

it('a document that takes too long is stopped with its browser', async () => {
  const input = await inputOf(longDocx(), { timeoutMs: 400 });

  await expect(renderer.render(input)).rejects.toMatchObject({ code: 'render.timeout' });

  expect(renderer.browserPid).toBeUndefined();
});

it('a PDF without the text of the document is a failure', async () => {
  const fontsDir = await mkdtemp(path.join(dir, 'fonts-'));
  const emoji = findAssets().fontDirs.find((directory) => directory.includes('noto-emoji')) ?? '';
  for (const name of await readdir(emoji)) {
    if (name.endsWith('.ttf')) await copyFile(path.join(emoji, name), path.join(fontsDir, name));
  }
  const input = await inputOf(docxOf(paragraph('words that no font can show')), { fontsDir });

  await expect(renderer.render(input)).rejects.toMatchObject({ code: 'render.blank' });
});

it('a document without text is printed as an empty page', async () => {
  const input = await inputOf(docxOf(paragraph('')));

  await expect(renderer.render(input)).resolves.toMatchObject({ pages: 1 });
});

it.each([
  ['a file that is not a zip', Buffer.from('PK but no zip')],
  ['an empty file', Buffer.alloc(0)],
])('%s is unreadable', async (_, bytes) => {
  const input = await inputOf(bytes);

  await expect(renderer.render(input)).rejects.toMatchObject({
    name: 'RejectDocument',
    code: 'render.unreadable',
  });
});

it('a directory without fonts is named', async () => {
  const fontsDir = path.join(dir, 'no-fonts');
  await mkdir(fontsDir, { recursive: true });
  const input = await inputOf(docxOf(paragraph('x')), { fontsDir });

  await expect(renderer.render(input)).rejects.toMatchObject({
    code: 'render.unavailable',
    message: `There are no fonts in ${fontsDir}.`,
  });
});

it('a missing browser from the settings is named', async () => {
  const input = await inputOf(docxOf(paragraph('x')), { browserPath: '/nowhere/chrome' });

  await expect(renderer.render(input)).rejects.toMatchObject({
    code: 'render.unavailable',
    message: 'The browser in the settings does not exist: /nowhere/chrome.',
  });
});

it('a program from the settings that is not a browser is unavailable', async () => {
  const input = await inputOf(docxOf(paragraph('x')), { browserPath: '/bin/false' });

  await expect(renderer.render(input)).rejects.toMatchObject({ code: 'render.unavailable' });
});

it('a missing LibreOffice is unavailable, with the reason', async () => {
  const input = await inputOf(docxOf(paragraph('x')), {
    renderer: 'libreoffice',
    sofficePath: '/nowhere/soffice',
  });

  await expect(renderer.render(input)).rejects.toMatchObject({
    code: 'render.unavailable',
    message: 'The soffice in the settings does not exist: /nowhere/soffice.',
  });
});

it('a renderer leaves nothing behind in the temporary directory', async () => {
  const tempDir = await mkdtemp(path.join(dir, 'temp-'));
  // The unpacked browser is kept; only its profile is not.
  const own = createRenderer({ tempDir });

  await own.render(await inputOf(docxOf(paragraph('x'))));
  await own.close();

  expect(await readdir(tempDir)).toEqual([expect.stringMatching(/^dropline-chromium-/)]);
});
