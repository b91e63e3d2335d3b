import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { createServer, type Server } from 'node:net';
import os from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { findAssets } from '../../shared/print/assets.ts';
import { startBrowser } from '../../shared/print/browser.ts';
import { createRenderer } from '../../shared/print/index.ts';
import { docxOf, type Fixture, namespaces, paragraph, picture } from './docx-fixture.ts';
import { readPdf } from './pdf.ts';

const renderer = createRenderer();
let dir: string;
let server: Server;
let address: string;
let connections: number;
let secret: string;

beforeAll(async () => {
  dir = await mkdtemp(path.join(os.tmpdir(), 'render-offline-'));
  secret = path.join(dir, 'secret.svg');
  await writeFile(
    secret,
    '<svg xmlns="http://www.w3.org/2000/svg" width="99" height="99"><text y="50">top secret</text></svg>',
  );
  connections = 0;
  server = createServer((socket) => {
    connections++;
    socket.destroy();
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const bound = server.address();
  address = `127.0.0.1:${typeof bound === 'object' ? bound?.port : ''}`;
});

afterAll(async () => {
  await renderer.close();
  await new Promise((resolve) => server.close(resolve));
  await rm(dir, { recursive: true, force: true });
});

async function print(body: string, fixture: Fixture = {}) {
  const outDir = await mkdtemp(path.join(dir, 'out-'));
  const input = path.join(outDir, 'in.docx');
  await writeFile(input, docxOf(body, fixture));
  return renderer.render({
    path: input,
    outDir,
    timeoutMs: 60_000,
    renderer: 'chromium',
  });
}

it.each([
  ['http', () => `http://${address}/picture.png`],
  ['file', () => `file://${secret}`],
  ['UNC', () => `\\\\${address.replace(':', '@')}\\share\\picture.png`],
  ['relative', () => '../../../../../../../../etc/hostname'],
])('a picture linked by a %s address is neither fetched nor shown', async (_, target) => {
  for (const attribute of ['link', 'embed']) {
    const printed = await print(paragraph('words') + picture('a', attribute), {
      external: { a: { type: 'image', target: target() } },
    });

    const pdf = await readPdf(printed.path);
    expect(printed).toMatchObject({ imagesFound: 1, imagesKept: 0 });
    expect(pdf.text).toBe('words [Picture not shown: A red square]');
    expect(pdf.images).toBe(0);
  }
  expect(connections).toBe(0);
});

it('a style sheet smuggled in as an alignment loads nothing', async () => {
  const inject = (url: string) => `red; } body { background-image: url('${url}');`;
  const styles = `<w:styles ${namespaces}><w:style w:type="paragraph" w:styleId="s"><w:pPr><w:jc w:val="${inject(`http://${address}/x.png`)}"/></w:pPr></w:style><w:style w:type="paragraph" w:styleId="t"><w:pPr><w:jc w:val="${inject(`file://${secret}`)}"/></w:pPr></w:style></w:styles>`;

  const { path: file } = await print(paragraph('styled', '<w:pStyle w:val="s"/>'), {
    parts: { 'styles.xml': { type: 'styles', content: styles } },
  });

  expect(await readFile(file, 'latin1')).not.toContain('top secret');
  expect((await readPdf(file)).text).toBe('styled');
  expect(connections).toBe(0);
});

it('an SVG picture cannot load anything either', async () => {
  const svg = `<svg xmlns="http://www.w3.org/2000/svg" xmlns:xlink="http://www.w3.org/1999/xlink" width="50" height="50"><script>fetch('http://${address}/')</script><image xlink:href="http://${address}/i.png" width="9" height="9"/><image xlink:href="file://${secret}" width="9" height="9"/><style>@import url(http://${address}/s.css);</style></svg>`;

  const printed = await print(picture('a') + paragraph('beside'), {
    parts: { 'media/a.svg': { type: 'image', content: svg } },
  });

  expect(printed).toMatchObject({ imagesFound: 1, imagesKept: 1 });
  expect(connections).toBe(0);
});

it('even a page with scripts of its own reaches nothing', async () => {
  const { browser, kill } = await startBrowser(
    { assets: findAssets(), browserPath: undefined },
    os.tmpdir(),
  );
  try {
    const page = await browser.newPage();
    await page.setContent(
      `<img src="http://${address}/a.png"><iframe src="http://${address}/b"></iframe>`,
    );

    const reached = await page.evaluate(`Promise.all([
      fetch('http://${address}/c').then(() => 'fetch', () => null),
      new Promise((done) => {
        const socket = new WebSocket('ws://${address}/d');
        socket.onopen = () => done('socket');
        socket.onerror = () => done(null);
      }),
      fetch('file://${secret}').then(() => 'file', () => null),
    ])`);

    expect(reached).toEqual([null, null, null]);
    expect(connections).toBe(0);
  } finally {
    await kill();
  }
});
