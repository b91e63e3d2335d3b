import { execFile } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { errorsOf, programOf, ts } from './compiler.ts';
import { examplesOf } from './examples.ts';
import { type App, installClient } from './installed.ts';

const root = fileURLToPath(new URL('../..', import.meta.url));
const tsc = join(root, 'node_modules/typescript/bin/tsc');

let app: App;

beforeAll(async () => {
  app = await installClient();
}, 60_000);
afterAll(() => app.remove());

const write = (name: string, text: string): string => {
  const path = join(app.dir, name);
  writeFileSync(path, text);
  return path;
};

test('the package holds the client in both module formats, the schema and the licence', () => {
  const modules = [
    ...[
      'claude/models',
      'claude/prices',
      'client/costs',
      'client/index',
      'client/reader',
      'journey/display-name',
    ],
    ...['journey/ids', 'journey/record', 'ledger/keys'],
    ...['answer', 'ask', 'at-fault', 'errors', 'plan', 'request', 'sources'].map(
      (name) => `questions/${name}`,
    ),
  ];
  const built = modules.flatMap((name) => [`${name}.d.ts`, `${name}.js`]);

  expect(app.packed).toEqual(
    [
      'LICENSE',
      'README.md',
      'docs/record.schema.json',
      'package.json',
      'dist/cjs/package.json',
      ...built.map((path) => `dist/cjs/${path}`),
      ...built.map((path) => `dist/esm/${path}`),
    ].sort(),
  );
});

const body = `const documentId = documentIdOf('inbox', 'a.txt');
const time = { S: '2026-01-01T00:00:00Z' };
const image = { sk: { S: 'DOC' }, documentId: { S: documentId }, bucket: { S: 'inbox' },
  key: { S: 'a.txt' }, sequencer: { S: '01' }, status: { S: 'received' }, attempts: { M: {} },
  profile: { S: 'default' }, createdAt: time, updatedAt: time, revision: { N: '1' } };
const reader = new DroplineReader({ table: 'dropline-ledger' });
console.log(documentId, recordOfImage(image).status, typeof reader.get,
  'fileId' in documentRecordSchema.shape, terminalStatuses.includes('ready'),
  'fileId' in schema.properties);
`;
const names =
  '{ DroplineReader, documentIdOf, documentRecordSchema, recordOfImage, terminalStatuses }';
const printed = /^[a-z2-7]{26} received function true true true\n$/;

test('an app of ES modules imports the client and the schema in plain Node', async () => {
  write(
    'app.js',
    `import ${names} from 'dropline-aws';
import schema from 'dropline-aws/record.schema.json' with { type: 'json' };
${body}`,
  );

  expect(await app.node(['app.js'])).toMatch(printed);
});

test('a CommonJS app requires the client and the schema, where Node cannot require ES modules', async () => {
  write(
    'app.cjs',
    `const ${names} = require('dropline-aws');
const schema = require('dropline-aws/record.schema.json');
${body}`,
  );

  expect(await app.node(['--no-experimental-require-module', 'app.cjs'])).toMatch(printed);
});

const right = `import {
  type DocumentRecord, DroplineReader, type Status, terminalStatuses,
} from 'dropline-aws';
export const reader = new DroplineReader({ table: 'dropline-ledger' });
export const read = async (): Promise<number | undefined> => {
  const record: DocumentRecord | undefined = await reader.get('inbox', 'a.txt');
  const status: Status | undefined = record?.status;
  return status === 'ready' ? record?.usage?.costUsd : undefined;
};
export const ends: readonly string[] = terminalStatuses;
`;
const wrong = `import type { DocumentRecord } from 'dropline-aws';
export const wrong = (record: DocumentRecord): string => record.noSuchField;
`;

/** Each app also asks for a field that does not exist, so that types lost on the way would show. */
const writeApp = (...ends: string[]): string[] =>
  ends.flatMap((end) => [write(`right.${end}`, right), write(`wrong.${end}`, wrong)]);

test.each([
  { module: 'nodenext', ends: ['ts', 'cts'] },
  { module: 'esnext', moduleResolution: 'bundler', ends: ['ts'] },
])('a strict app in TypeScript 7 sees the types of the records: $module, $ends', async (given) => {
  const { ends, ...resolution } = given;
  const files = writeApp(...ends);
  const compilerOptions = {
    target: 'es2022',
    strict: true,
    noEmit: true,
    types: ['node'],
    ...resolution,
  };
  write('tsconfig.json', JSON.stringify({ compilerOptions, files }));

  const { stdout } = await promisify(execFile)(process.execPath, [tsc, '--pretty', 'false'], {
    cwd: app.dir,
  }).then(
    () => expect.unreachable('the types accept a field that does not exist'),
    (error: { stdout: string }) => error,
  );

  expect(stdout.trim().split('\n').sort()).toEqual(
    [...ends].sort().map((end) => expect.stringMatching(`^wrong\\.${end}.*'noSuchField' does not`)),
  );
});

test('a strict app in TypeScript 5.9 sees them by `main` and `types`, as node10 resolves', () => {
  const errors = errorsOf(
    programOf(writeApp('ts'), {
      module: ts.ModuleKind.CommonJS,
      moduleResolution: ts.ModuleResolutionKind.Node10,
      skipLibCheck: true,
    }),
  );

  expect(errors).toEqual([expect.stringMatching(/^wrong\.ts: Property 'noSuchField' does not/)]);
}, 60_000);

test('the examples of the client pass a strict compiler', () => {
  const files = [...examplesOf(app)].map(([name, code]) => write(`example-${name}.ts`, code));

  const errors = errorsOf(
    programOf(files, {
      module: ts.ModuleKind.NodeNext,
      moduleResolution: ts.ModuleResolutionKind.NodeNext,
      skipLibCheck: true,
    }),
  );

  expect(errors).toEqual([]);
}, 60_000);

test('the packed schema is the one in docs', () => {
  const packed = join(app.dir, 'node_modules/dropline-aws/docs/record.schema.json');

  expect(readFileSync(packed, 'utf8')).toBe(
    readFileSync(join(root, 'docs/record.schema.json'), 'utf8'),
  );
});
