import { beforeEach, describe, expect, test } from 'vitest';
import {
  ClaudeAbortedError,
  ClaudeConnectionError,
  ClaudeReplyError,
} from '../../shared/claude/errors.ts';
import { readError } from '../../shared/claude/read-error.ts';
import { release } from '../../shared/steps/release.ts';
import { changed } from '../ledger/support.ts';
import {
  asking,
  askLeaseMs,
  contentSha256,
  paid,
  ref,
  reply,
  type Shop,
  throttle,
  uploaded,
  workshop,
} from './support.ts';

let shop: Shop;
beforeEach(async () => {
  shop = await workshop();
  shop.tools.leaseMs = askLeaseMs;
});

const { run, record, answer, messages, outcomes, saved } = asking(() => shop);

describe('what was paid', () => {
  test('is recorded after some tries', async () => {
    const document = await uploaded(shop);
    shop.remote.duringMessage = async () => throttle(shop, 'COST#', 3);

    await run(document);

    expect(await outcomes()).toEqual(['answered']);
    expect(await record(document)).toMatchObject({ status: 'ready' });
    expect(messages()).toBe(1);
  });

  test('is recorded by the message that finds the answer when its worker could not', async () => {
    const document = await uploaded(shop);
    let writes: ReturnType<typeof throttle> | undefined;
    shop.remote.duringMessage = async () => {
      writes = throttle(shop, 'COST#', Infinity);
    };
    await run(document);
    expect(await answer()).toMatchObject({ state: 'answered' });
    writes?.end();
    shop.clock.now += askLeaseMs;

    await run(document);

    expect(await record(document)).toMatchObject({ status: 'ready', usage: paid });
    expect(await outcomes()).toEqual(['answered']);
  });

  test('is recorded for a worker that died, also when its document is removed before the next delivery', async () => {
    const document = await uploaded(shop);
    const { documentId, order } = document;
    let writes: ReturnType<typeof throttle> | undefined;
    shop.remote.duringMessage = async () => {
      writes = throttle(shop, 'COST#', Infinity);
    };
    await run(document);
    writes?.end();
    await shop.tools.documents.receive(changed('02', { kind: 'removed' }), 'default');

    await run(document);
    await release({ documentId, order, contentSha256, purge: true }, shop.tools);

    expect(await answer()).toBeUndefined();
    expect(await outcomes()).toEqual(['answered']);
  });

  test('is recorded for each life of a content that was removed and dropped again', async () => {
    const first = await uploaded(shop);
    await run(first);
    const { documentId, order } = first;
    await shop.tools.documents.receive(changed('02', { kind: 'removed' }), 'default');
    await release({ documentId, order, contentSha256, purge: true }, shop.tools);
    const again = await uploaded(shop, 'a.txt', { sequencer: '03' });

    await run(again);

    expect(messages()).toBe(2);
    expect(await outcomes()).toEqual(['answered', 'answered']);
  });

  test('is recorded although another worker took over, whose reply was first', async () => {
    const [first, second] = [await uploaded(shop, 'a.txt'), await uploaded(shop, 'b.txt')];
    shop.remote.duringMessage = async (nth) => {
      if (nth > 1) return;
      shop.clock.now += askLeaseMs + 1;
      await run(second);
    };

    await run(first);

    expect(messages()).toBe(2);
    expect((await outcomes()).filter((outcome) => outcome === 'answered')).toHaveLength(2);
    expect(await record(first)).toMatchObject({
      status: 'ready',
      answers: { summary: { sharedFrom: second.documentId } },
    });
    expect(await record(second)).toMatchObject({ status: 'ready' });
  });

  test('is recorded when the content was removed during the call, and the reply is not kept', async () => {
    const document = await uploaded(shop);
    const { documentId, order } = document;
    const removal = { documentId, order, contentSha256, purge: true };
    shop.remote.duringMessage = async () => {
      await shop.tools.documents.receive(changed('02', { kind: 'removed' }), 'default');
      await release(removal, shop.tools);
    };

    await run(document);

    expect(await outcomes()).toEqual(['answered']);
    expect(await answer()).toBeUndefined();
    expect(await record(document)).toMatchObject({ status: 'removed' });
    // The next delivery of either message has nothing left to delete.
    expect(await release(removal, shop.tools)).toEqual({ next: 'done' });
    expect(await shop.tools.contents.get(contentSha256)).toBeUndefined();
    expect(await saved()).toBeUndefined();
  });

  test('for a refusal is recorded, with why there is no summary', async () => {
    for (const [stopReason, code] of [
      ['refusal', 'summarize.refused'],
      ['model_context_window_exceeded', 'summarize.too_long'],
      ['tool_use', 'summarize.unexpected_stop'],
    ] as const) {
      shop = await workshop();
      shop.remote.replies = [reply({ stop_reason: stopReason })];
      const document = await uploaded(shop);

      await run(document);

      expect(await record(document)).toMatchObject({
        status: 'failed',
        error: { code },
        usage: paid,
      });
      expect(await answer()).toMatchObject({ state: 'refused', error: { code } });
      expect(await outcomes()).toEqual(['refused']);
    }
  });

  test('with the cache counts tokens as they are billed', async () => {
    const usage = {
      input_tokens: 10,
      output_tokens: 20,
      cache_creation_input_tokens: 300,
      cache_read_input_tokens: 4_000,
    };
    shop.remote.replies = [reply({ usage: usage as ReturnType<typeof reply>['usage'] })];
    const document = await uploaded(shop);

    await run(document);

    const tokens = { inputTokens: 310, outputTokens: 20, cacheReadTokens: 4_000 };
    expect((await record(document))?.usage).toMatchObject(tokens);
    expect(await shop.costs()).toMatchObject([tokens]);
  });

  test('is unknown, not 0, for a model without a price: once, for the document that asked', async () => {
    shop.remote.replies = [reply({ model: 'claude-new-1' })];
    const [first, second] = [await uploaded(shop, 'a.txt'), await uploaded(shop, 'b.txt')];

    await run(first);
    await run(second);

    expect(await record(first)).toMatchObject({
      status: 'ready',
      usage: { ...paid, costUsd: 0, costUnknownCalls: 1 },
      fidelity: { warnings: [{ code: 'summarize.price_unknown' }] },
    });
    expect(await record(second)).toMatchObject({ usage: { calls: 0 }, fidelity: { warnings: [] } });
    expect(await record(second)).not.toHaveProperty('usage.costUnknownCalls');
    const [entry] = await shop.costs();
    expect(entry).toMatchObject({ model: 'claude-new-1', inputTokens: 1_000 });
    expect(entry).not.toHaveProperty('costUsd');
  });
});

