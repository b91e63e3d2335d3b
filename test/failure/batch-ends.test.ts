import { afterEach, describe, expect, test } from 'vitest';
import type { WorldOptions } from '../world/world.ts';
import {
  begin,
  costEntries,
  drop,
  first,
  hour,
  ledger,
  paidCalls,
  present,
  remove,
  second,
  status,
  text,
  workVisible,
  world,
} from './support.ts';

/** Every way in which a batch, or a line of it, can end. */

afterEach(() => world.close());

const schema = {
  type: 'object',
  properties: { total: { type: 'number' } },
  required: ['total'],
  additionalProperties: false,
};
const config = (more: object = {}) =>
  JSON.stringify({
    profiles: [
      { prefix: '', mode: 'batch' },
      { prefix: 'fields/', mode: 'batch', summary: false, schema },
    ],
    ...more,
  });
const slow = { emulator: { batchDelayMs: 2 * hour } };

const start = (options: WorldOptions = {}, more: object = {}) =>
  begin({ config: config(more), ...options });
const answered = (): number => world.calls('batch.request').length;
const created = (): number => world.calls('batches.create').length;

/** `a.txt` is in a batch that has been created and has not ended. */
async function inBatch(): Promise<void> {
  drop('a.txt', first);
  await workVisible();
  world.advance(4 * 60_000);
  await workVisible();
  expect(created()).toBe(1);
}

