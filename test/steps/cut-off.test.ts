import { beforeEach, describe, expect, test } from 'vitest';
import { readError } from '../../shared/claude/read-error.ts';
import { defaultProfile } from '../../shared/config/config.ts';
import type { DocumentIn } from '../../shared/ledger/document-item.ts';
import { summarize } from '../../shared/steps/summarize.ts';
import { questionOf } from '../../shared/summary/prompt.ts';
import { changed } from '../ledger/support.ts';
import {
  contentSha256,
  reply,
  type Shop,
  summarizeMessage,
  throttle,
  uploaded,
  workshop,
} from './support.ts';

/*
 * An answer that is cut off at the room of the first call is asked for once more, with all the room that the profile
 * gives. Both calls are counted and in the books, wherever the worker dies between them.
 */

const profile = defaultProfile('claude-haiku-5-5');
const ref = {
  contentId: contentSha256,
  question: questionOf({ block: 'document', key: '' }, profile),
};
const leaseMs = 300_000;
const first = { calls: 1, inputTokens: 1_000, outputTokens: 4_096, costUsd: 0.002148 };
const second = { inputTokens: 1_000, outputTokens: 200, costUsd: 0.0002 };

const cutOff = () =>
  reply({
    stop_reason: 'max_tokens',
    usage: {
      input_tokens: 1_000,
      output_tokens: 4_096,
      output_tokens_details: { thinking_tokens: 96 },
    } as ReturnType<typeof reply>['usage'],
  });

let shop: Shop;
beforeEach(async () => {
  shop = await workshop();
  shop.tools.leaseMs = leaseMs;
  shop.remote.replies = [cutOff()];
});

const run = (document: DocumentIn<'uploaded'>) => summarize(summarizeMessage(document), shop.tools);
const record = ({ documentId }: { documentId: string }) => shop.tools.documents.get(documentId);
const answer = () => shop.tools.answers.get(ref);
const rooms = () => shop.remote.asked.map(({ params }) => params.max_tokens);
const outcomes = async () => (await shop.costs()).map(({ outcome }) => outcome).toSorted();

/** What two calls cost, the first cut off. */
const both = {
  calls: 2,
  inputTokens: first.inputTokens + second.inputTokens,
  outputTokens: first.outputTokens + second.outputTokens,
  thinkingTokens: 96,
  cacheReadTokens: 0,
  costUsd: expect.closeTo(first.costUsd + second.costUsd, 9),
};

describe('an answer that is cut off', () => {
  test('is asked for once more, with the room of the profile, and both calls are paid', async () => {
    const document = await uploaded(shop);

    expect(await run(document)).toEqual({ next: 'done' });

    expect(rooms()).toEqual([4_096, 16_384]);
    const now = await record(document);
    expect(now).toMatchObject({ status: 'ready', usage: both });
    expect(now?.usage).not.toHaveProperty('costUnknownCalls');
    expect(await outcomes()).toEqual(['answered', 'cut']);
    expect(await answer()).toMatchObject({ state: 'answered', calls: 2, unknownCalls: 0, call: 2 });
  });

  test('a second time ends the document, with what both calls cost', async () => {
    shop.remote.replies = [cutOff(), cutOff()];
    const document = await uploaded(shop);

    await run(document);

    expect(rooms()).toEqual([4_096, 16_384]);
    expect(await record(document)).toMatchObject({
      status: 'failed',
      error: { code: 'summarize.max_tokens' },
      usage: { calls: 2, outputTokens: 8_192 },
    });
    expect(await outcomes()).toEqual(['cut', 'refused']);
  });

  test('is not asked for again where the profile has no more room', async () => {
    shop.tools.profileFor = () => ({ ...profile, maxTokens: 2_000 });
    const document = await uploaded(shop);

    await run(document);

    expect(rooms()).toEqual([2_000]);
    expect(await record(document)).toMatchObject({
      status: 'failed',
      error: { code: 'summarize.max_tokens' },
      usage: { calls: 1 },
    });
  });

  test('and that a person has asked again has all the room at once', async () => {
    shop.remote.replies = [cutOff(), cutOff()];
    const document = await uploaded(shop);
    await run(document);
    const failed = await record(document);
    await shop.tools.answers.reopen(ref, 0);
    await shop.tools.documents.move(failed ?? document, 'uploaded', {}, { remove: ['error'] });

    await run(document);

    expect(rooms()).toEqual([4_096, 16_384, 16_384]);
    expect(await record(document)).toMatchObject({
      status: 'ready',
      usage: { calls: 3, outputTokens: 8_192 + 200 },
    });
    expect(await outcomes()).toEqual(['answered', 'cut', 'refused']);
  });

  test('for want of room is not confused with a refusal or a long document', async () => {
    shop.remote.replies = [reply({ stop_reason: 'model_context_window_exceeded' })];
    const document = await uploaded(shop);

    await run(document);

    expect(rooms()).toEqual([4_096]);
  });
});