describe('a call whose reply was lost', () => {
  const lost = () => new ClaudeConnectionError('hung up', { sent: 'maybe' });

  test('is counted, also in the record, and asked again', async () => {
    shop.remote.replies = [lost()];
    const document = await uploaded(shop);

    expect(await run(document)).toMatchObject({ next: 'retry' });

    expect(await record(document)).toMatchObject({
      status: 'uploaded',
      attempts: { summarize: 1 },
      error: { code: 'summarize.reply_lost' },
      usage: { calls: 1, costUnknownCalls: 1, costUsd: 0 },
    });
    expect(await answer()).toMatchObject({ state: 'asking', leaseUntil: 0, calls: 1 });

    expect(await run(document)).toEqual({ next: 'done' });
    expect(await record(document)).toMatchObject({
      status: 'ready',
      usage: { ...paid, calls: 2, costUnknownCalls: 1 },
    });
    expect(await outcomes()).toEqual(['answered', 'unknown']);
    expect(await shop.costs()).toContainEqual(
      expect.objectContaining({
        outcome: 'unknown',
        model: 'claude-haiku-5-5',
        profile: 'default',
      }),
    );
  });

  test('is in the books when the document fails for good with it', async () => {
    shop.tools.policy.maxAttempts = 1;
    shop.remote.replies = [lost()];
    const document = await uploaded(shop);

    await run(document);

    expect(await record(document)).toMatchObject({
      status: 'failed',
      usage: { calls: 1, costUnknownCalls: 1 },
    });
    expect(await outcomes()).toEqual(['unknown']);
  });

  test('and again, is in the books once for each call', async () => {
    shop.remote.replies = [lost(), lost()];
    const document = await uploaded(shop);

    for (let n = 0; n < 3; n += 1) await run(document);

    expect(messages()).toBe(3);
    expect(await record(document)).toMatchObject({ usage: { calls: 3, costUnknownCalls: 2 } });
    expect(await outcomes()).toEqual(['answered', 'unknown', 'unknown']);
  });
});

