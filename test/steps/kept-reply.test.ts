import { beforeEach, describe, expect, test } from 'vitest';
import { answerKey } from '../../shared/ledger/keys.ts';
import {
  asking,
  askLeaseMs,
  contentSha256,
  paid,
  ref,
  reply,
  replyAddress,
  type Shop,
  throttle,
  uploaded,
  workshop,
} from './support.ts';

/** How long a worker tries to write a reply down, in milliseconds. */
const triesForMs = askLeaseMs - 60_000;

let shop: Shop;
beforeEach(async () => {
  shop = await workshop();
  shop.tools.leaseMs = askLeaseMs;
});

const { run, record, answer, messages, outcomes, saved } = asking(() => shop);

describe('a paid reply that the ledger does not take', () => {
  test.each([
    [1, [100]],
    [4, [100, 300, 1_000, 3_000]],
    [7, [100, 300, 1_000, 3_000, 10_000, 10_000, 10_000]],
  ])('is written after %i tries, with growing pauses', async (times, pauses) => {
    const document = await uploaded(shop);
    shop.remote.duringMessage = async () => throttle(shop, 'ANSWER#', times);

    expect(await run(document)).toEqual({ next: 'done' });

    expect(shop.pauses).toEqual(pauses);
    expect(await record(document)).toMatchObject({ status: 'ready', usage: paid });
    expect(await answer()).toMatchObject({ state: 'answered', calls: 1 });
    expect(messages()).toBe(1);
    expect(await outcomes()).toEqual(['answered']);
    expect(shop.logged).toContainEqual({
      level: 'warn',
      message: 'a paid reply could not be written down yet',
      fields: {
        ...ref,
        tries: 0,
        error: expect.stringContaining('ProvisionedThroughputExceededException'),
      },
    });
  });

  test('is in the results bucket after the first try, once', async () => {
    const document = await uploaded(shop);
    const puts: string[] = [];
    const { putText } = shop.buckets;
    shop.buckets.putText = async (target, text) => {
      puts.push(target.key);
      return putText.call(shop.buckets, target, text);
    };
    shop.remote.duringMessage = async () => throttle(shop, 'ANSWER#', 3);

    await run(document);

    expect(puts).toEqual([replyAddress.key]);
    expect(JSON.parse((await saved()) ?? '')).toMatchObject({
      stopReason: 'end_turn',
      billed: { costUsd: 0.0002 },
    });
  });

  test('is written all the same when the results bucket does not take it either', async () => {
    const document = await uploaded(shop);
    shop.buckets.putText = () => Promise.reject(new Error('no bucket'));
    shop.remote.duringMessage = async () => throttle(shop, 'ANSWER#', 2);

    await run(document);

    expect(await record(document)).toMatchObject({ status: 'ready' });
    expect(shop.logged).toContainEqual({
      level: 'warn',
      message: 'a paid reply could not be saved either',
      fields: { key: replyAddress.key, error: 'Error: no bucket' },
    });
  });

  test('is given up a minute before the lease ends, which the next worker must wait for', async () => {
    const document = await uploaded(shop);
    const began = shop.clock.now;
    shop.remote.duringMessage = async () => throttle(shop, 'ANSWER#', Infinity);

    const outcome = await run(document);

    // Then the lease is over, and the saved reply is found.
    expect(outcome).toEqual({
      next: 'defer',
      delayMs: began + askLeaseMs - shop.clock.now + 1_000,
    });
    expect(shop.clock.now - began).toBeGreaterThan(triesForMs - 20_001);
    expect(shop.clock.now - began).toBeLessThan(triesForMs);
    expect(await answer()).toMatchObject({ state: 'asking', leaseUntil: began + askLeaseMs });
    expect(await record(document)).toMatchObject({ status: 'uploaded' });
  });

  test('is found by the next worker in the results bucket, without a call', async () => {
    const document = await uploaded(shop);
    let writes: ReturnType<typeof throttle> | undefined;
    shop.remote.duringMessage = async () => {
      writes = throttle(shop, 'ANSWER#', Infinity);
    };
    await run(document);
    expect(writes?.refused()).toBeGreaterThan(10);
    writes?.end();
    shop.clock.now += askLeaseMs;

    expect(await run(document)).toEqual({ next: 'done' });

    expect(messages()).toBe(1);
    expect(await record(document)).toMatchObject({ status: 'ready', usage: paid });
    expect(await record(document)).not.toHaveProperty('usage.costUnknownCalls');
    expect(await answer()).toMatchObject({ state: 'answered', calls: 1, unknownCalls: 0, call: 1 });
    expect(await outcomes()).toEqual(['answered']);
  });

  test('is found by the delivery that follows the failed attempt', async () => {
    const document = await uploaded(shop);
    let writes: ReturnType<typeof throttle> | undefined;
    shop.remote.duringMessage = async () => {
      writes = throttle(shop, 'ANSWER#', Infinity);
    };
    const outcome = await run(document);
    writes?.end();
    shop.clock.now += 'delayMs' in outcome ? outcome.delayMs : 0;

    await run(document);

    expect(messages()).toBe(1);
    expect(await record(document)).toMatchObject({ status: 'ready' });
  });

  test('is found by another document with the same content', async () => {
    const [first, second] = [await uploaded(shop, 'a.txt'), await uploaded(shop, 'b.txt')];
    let writes: ReturnType<typeof throttle> | undefined;
    shop.remote.duringMessage = async () => {
      writes = throttle(shop, 'ANSWER#', Infinity);
    };
    await run(first);
    writes?.end();
    shop.clock.now += askLeaseMs;

    await run(second);
    await run(first);

    expect(messages()).toBe(1);
    const calls = [await record(first), await record(second)].map((one) => one?.usage?.calls);
    expect(calls.toSorted()).toEqual([0, 1]);
    expect(await outcomes()).toEqual(['answered']);
  });

  test('is found after another worker died before it asked', async () => {
    const document = await uploaded(shop);
    let writes: ReturnType<typeof throttle> | undefined;
    shop.remote.duringMessage = async () => {
      writes = throttle(shop, 'ANSWER#', Infinity);
    };
    await run(document);
    writes?.end();
    shop.clock.now += askLeaseMs;
    const askedBy = { documentId: 'other', order: '1', model: 'm', profile: 'p', prefix: '' };
    await shop.tools.answers.claim(ref, askedBy, 'dead', askLeaseMs);
    shop.clock.now += askLeaseMs + 1;

    await run(document);

    expect(messages()).toBe(1);
    expect(await answer()).toMatchObject({ state: 'answered', calls: 2, unknownCalls: 1 });
    expect(await record(document)).toMatchObject({
      status: 'ready',
      usage: { ...paid, calls: 2, costUnknownCalls: 1 },
    });
  });

  test('that was refused is found as a refusal', async () => {
    shop.remote.replies = [reply({ stop_reason: 'tool_use' })];
    const document = await uploaded(shop);
    let writes: ReturnType<typeof throttle> | undefined;
    shop.remote.duringMessage = async () => {
      writes = throttle(shop, 'ANSWER#', Infinity);
    };
    await run(document);
    writes?.end();
    shop.clock.now += askLeaseMs;

    await run(document);

    expect(messages()).toBe(1);
    expect(await record(document)).toMatchObject({
      status: 'failed',
      error: { code: 'summarize.unexpected_stop' },
      usage: paid,
    });
  });

  test('when it is long, is in the results bucket and its address in the ledger', async () => {
    const words = Array.from({ length: 20_000 }, (_, n) =>
      ((n * 2_654_435_761) % 99_991).toString(36),
    );
    const text = `Title: t\nLanguage: en\nSummary: ${words.join(' ')}\nKey points:\n- p`;
    shop.remote.replies = [reply({ content: [{ type: 'text', text, citations: null }] })];
    const [first, second] = [await uploaded(shop, 'a.txt'), await uploaded(shop, 'b.txt')];

    await run(first);
    await run(second);

    expect(await answer()).toMatchObject({ state: 'answered', replyKey: replyAddress.key });
    expect(await answer()).not.toHaveProperty('reply');
    expect(await saved()).toContain(words.join(' '));
    expect((await record(first))?.summary?.location).toBe(`s3://results/${replyAddress.key}`);
    expect((await record(second))?.summary).toEqual((await record(first))?.summary);
    expect(messages()).toBe(1);
  });
});

test('an answer that cannot be read again says which object is gone', async () => {
  const [first, second] = [await uploaded(shop, 'a.txt'), await uploaded(shop, 'b.txt')];
  await run(first);
  await shop.table.update(answerKey(contentSha256, ref.question), {
    set: { replyKey: replyAddress.key },
    remove: ['reply'],
  });

  expect(await run(second)).toMatchObject({ next: 'retry' });

  expect((await record(second))?.error?.message).toContain(replyAddress.key);
});