describe('a worker that dies between the two calls', () => {
  /** The second call never ends; its worker is dead. */
  const diesInTheSecond = async (document: DocumentIn<'uploaded'>) => {
    shop.remote.duringMessage = async (nth) => {
      if (nth === 2) throw new Error('died');
    };
    const { giveBack } = shop.tools.answers;
    shop.tools.answers.giveBack = () => Promise.reject(new Error('died'));
    await run(document);
    shop.tools.answers.giveBack = giveBack;
    shop.remote.duringMessage = async () => {};
    shop.clock.now += leaseMs + 1;
  };

  test('leaves a question that is asked with all the room, and a count of what is not known', async () => {
    const document = await uploaded(shop);
    await diesInTheSecond(document);
    expect(await answer()).toMatchObject({
      state: 'asking',
      calls: 2,
      unknownCalls: 1,
      cut: { call: 1, billed: { outputTokens: 4_096 } },
    });

    await run(document);

    expect(rooms()).toEqual([4_096, 16_384, 16_384]);
    expect(await record(document)).toMatchObject({
      status: 'ready',
      usage: { ...both, calls: 3, costUnknownCalls: 1 },
    });
    expect(await outcomes()).toEqual(['answered', 'cut', 'unknown']);
  });

  test('before the cost of the first was in the books leaves it to the next', async () => {
    const document = await uploaded(shop);
    const { costs } = shop.tools;
    const recordCut = costs.recordCut.bind(costs);
    costs.recordCut = async (_, { cut }) => {
      if (cut) throw new Error('died');
    };
    shop.tools.sleep = async (ms) => {
      shop.clock.now += ms;
    };
    await run(document);
    costs.recordCut = recordCut;
    expect(rooms()).toEqual([4_096]);
    expect(await outcomes()).toEqual([]);
    shop.clock.now += leaseMs * 2;

    await run(document);

    expect(rooms()).toEqual([4_096, 16_384]);
    expect(await outcomes()).toEqual(['answered', 'cut', 'unknown']);
    expect(await record(document)).toMatchObject({ status: 'ready' });
  });

  test('because the ledger did not take the first reply finds it saved, and asks once more', async () => {
    const document = await uploaded(shop);
    let writes: ReturnType<typeof throttle> | undefined;
    shop.remote.duringMessage = async () => {
      writes = throttle(shop, 'ANSWER#', Infinity);
    };
    await run(document);
    writes?.end();
    shop.remote.duringMessage = async () => {};
    shop.clock.now += leaseMs;

    await run(document);

    expect(rooms()).toEqual([4_096, 16_384]);
    expect(await record(document)).toMatchObject({ status: 'ready', usage: both });
    expect(await outcomes()).toEqual(['answered', 'cut']);
  });

  test('whose second call certainly was not paid asks again, and counts two', async () => {
    const document = await uploaded(shop);
    const overloaded = '{"error":{"type":"overloaded_error","message":"Overloaded"}}';
    shop.remote.replies = [cutOff(), readError(529, {}, overloaded, 0)];
    expect((await run(document)).next).toBe('defer');
    shop.clock.now += 60_000;

    await run(document);

    expect(rooms()).toEqual([4_096, 16_384, 16_384]);
    expect(await record(document)).toMatchObject({ status: 'ready', usage: both });
    expect(await outcomes()).toEqual(['answered', 'cut']);
  });
});

test('an answer whose content is removed during the first call is not asked for again', async () => {
  const document = await uploaded(shop);
  shop.remote.duringMessage = async () => {
    await shop.tools.documents.receive(changed('02', { kind: 'removed', key: 'a.txt' }), 'default');
    const seen = await answer();
    if (seen) await shop.tools.answers.remove(ref, seen);
  };

  await run(document);

  expect(rooms()).toEqual([4_096]);
  expect(await answer()).toBeUndefined();
  expect(await outcomes()).toEqual(['cut']);
});

describe('a refusal', () => {
  test.each(['cyber', null] as const)('keeps its category: %s', async (category) => {
    const stop_details = { type: 'refusal', category, explanation: null } as const;
    shop.remote.replies = [reply({ stop_reason: 'refusal', content: [], stop_details })];
    const document = await uploaded(shop);

    await run(document);

    const error = (await record(document))?.error;
    expect(error?.code).toBe('summarize.refused');
    expect(error?.category).toBe(category ?? undefined);
    expect(error?.message.includes('(cyber)')).toBe(category !== null);
  });

  test('tells its category to documents that share it', async () => {
    const stop_details = { type: 'refusal', category: 'bio', explanation: null } as const;
    shop.remote.replies = [reply({ stop_reason: 'refusal', content: [], stop_details })];
    const [a, b] = [await uploaded(shop, 'a.txt'), await uploaded(shop, 'b.txt')];

    await run(a);
    await run(b);

    expect((await record(b))?.error).toMatchObject({ code: 'summarize.refused', category: 'bio' });
  });
});