describe('a call that was certainly not paid', () => {
  test.each([
    ['529', () => readError(529, {}, '{}', 0), 'defer'],
    ['429 with a wait', () => readError(429, { 'retry-after': '7' }, '{}', 0), 'defer'],
    ['no connection', () => new ClaudeConnectionError('m', { sent: 'no' }), 'defer'],
    ['400', () => readError(400, {}, '{}', 0), 'done'],
    ['401', () => readError(401, {}, '{}', 0), 'done'],
  ])(
    'because of %s is not counted, and lets the next worker ask at once',
    async (_, error, next) => {
      shop.remote.replies = [error()];
      const document = await uploaded(shop);

      expect(await run(document)).toMatchObject({ next });

      expect(await answer()).toMatchObject({
        state: 'asking',
        leaseUntil: 0,
        calls: 0,
        unknownCalls: 0,
      });
      expect(await record(document)).toMatchObject({ usage: { calls: 0 } });
      expect(await shop.costs()).toEqual([]);
    },
  );

  test('leaves those that wait to the next delivery', async () => {
    const [first, second] = [await uploaded(shop, 'a.txt'), await uploaded(shop, 'b.txt')];
    shop.remote.replies = [readError(529, {}, '{}', 0)];
    shop.remote.duringMessage = () => run(second);

    await run(first);

    expect(shop.sent).toEqual([]);
    expect(await answer()).toMatchObject({ awaited: true });
  });
});

describe('a question whose replies are lost, and may have been paid,', () => {
  const shared = async (error: Error, maxAttempts: number) => {
    const [first, second] = [await uploaded(shop, 'a.txt'), await uploaded(shop, 'b.txt')];
    shop.tools.policy.maxAttempts = maxAttempts;
    shop.remote.replies = [error];
    shop.remote.duringMessage = (nth) => (nth === 1 ? run(second) : Promise.resolve());
    await run(first);
    return { first, second };
  };

  test.each([
    ['its attempts are used up', () => readError(500, {}, '{}', 0), 1, 'claude.server_error'],
    [
      'its reply is of no use',
      () => new ClaudeReplyError('no JSON', {}),
      5,
      'summarize.unexpected_reply',
    ],
  ])('ends for all that share it when %s', async (_, error, maxAttempts, code) => {
    const { first, second } = await shared(error(), maxAttempts);

    expect(await record(first)).toMatchObject({
      status: 'failed',
      error: { code },
      usage: { calls: 1, costUnknownCalls: 1 },
    });
    expect(shop.sent).toEqual([{ step: 'wake', ...ref }]);
    await run(second);
    expect(await record(second)).toMatchObject({
      status: 'failed',
      error: { code },
      usage: { calls: 0, costUsd: 0 },
    });
    expect(messages()).toBe(1);
    expect(await shop.costs()).toMatchObject([{ outcome: 'unknown' }]);
  });

  test('is asked again when a person has it retried, with all its attempts', async () => {
    const { first } = await shared(readError(500, {}, '{}', 0), 1);
    await shop.tools.answers.reopen(ref, 0);
    const again = await shop.tools.documents.get(first.documentId);
    if (again?.status !== 'failed') return expect.unreachable('it has failed');
    shop.tools.policy.maxAttempts = 3;
    shop.remote.replies = [readError(500, {}, '{}', 0)];
    const open = await shop.tools.documents.move(again, 'uploaded', { attempts: {} });

    await run(open ?? first);

    expect(await answer()).toMatchObject({ state: 'asking', calls: 2, unknownCalls: 2 });
  });
});

describe('what cannot be written before the call', () => {
  test('costs no call, and the next delivery asks at once', async () => {
    const first = await uploaded(shop, 'a.txt');
    shop.remote.replies = [readError(500, {}, '{}', 0)];
    await run(first);
    shop.tools.costs.recordUnknown = async () => {
      throw new Error('no ledger');
    };

    await run(first);

    expect(await answer()).toMatchObject({ leaseUntil: 0, calls: 1, unknownCalls: 1 });
    expect(messages()).toBe(1);
  });

  test('leaves the lease behind at worst: the document waits for its end and not for itself', async () => {
    const document = await uploaded(shop);
    shop.remote.replies = [readError(529, {}, '{}', 0)];
    shop.tools.answers.giveBack = async () => {
      throw new Error('no ledger');
    };
    await run(document);

    const next = await run(document);

    expect(next).toMatchObject({ next: 'defer', delayMs: expect.any(Number) });
    expect((await record(document))?.waiting).toBeUndefined();
  });
});

