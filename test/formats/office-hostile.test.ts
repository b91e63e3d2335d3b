import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { defaultLimits } from '../../shared/formats/limits.ts';
import { ConversionSandbox } from '../../shared/formats/sandbox/sandbox.ts';
import { DroplineError } from '../../shared/journey/errors.ts';
import { bombCases } from './hostile/bombs.ts';
import { brokenCases } from './hostile/broken.ts';
import type { HostileCase } from './hostile/case.ts';
import { outsideCases } from './hostile/outside.ts';
import { xmlCases } from './hostile/xml.ts';

const entry = fileURLToPath(new URL('../../shared/convert/worker.ts', import.meta.url));
/** Content of the file that hostile documents try to read; no result may contain it. */
const secret = 'canary-4711-canary';

let folder: string;
let sandbox: ConversionSandbox;
let server: Server;
const visits: string[] = [];
// The addresses must be known when the cases are listed, before any hook runs.
const port = await new Promise<number>((resolve) => {
  server = createServer((request, response) => {
    visits.push(request.url ?? '');
    response.end(secret);
  }).listen(0, '127.0.0.1', () => resolve((server.address() as AddressInfo).port));
});
const targets = {
  file: path.join(tmpdir(), `dropline-canary-${port}`),
  url: `http://127.0.0.1:${port}`,
};

beforeAll(async () => {
  folder = await mkdtemp(path.join(tmpdir(), 'dropline-hostile-'));
  await writeFile(targets.file, secret);
  sandbox = new ConversionSandbox({ entry, workDir: path.join(folder, 'work') });
});

afterAll(async () => {
  await sandbox.close();
  server.close();
  await rm(folder, { recursive: true });
  await rm(targets.file);
});

async function attempt({ name, bytes }: HostileCase) {
  const content = await bytes();
  const source = path.join(folder, 'original');
  await writeFile(source, content);
  const outDir = await mkdtemp(path.join(folder, 'out-'));
  const limits = { ...defaultLimits, maxSeconds: 25 };
  const result = await sandbox.attempt({
    path: source,
    name,
    sizeBytes: content.length,
    outDir,
    limits,
  });
  let text = '';
  if ('conversion' in result && result.conversion.outcome === 'file') {
    text = await readFile(result.conversion.path, 'latin1');
  }
  await rm(outDir, { recursive: true });
  return { result, text };
}

describe.each([
  ['XML', xmlCases(targets)],
  ['references to the outside', outsideCases(targets)],
  ['bombs', bombCases()],
  ['broken and mislabelled files', brokenCases()],
])('%s', (_, cases) => {
  it.each(cases.map((each) => [each.title, each] as const))(
    '%s ends as it should, without a file read or a socket opened',
    async (_title, hostile) => {
      const { result, text } = await attempt(hostile);

      expect(result.measured.refused).toEqual([]);
      expect(visits).toEqual([]);
      expect(text).not.toContain(secret);
      expect(text.length).toBeLessThan(50_000_000);
      if ('error' in result) {
        expect(result.error).toBeInstanceOf(DroplineError);
        expect(result.error).toMatchObject({ code: hostile.code });
      } else {
        expect(hostile.code).toBeUndefined();
        const codes = result.conversion.fidelity.warnings.map(({ code }) => code);
        expect(codes).toEqual(expect.arrayContaining(hostile.warnings ?? []));
      }
    },
  );
});
