import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { DeleteItemCommand, DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { afterEach, expect, test } from 'vitest';
import { startEmulator } from '../../infra/local/claude/index.ts';
import { run } from '../../infra/local/cli/run.ts';
import { localCredentials, localRegion } from '../../infra/local/credentials.ts';
import { temporaryDir } from './support.ts';

const cleanups: (() => Promise<unknown> | unknown)[] = [];

afterEach(async () => {
  for (const cleanup of cleanups.splice(0).reverse()) await cleanup();
});

test('a watching user sees that a document is held, why, and how it ends after the cause is fixed', async () => {
  const dir = temporaryDir();
  cleanups.push(dir.remove);
  const inbox = join(dir.path, 'inbox');
  mkdirSync(inbox);
  writeFileSync(join(inbox, 'note.txt'), 'A note about the weather. It rains. It will rain.');
  const emulator = await startEmulator({ filesPerMinute: Number.POSITIVE_INFINITY });
  cleanups.push(() => emulator.close());
  emulator.addFault({ kind: 'error', status: 401, operation: 'files.upload', count: 'all' });

  const watch = startWatch(inbox, join(dir.path, 'data'), emulator.url);
  await expect.poll(watch.shown, { timeout: 90_000 }).toContain('held');
  const held = watch.shown();
  emulator.clearFaults();
  await liftStop(watch.said());
  await expect
    .poll(
      async () => {
        await reconcile(watch.said());
        return watch.shown();
      },
      // A worker caches for five seconds that its lane is stopped.
      { timeout: 30_000, interval: 1000 },
    )
    .toContain('ready');
  const code = await watch.stop();

  expect(held).toMatch(
    /^held {5}note\.txt\n {2}claude\.unauthorized: .+\n {2}Put a valid key in the secret\..*\n$/,
  );
  expect(watch.shown()).toMatch(/\nready {4}note\.txt {2}/);
  expect(code).toBe(0);
}, 150_000);

/** Runs `npm start` until it is stopped. `shown` is its stdout, `said` its stderr. */
function startWatch(inbox: string, dataDir: string, claudeUrl: string) {
  let [shown, said] = ['', ''];
  const signal = new AbortController();
  const args = ['--port', '0', '--data', dataDir, '--inbox', inbox, '--claude-url', claudeUrl];
  const running = run(args, undefined, {
    stdout: {
      write: (text) => {
        shown += text;
      },
    },
    progress: {
      write: (text) => {
        said += text;
      },
      isTTY: false,
      columns: 80,
    },
    style: { columns: 80, colour: false },
    signal: signal.signal,
    path: process.env.PATH,
  });
  const stop = () => {
    signal.abort();
    return running;
  };
  cleanups.push(stop);
  return { shown: () => shown, said: () => said, stop };
}

const endpoint = (said: string, service: RegExp): string => service.exec(said)?.[1] ?? '';

/** Ends the ten minutes for which a lane stays stopped. */
async function liftStop(said: string): Promise<void> {
  const client = new DynamoDBClient({
    endpoint: endpoint(said, /DynamoDB (http\S+)/),
    region: localRegion,
    credentials: localCredentials,
  });
  const Key = { pk: { S: 'CIRCUIT#claude' }, sk: { S: 'CIRCUIT' } };
  await client.send(new DeleteItemCommand({ TableName: 'dropline-ledger', Key }));
  client.destroy();
}

async function reconcile(said: string): Promise<void> {
  const url = endpoint(said, /S3, SQS, Lambda (http\S+)/);
  const name = 'dropline-reconcile-function';
  const answer = await fetch(`${url}/2015-03-31/functions/${name}/invocations`, {
    method: 'POST',
    body: '{}',
  });
  expect(answer.ok).toBe(true);
}