/** Lets what is under way come to its end, and checks that nothing is left of batches, here and at Claude. */
async function end(deleted?: number): Promise<void> {
  await world.drain();
  world.advance(hour);
  await world.reconcile();
  await world.drain();
  const left = ledger.items().filter(({ pk }) => /^BATCH#(?!TURN)/.test(String(pk)));
  expect(left).toEqual([]);
  expect(world.calls('batches.delete')).toHaveLength(deleted ?? created());
}

const outcomes = async () => (await costEntries()).map(({ outcome }) => outcome).sort();

describe('creating a batch', () => {
  test('whose reply is lost does not create another', async () => {
    await start();
    world.emulator.addFault({ kind: 'lost_reply', operation: 'batches.create', count: 1 });
    drop('a.txt', first);
    await end();

    expect(await status('a.txt')).toBe('ready');
    expect([created(), answered(), paidCalls()]).toEqual([1, 1, 0]);
    expect(await outcomes()).toEqual(['answered']);
  });

  test('that never reached Claude is done again, though others have a batch of as many questions', async () => {
    await start({ emulator: { batchDelayMs: 60_000 } });
    const foreign = async () => {
      const params = {
        model: 'claude-haiku-5-5',
        max_tokens: 100,
        messages: [{ role: 'user', content: 'Hello.' }],
      };
      await fetch(`${world.emulator.url}/v1/messages/batches`, {
        method: 'POST',
        headers: {
          'x-api-key': 'test-key',
          'anthropic-version': '2023-06-01',
          'content-type': 'application/json',
        },
        body: JSON.stringify({ requests: [{ custom_id: 'foreign', params }] }),
      });
    };
    await foreign();
    world.emulator.addFault({ kind: 'error', status: 500, operation: 'batches.create', count: 3 });
    drop('a.txt', first);
    await end(1);

    expect(await status('a.txt')).toBe('ready');
    // The foreign one is as it was.
    expect([created(), paidCalls()]).toEqual([2, 0]);
    expect(await outcomes()).toEqual(['answered']);
  });

  test.each([
    ['is throttled', { kind: 'error', status: 429, retryAfter: 30, count: 3 }],
    ['meets an overloaded API', { kind: 'error', status: 529, count: 4 }],
    ['finds the connection cut', { kind: 'cut_before', count: 4 }],
  ] as const)('that %s is done later', async (_, fault) => {
    await start();
    world.emulator.addFault({ ...fault, operation: 'batches.create' });
    drop('a.txt', first);
    await end();

    expect(await status('a.txt')).toBe('ready');
    expect([created(), answered(), paidCalls()]).toEqual([1, 1, 0]);
  });

  test('that Claude refuses is given up: the questions are asked one by one', async () => {
    await start();
    world.emulator.addFault({ kind: 'error', status: 400, operation: 'batches.create' });
    drop('a.txt', first);
    drop('b.txt', second);
    await end(0);

    for (const key of ['a.txt', 'b.txt']) expect(await status(key)).toBe('ready');
    expect([answered(), paidCalls()]).toEqual([0, 2]);
    expect(await outcomes()).toEqual(['answered', 'answered']);
  });

  test.each([
    ['the spend limit', { kind: 'spend_cap', count: 1 }, 'claude.spend_limit'],
    ['a refused key', { kind: 'error', status: 401, count: 1 }, 'claude.unauthorized'],
  ] as const)(
    'stops the lane at %s, and is done once a person has mended it',
    async (_, fault, code) => {
      await start();
      world.emulator.addFault({ ...fault, operation: 'batches.create' });
      drop('a.txt', first);
      await world.drain();
      expect(await present('a.txt')).toMatchObject({ status: 'held', error: { code } });

      await world.reconcile({ resume: true });
      await end();
      expect(await status('a.txt')).toBe('ready');
      expect([created(), answered(), paidCalls()]).toEqual([1, 1, 0]);
    },
  );
});

describe('a line that ends', () => {
  test.each([
    ['with an error of its request', { kind: 'error', status: 400 }],
    ['because Claude is overloaded', { kind: 'error', status: 529 }],
  ] as const)('%s is asked alone', async (_, fault) => {
    await start();
    world.emulator.addFault({ ...fault, operation: 'batch.request', count: 1 });
    drop('a.txt', first);
    drop('b.txt', second);
    await end();

    for (const key of ['a.txt', 'b.txt']) expect(await status(key)).toBe('ready');
    expect([created(), answered(), paidCalls()]).toEqual([1, 1, 1]);
    expect(await outcomes()).toEqual(['answered', 'answered']);
  });

  test('because files are not taken in batches is asked alone', async () => {
    await start({ emulator: { batchFileIds: 'refuse' } });
    drop('a.txt', first);
    await end();
    expect(await status('a.txt')).toBe('ready');
    expect([answered(), paidCalls()]).toEqual([0, 1]);
  });

  test('expired is asked alone', async () => {
    await start(slow);
    await inBatch();
    await world.emulator.endBatches('expired');
    await end();
    expect(await status('a.txt')).toBe('ready');
    expect([answered(), paidCalls()]).toEqual([0, 1]);
    expect(await outcomes()).toEqual(['answered']);
  });

  test('canceled is asked alone', async () => {
    await start(slow);
    await inBatch();
    await byHand('POST', '/cancel');
    await end();
    expect(await status('a.txt')).toBe('ready');
    expect([answered(), paidCalls()]).toEqual([0, 1]);
  });

  test('with a refusal ends the document, and is paid for', async () => {
    await start();
    world.emulator.addFault({ kind: 'refusal', operation: 'batch.request', count: 1 });
    drop('a.txt', first);
    await end();
    expect(await present('a.txt')).toMatchObject({
      status: 'failed',
      error: { code: 'summarize.refused' },
      usage: { calls: 1 },
    });
    expect(await outcomes()).toEqual(['refused']);
  });

  test('with fields that do not follow the schema is asked once more, alone', async () => {
    await start();
    world.emulator.addFault({ kind: 'invalid_output', operation: 'batch.request', count: 1 });
    drop('fields/a.txt', 'The total is 40 euros.');
    await end();
    expect(await present('fields/a.txt')).toMatchObject({ status: 'ready', usage: { calls: 2 } });
    expect([answered(), paidCalls()]).toEqual([1, 1]);
    expect(await outcomes()).toEqual(['answered', 'invalid']);
  });
});

describe('a batch that is gone', () => {
  test('leaves calls of unknown cost, and its questions are asked alone', async () => {
    await start(slow);
    await inBatch();
    await world.emulator.endBatches();
    await byHand('DELETE', '');
    await end(1);
    expect(await present('a.txt')).toMatchObject({
      status: 'ready',
      usage: { calls: 2, costUnknownCalls: 1 },
    });
    expect([answered(), paidCalls()]).toEqual([1, 1]);
    expect(await outcomes()).toEqual(['answered', 'unknown']);
  });

  test('after its results were applied is done with: the reply to its deletion was lost', async () => {
    await start();
    world.emulator.addFault({ kind: 'lost_reply', operation: 'batches.delete', count: 5 });
    drop('a.txt', first);
    await world.drain();
    expect(await status('a.txt')).toBe('ready');
    await end();
    expect([answered(), paidCalls()]).toEqual([1, 0]);
  });
});

describe('a document that is', () => {
  test('removed while its question is collected is never asked about', async () => {
    await start();
    drop('a.txt', first);
    while (await world.work({ only: ['intake', 'upload', 'summarize'] }));
    remove('a.txt');
    await end();
    expect(await status('a.txt')).toBe('removed');
    expect([created(), answered(), paidCalls()]).toEqual([0, 0, 0]);
    expect(await outcomes()).toEqual([]);
  });

  test('removed while it is in a batch has no answer, and its cost is told', async () => {
    await start(slow);
    await inBatch();
    await world.emulator.endBatches();
    remove('a.txt');
    await workVisible();
    expect(ledger.items().filter(({ sk }) => String(sk).startsWith('ANSWER#'))).toEqual([]);
    await end();
    expect(await status('a.txt')).toBe('removed');
    expect(ledger.items().filter(({ sk }) => String(sk).startsWith('ANSWER#'))).toEqual([]);
    expect([answered(), paidCalls()]).toEqual([1, 0]);
    expect(await outcomes()).toEqual(['answered']);
  });

  test('overwritten while it is in a batch is paid for as both were', async () => {
    await start(slow);
    await inBatch();
    drop('same.txt', first);
    drop('a.txt', second);
    await end();
    for (const key of ['a.txt', 'same.txt']) expect(await status(key)).toBe('ready');
    expect((await present('a.txt')).summary?.text).toContain('Costs fell');
    expect((await present('same.txt')).summary?.text).toContain('Sales rose');
    expect([created(), answered(), paidCalls()]).toEqual([2, 2, 0]);
    expect(await outcomes()).toEqual(['answered', 'answered']);
  });
});

test('an answer that a function without batches has had revoked is not kept, and its cost is told', async () => {
  await start(slow);
  await inBatch();
  const [answer] = ledger.items().filter(({ sk }) => String(sk).startsWith('ANSWER#'));
  const key = { pk: String(answer?.pk), sk: String(answer?.sk) };
  await world.table.update(key, { set: { revoked: true } });
  await world.emulator.endBatches();
  await end();

  // The document is still there, so it is asked about anew.
  expect(await status('a.txt')).toBe('ready');
  expect(answered() + paidCalls()).toBe(2);
  expect(await outcomes()).toEqual(['answered', 'answered']);
});

test('where the message of the next turn is lost, the reconciler sends another', async () => {
  await start(slow);
  await inBatch();
  world.queues.summarize.messages.splice(0);
  world.advance(10 * 60_000);

  const { report } = await world.reconcile();
  expect(report?.counts.batchesCalled).toBe(1);
  await end();
  expect(await status('a.txt')).toBe('ready');
  expect([created(), answered(), paidCalls()]).toEqual([1, 1, 0]);
});

test('forty questions are one batch', async () => {
  await start();
  const names = Array.from({ length: 40 }, (_, index) => `${index}`);
  for (const name of names) drop(`${name}.txt`, text(name));
  await end();
  for (const name of names) expect(await status(`${name}.txt`)).toBe('ready');
  expect([created(), answered(), paidCalls()]).toEqual([1, 40, 0]);
});

test('a batch is paid from the budget, and what it does not pay is held', async () => {
  const dailyUsd = 0.005;
  await start({}, { budget: { dailyUsd } });
  for (const name of ['a', 'b', 'c']) drop(`${name}.txt`, text(name));
  await world.drain();
  const all = await Promise.all(['a', 'b', 'c'].map((name) => status(`${name}.txt`)));
  expect(all.sort()).toEqual(['held', 'ready', 'ready']);
  await world.reconcile({ resume: true });
  await end();
  for (const name of ['a', 'b', 'c']) expect(await status(`${name}.txt`)).toBe('ready');
  expect(paidCalls()).toBe(0);
});

/** What a person does with the only batch at Claude. */
async function byHand(method: string, path: string): Promise<void> {
  const headers = { 'x-api-key': 'test-key', 'anthropic-version': '2023-06-01' };
  const url = `${world.emulator.url}/v1/messages/batches`;
  const list = (await (await fetch(url, { headers })).json()) as { data: { id: string }[] };
  const response = await fetch(`${url}/${list.data[0]?.id}${path}`, { method, headers });
  expect(response.status).toBe(200);
}
