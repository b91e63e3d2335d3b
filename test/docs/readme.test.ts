import { execFile } from 'node:child_process';
import { readFileSync, rmSync, writeFileSync } from 'node:fs';
import { promisify } from 'node:util';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { type Journey, startJourney } from '../journey/support.ts';

let journey: Journey;

beforeAll(async () => {
  journey = await startJourney();
}, 180_000);
afterAll(() => journey.close());

const readme = readFileSync(new URL('../../README.md', import.meta.url), 'utf8');
const sample = new URL('../../infra/local/samples/services-agreement.docx', import.meta.url);
// Inside the repository, so that it can import the package by its own name.
const script = new URL('example.made.ts', import.meta.url);

test("the README's example prints the file, the cost and the citations", async () => {
  const example = /<!-- example: run by .*-->\n```ts\n([\s\S]*?)```/.exec(readme)?.[1] ?? '';
  await journey.drop('services-agreement.docx', readFileSync(sample));
  const record = await journey.ended('services-agreement.docx');
  writeFileSync(script, example);

  const { stdout } = await promisify(execFile)(process.execPath, [script.pathname], {
    env: {
      AWS_ACCESS_KEY_ID: 'local',
      AWS_SECRET_ACCESS_KEY: 'local',
      AWS_REGION: 'us-east-1',
      AWS_ENDPOINT_URL_DYNAMODB: journey.stack.endpoints.dynamodb,
    },
  }).finally(() => rmSync(script));

  expect(journey.table).toBe('dropline-ledger');
  expect(example.trim().split('\n').length).toBeLessThanOrEqual(10);
  expect(stdout).toContain(record.fileId);
  expect(stdout).toContain(record.summary?.citations[0]?.citedText);
});
