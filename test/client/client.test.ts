import { execFile } from 'node:child_process';
import {
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { afterAll, beforeAll, expect, test } from 'vitest';

const run = promisify(execFile);
const root = fileURLToPath(new URL('../..', import.meta.url));
const tsc = join(root, 'node_modules/typescript/bin/tsc');

let temporary: string;
let app: string;

/** An app outside the repository, with what npm would install: the packed package and its dependencies. */
beforeAll(async () => {
  temporary = mkdtempSync(join(tmpdir(), 'dropline-client-'));
  await run('npm', ['pack', '--silent', '--pack-destination', temporary], { cwd: root });
  const [tarball = ''] = readdirSync(temporary);
  await run('tar', ['-xzf', tarball], { cwd: temporary });

  app = join(temporary, 'app');
  const installed = join(app, 'node_modules/dropline');
  mkdirSync(dirname(installed), { recursive: true });
  symlinkOf(join(root, 'node_modules/@types/node'), join(app, 'node_modules/@types/node'));
  renameSync(join(temporary, 'package'), installed);
  const { dependencies } = JSON.parse(readFileSync(join(installed, 'package.json'), 'utf8')) as {
    dependencies: Record<string, string>;
  };
  for (const name of Object.keys(dependencies)) {
    symlinkOf(join(root, 'node_modules', name), join(app, 'node_modules', name));
  }
  writeFileSync(join(app, 'package.json'), '{ "type": "module" }');
}, 60_000);
afterAll(() => rmSync(temporary, { recursive: true, force: true }));

function symlinkOf(target: string, path: string): void {
  mkdirSync(dirname(path), { recursive: true });
  symlinkSync(target, path);
}

const filesBelow = (dir: string): string[] =>
  readdirSync(dir, { recursive: true, encoding: 'utf8' })
    .filter((path) => statSync(join(dir, path)).isFile())
    .sort();

test('the client is what `npm run client` makes of the sources', async () => {
  const made = join(temporary, 'made');

  await run(process.execPath, [tsc, '-p', 'tsconfig.client.json', '--outDir', made], { cwd: root });

  const committed = join(root, 'shared/client');
  expect(filesBelow(committed)).toEqual(filesBelow(made));
  for (const path of filesBelow(made)) {
    expect(readFileSync(join(committed, path), 'utf8'), path).toBe(
      readFileSync(join(made, path), 'utf8'),
    );
  }
});

test('the package holds the client and nothing else', () => {
  const packed = filesBelow(join(app, 'node_modules/dropline'));

  expect(packed.filter((path) => !path.startsWith('shared/client/'))).toEqual([
    'README.md',
    'package.json',
  ]);
});

test('an app that installed the package runs in plain Node', async () => {
  writeFileSync(
    join(app, 'app.js'),
    `import { DroplineReader, documentIdOf, documentRecordSchema, recordOfImage } from 'dropline';
const documentId = documentIdOf('inbox', 'a.txt');
const time = { S: '2026-01-01T00:00:00Z' };
const image = { sk: { S: 'DOC' }, documentId: { S: documentId }, bucket: { S: 'inbox' },
  key: { S: 'a.txt' }, sequencer: { S: '01' }, status: { S: 'received' }, attempts: { M: {} },
  profile: { S: 'default' }, createdAt: time, updatedAt: time, revision: { N: '1' } };
const { status } = recordOfImage(image);
const reader = new DroplineReader({ table: 'dropline-ledger' });
console.log(documentId, status, typeof reader.get, 'fileId' in documentRecordSchema.shape);
`,
  );

  const { stdout } = await run(process.execPath, ['app.js'], {
    cwd: app,
    env: { AWS_REGION: 'us-east-1' },
  });

  expect(stdout).toMatch(/^[a-z2-7]{26} received function true\n$/);
});

test('an app in TypeScript sees the types of the records', async () => {
  const config = {
    compilerOptions: {
      target: 'es2022',
      module: 'nodenext',
      strict: true,
      noEmit: true,
      types: ['node'],
    },
    files: ['right.ts', 'wrong.ts'],
  };
  writeFileSync(join(app, 'tsconfig.json'), JSON.stringify(config));
  writeFileSync(
    join(app, 'right.ts'),
    `import { type DocumentRecord, DroplineReader, type Status, terminalStatuses } from 'dropline';
const reader = new DroplineReader({ table: 'dropline-ledger' });
const record: DocumentRecord | undefined = await reader.get('inbox', 'a.txt');
export const status: Status | undefined = record?.status;
export const cost: number | undefined = record?.usage?.costUsd;
export const ends: readonly string[] = terminalStatuses;
`,
  );
  writeFileSync(
    join(app, 'wrong.ts'),
    `import type { DocumentRecord } from 'dropline';
export const wrong = (record: DocumentRecord): string => record.noSuchField;
`,
  );

  const { stdout } = await run(process.execPath, [tsc, '--pretty', 'false'], { cwd: app }).then(
    () => expect.unreachable('the types let anything through'),
    (error: { stdout: string }) => error,
  );

  expect(stdout.trim().split('\n')).toEqual([
    expect.stringMatching(/^wrong\.ts.*'noSuchField' does not exist/),
  ]);
});