describe('when the asker ends without an answer, one of those that wait asks in its turn', () => {
  const wakeOne = { step: 'wake', ...ref, one: true };

  test.each([
    ['because the request is refused', () => readError(413, {}, '{}', 0), 5],
    [
      'because its attempts are used up by calls that were never sent',
      () => new ClaudeAbortedError('m', { sent: 'no' }),
      1,
    ],
  ])('%s', async (_, error, maxAttempts) => {
    const [first, second] = [await uploaded(shop, 'a.txt'), await uploaded(shop, 'b.txt')];
    shop.tools.policy.maxAttempts = maxAttempts;
    shop.remote.replies = [error()];
    shop.remote.duringMessage = (nth) => (nth === 1 ? run(second) : Promise.resolve());

    await run(first);

    expect(await record(first)).toMatchObject({ status: 'failed' });
    expect(shop.sent).toEqual([wakeOne]);
    await run(second);
    expect(await record(second)).toMatchObject({ status: 'ready' });
  });

  test('unless none waits', async () => {
    shop.remote.replies = [readError(413, {}, '{}', 0)];

    await run(await uploaded(shop));

    expect(shop.sent).toEqual([]);
  });

  test('unless another worker has taken over', async () => {
    const [first, second] = [await uploaded(shop, 'a.txt'), await uploaded(shop, 'b.txt')];
    shop.remote.replies = [readError(413, {}, '{}', 0)];
    shop.remote.duringMessage = async () => {
      shop.clock.now += askLeaseMs + 1;
      const askedBy = { documentId: 'third', order: '1', model: 'm', profile: 'p', prefix: '' };
      await shop.tools.answers.claim(ref, askedBy, 'third', askLeaseMs);
      await run(second);
    };

    await run(first);

    expect(shop.sent).toEqual([]);
    expect(await answer()).toMatchObject({ owner: 'third', awaited: true });
  });
});

describe('a file that is gone', () => {
  const gone = () =>
    readError(
      404,
      {},
      '{"type":"error","error":{"type":"not_found_error","message":"File not found"}}',
      0,
    );

  test('is uploaded again: the document goes back, and the call is not counted', async () => {
    const document = await uploaded(shop);
    shop.remote.replies = [gone()];

    expect(await run(document)).toEqual({ next: 'done' });

    const { documentId, order } = document;
    const now = await record(document);
    expect(now).toMatchObject({ status: 'normalized', evictions: 1, attempts: {} });
    expect(now).not.toHaveProperty('fileId');
    expect(shop.sent).toEqual([{ step: 'upload', documentId, order, contentSha256 }]);
    expect(await shop.tools.contents.get(contentSha256)).toMatchObject({ state: 'free' });
    expect(await answer()).toMatchObject({ state: 'asking', leaseUntil: 0, calls: 0 });
    expect(await shop.costs()).toEqual([]);
  });

  test('is uploaded again five times; the sixth is a failed attempt', async () => {
    const document = await uploaded(shop);
    await shop.tools.documents.move(document, 'uploaded', { evictions: 4 });
    const seen = (await record(document)) as typeof document;
    shop.remote.replies = [gone(), gone()];
    await run(seen);
    expect(await record(document)).toMatchObject({ status: 'normalized', evictions: 5 });
    const back = await record(document);
    const { fileId, usage } = document;
    if (back) await shop.tools.documents.move(back, 'uploaded', { fileId, usage });

    expect(await run(document)).toMatchObject({ next: 'retry' });

    expect(await record(document)).toMatchObject({
      status: 'uploaded',
      evictions: 5,
      attempts: { summarize: 1 },
      error: { code: 'summarize.file_gone' },
    });
  });

  test('that another worker has replaced already is not evicted', async () => {
    const document = await uploaded(shop);
    shop.remote.replies = [gone()];
    shop.remote.duringMessage = async () => {
      const { contents } = shop.tools;
      await contents.evict(contentSha256, document.fileId);
      const seen = await contents.get(contentSha256);
      const facts = { contentSha256, sizeBytes: 10, filename: 'a.txt', mimeType: 'text/plain' };
      await contents.claim(facts, seen, 'other', 1_000);
      await contents.setLive(contentSha256, 'other', { fileId: 'file_new' });
    };

    await run(document);

    expect(await shop.tools.contents.get(contentSha256)).toMatchObject({
      state: 'live',
      fileId: 'file_new',
    });
    expect(await record(document)).toMatchObject({ status: 'normalized' });
  });

  test('leaves no question behind when the document was removed during the call', async () => {
    const document = await uploaded(shop);
    const { documentId, order } = document;
    shop.remote.replies = [gone()];
    shop.remote.duringMessage = async () => {
      await shop.tools.documents.receive(changed('02', { kind: 'removed' }), 'default');
    };

    await run(document);

    expect(shop.sent).toContainEqual({
      step: 'release',
      documentId,
      order,
      contentSha256,
      purge: true,
    });
  });
});
