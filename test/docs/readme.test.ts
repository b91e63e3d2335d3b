import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { examplesOf, promised } from '../client/examples.ts';
import { type App, installClient } from '../client/installed.ts';
import { type Journey, startJourney } from '../journey/support.ts';

let journey: Journey;
let app: App;

beforeAll(async () => {
  app = await installClient();
  journey = await startJourney();
  await journey.drop('services-agreement.docx', readFileSync(sample));
  await journey.drop('empty.txt', new Uint8Array());
  await journey.ended('services-agreement.docx');
  await journey.ended('empty.txt');
}, 180_000);
afterAll(async () => {
  await journey.close();
  app.remove();
});

const readme = readFileSync(new URL('../../README.md', import.meta.url), 'utf8');
const sample = new URL('../../infra/local/samples/services-agreement.docx', import.meta.url);

function runExample(code: string): Promise<string> {
  writeFileSync(join(app.dir, 'example.ts'), code);
  return app.node(['example.ts'], {
    AWS_ACCESS_KEY_ID: 'local',
    AWS_SECRET_ACCESS_KEY: 'local',
    AWS_ENDPOINT_URL_DYNAMODB: journey.stack.endpoints.dynamodb,
  });
}

test("the README's example, in an app that installed the client, prints the file, the cost and the citations", async () => {
  const example = /<!-- example: run by .*-->\n```ts\n([\s\S]*?)```/.exec(readme)?.[1] ?? '';
  const record = await journey.ended('services-agreement.docx');

  const stdout = await runExample(example);

  expect(journey.table).toBe('dropline-ledger');
  expect(example.trim().split('\n').length).toBeLessThanOrEqual(10);
  expect(stdout).toContain(record.fileId);
  expect(stdout).toContain(record.summary?.citations[0]?.citedText);
});

test('each function, class and method of the client has an example that prints what it says', async () => {
  const examples = examplesOf(app);

  expect([...examples.keys()].sort()).toEqual([
    'CannotAsk',
    'DroplineReader',
    'DroplineReader.byFile',
    'DroplineReader.costs',
    'DroplineReader.get',
    'DroplineReader.getById',
    'DroplineReader.inState',
    'DroplineReader.onDay',
    'askQuestion',
    'documentIdOf',
    'documentRecordSchema',
    'hasStatus',
    'planQuestion',
    'recordOfImage',
    'terminalStatuses',
    'toDocumentRecord',
  ]);
  const silent = [...examples].filter(([, code]) => promised(code) === '').map(([name]) => name);
  expect(silent).toEqual([]);
  // One process for all of them: starting the SDK takes longer than any example.
  for (const [name, code] of examples) writeFileSync(join(app.dir, `${name}.ts`), code);
  const all = [...examples.keys()].map(
    (name) => `console.log('${name}:');
await import('./${name}.ts');`,
  );
  const expected = [...examples].map(([name, code]) => `${name}:\n${promised(code)}`);
  expect(await runExample(all.join('\n'))).toBe(expected.join(''));
});
