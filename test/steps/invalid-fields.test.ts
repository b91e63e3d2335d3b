import { beforeEach, describe, expect, test } from 'vitest';
import { readError } from '../../shared/claude/read-error.ts';
import { defaultProfile } from '../../shared/config/config.ts';
import { fieldsQuestionOf } from '../../shared/fields/request.ts';
import type { DocumentIn } from '../../shared/ledger/document-item.ts';
import { summarize } from '../../shared/steps/summarize.ts';
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
 * An answer that does not follow the schema is asked for once more, and told what was wrong. Both calls are counted and in
 * the books, wherever the worker dies between them.
 */

const schema = {
  type: 'object',
  properties: { total: { type: 'number' } },
  required: ['total'],
} as const;
const profile = { ...defaultProfile('claude-haiku-5-5'), schema, summary: false };
const ref = {
  contentId: contentSha256,
  question: fieldsQuestionOf({ block: 'document', key: '' }, profile),
};
const leaseMs = 300_000;

const saying = (text: string, stop_reason: 'end_turn' | 'max_tokens' = 'end_turn') =>
  reply({ content: [{ type: 'text', text, citations: null }], stop_reason });
const valid = () =>
  saying('{"data": {"total": 1200}, "evidence": [{"path": "/total", "quote": "1,200 euros"}]}');
const invalid = () => saying('{"data": {"total": "Anna Berg"}, "evidence": []}');
const wrong = '/data/total must be number';

let shop: Shop;
beforeEach(async () => {
  shop = await workshop();
  shop.tools.leaseMs = leaseMs;
  shop.tools.profileFor = () => profile;
  shop.buckets.put('inbox', 'a.txt', Buffer.from('The total is 1,200 euros.'));
  shop.remote.replies = [invalid(), valid()];
});

const run = (document: DocumentIn<'uploaded'>) => summarize(summarizeMessage(document), shop.tools);
const record = ({ documentId }: { documentId: string }) => shop.tools.documents.get(documentId);
const answer = () => shop.tools.answers.get(ref);
const outcomes = async () => (await shop.costs()).map(({ outcome }) => outcome).toSorted();
/** The last words of each request. */
const tasks = () =>
  shop.remote.asked.map(({ params }) => {
    const [{ content } = { content: '' }] = params.messages;
    const last = Array.isArray(content) ? content.at(-1) : undefined;
    return last?.type === 'text' ? last.text : '';
  });
const both = { calls: 2, inputTokens: 2_000, outputTokens: 400 };

describe('an answer that does not follow the schema', () => {
  test('is asked for once more, with what was wrong, and not a word of the document', async () => {
    const document = await uploaded(shop);

    expect(await run(document)).toEqual({ next: 'done' });

    const [first, second] = tasks();
    expect(first).not.toContain('before');
    expect(second).toContain(wrong);
    expect(second).not.toContain('Anna');
    expect(await record(document)).toMatchObject({
      status: 'ready',
      usage: both,
      fields: {
        data: { total: 1200 },
        evidence: [{ grounded: true, location: { type: 'char', start: 13, end: 24 } }],
      },
    });
    expect(await outcomes()).toEqual(['answered', 'invalid']);
    expect(await answer()).toMatchObject({ state: 'answered', calls: 2, unknownCalls: 0, call: 2 });
  });

  test('after one that was cut off ends the document: a question has two calls', async () => {
    shop.remote.replies = [saying('{"data": {', 'max_tokens'), invalid()];
    const document = await uploaded(shop);

    await run(document);

    expect(shop.remote.asked).toHaveLength(2);
    expect(await record(document)).toMatchObject({
      status: 'failed',
      error: { code: 'summarize.invalid_fields', message: expect.stringContaining(wrong) },
      usage: both,
    });
    expect(await outcomes()).toEqual(['cut', 'refused']);
  });

  test('and then is cut off ends the document with that', async () => {
    shop.remote.replies = [invalid(), saying('{"data": {', 'max_tokens')];
    const document = await uploaded(shop);

    await run(document);

    expect((await record(document))?.error?.code).toBe('summarize.max_tokens');
    expect(await outcomes()).toEqual(['invalid', 'refused']);
  });

  test('because Claude declined is a refusal, and is not asked again', async () => {
    shop.remote.replies = [reply({ stop_reason: 'refusal', content: [] })];
    const document = await uploaded(shop);

    await run(document);

    expect((await record(document))?.error?.code).toBe('summarize.refused');
    expect(shop.remote.asked).toHaveLength(1);
  });
});

describe('a worker', () => {
  test('that takes over from one that died in the second call asks the same', async () => {
    const document = await uploaded(shop);
    shop.remote.duringMessage = async (nth) => {
      if (nth === 2) throw new Error('died');
    };
    const { giveBack } = shop.tools.answers;
    shop.tools.answers.giveBack = async () => {
      throw new Error('died');
    };
    await run(document);
    shop.tools.answers.giveBack = giveBack.bind(shop.tools.answers);
    shop.clock.now += leaseMs * 2;
    shop.remote.replies = [valid()];
    expect(await answer()).toMatchObject({ state: 'asking', cut: { call: 1, invalid: wrong } });

    await run(document);

    const [, second, third] = tasks();
    expect(third).toBe(second);
    expect(await record(document)).toMatchObject({
      status: 'ready',
      usage: { ...both, calls: 3, costUnknownCalls: 1 },
    });
    expect(await outcomes()).toEqual(['answered', 'invalid', 'unknown']);
  });

  test('whose first reply the ledger did not take finds it saved, and asks once more', async () => {
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

    expect(shop.remote.asked).toHaveLength(2);
    expect(await record(document)).toMatchObject({ status: 'ready', usage: both });
    expect(await outcomes()).toEqual(['answered', 'invalid']);
  });

  test('whose second call certainly was not paid asks the same again, and counts two', async () => {
    const document = await uploaded(shop);
    const overloaded = '{"error":{"type":"overloaded_error","message":"Overloaded"}}';
    shop.remote.replies = [invalid(), readError(529, {}, overloaded, 0), valid()];
    expect((await run(document)).next).toBe('defer');
    shop.clock.now += 60_000;

    await run(document);

    const [, second, third] = tasks();
    expect(third).toBe(second);
    expect(await record(document)).toMatchObject({ status: 'ready', usage: both });
    expect(await outcomes()).toEqual(['answered', 'invalid']);
  });
});

describe('with a summary too', () => {
  beforeEach(() => {
    shop.tools.profileFor = () => ({ ...profile, summary: true });
    shop.remote.replies = [reply(), valid()];
  });

  test('the next question is left to a message of its own, with the content', async () => {
    const document = await uploaded(shop);

    await run(document);

    expect(shop.remote.asked).toHaveLength(1);
    expect(shop.sent).toContainEqual(summarizeMessage(document));
    await run(document);
    expect(await record(document)).toMatchObject({ status: 'ready', usage: both });
  });

  test('a call for the fields that may have been paid is counted beside the summary', async () => {
    const document = await uploaded(shop);
    await run(document);
    shop.remote.replies = [readError(500, {}, '{"error":{"type":"api_error","message":"x"}}', 0)];

    await run(document);

    expect(await record(document)).toMatchObject({
      status: 'uploaded',
      summary: { text: 'Sales rose.' },
      usage: { inputTokens: 1_000, outputTokens: 200, calls: 2, costUnknownCalls: 1 },
    });
  });
});
