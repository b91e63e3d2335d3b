import { beforeEach, describe, expect, test } from 'vitest';
import { readError } from '../../shared/claude/read-error.ts';
import { defaultProfile } from '../../shared/config/config.ts';
import { StopLane } from '../../shared/journey/errors.ts';
import { newContentId } from '../../shared/ledger/content-id.ts';
import type { DocumentIn } from '../../shared/ledger/document-item.ts';
import { summarize } from '../../shared/steps/summarize.ts';
import { questionOf } from '../../shared/summary/prompt.ts';
import { changed, error, impliedBy } from '../ledger/support.ts';
import {
  contentSha256,
  reply,
  type Shop,
  summarizeMessage,
  uploaded,
  workshop,
} from './support.ts';

const profile = defaultProfile('claude-haiku-5-5');
const ref = {
  contentId: contentSha256,
  question: questionOf({ block: 'document', key: '' }, profile),
};
const leaseMs = 60_000;
const paid = {
  inputTokens: 1_000,
  outputTokens: 200,
  cacheReadTokens: 0,
  costUsd: 0.0002,
  calls: 1,
};
const unpaid = impliedBy.uploaded.usage;
const wake = { step: 'wake', ...ref };

let shop: Shop;
beforeEach(async () => {
  shop = await workshop();
});

const run = (document: DocumentIn<'uploaded'>) => summarize(summarizeMessage(document), shop.tools);
const record = ({ documentId }: { documentId: string }) => shop.tools.documents.get(documentId);
const answer = () => shop.tools.answers.get(ref);
const messages = () => shop.remote.calls.filter((call) => call === 'message').length;
const closeLane = () =>
  shop.tools.circuits.open(new StopLane({ code: 'claude.billing', message: 'unpaid' }), 600_000);
/** Another worker asks for another document, and lives. */
const askedElsewhere = async () => {
  const askedBy = { documentId: 'other', order: '1', model: 'm', profile: 'default', prefix: '' };
  const claimed = await shop.tools.answers.claim(ref, askedBy, 'other', leaseMs);
  return claimed ?? expect.unreachable('it was free');
};

describe('a document', () => {
  test('gets its summary by one call, which is in its record and in the books', async () => {
    const document = await uploaded(shop, 'reports/q3/a.txt');

    expect(await run(document)).toEqual({ next: 'done' });

    expect(await record(document)).toMatchObject({
      status: 'ready',
      attempts: { summarize: 1 },
      usage: paid,
      summary: {
        title: 'Sales',
        text: 'Sales rose.',
        keyPoints: ['Sales rose.'],
        language: 'en',
        model: 'claude-haiku-5-5',
        stopReason: 'end_turn',
        at: new Date(shop.clock.now).toISOString(),
      },
      answers: { summary: { outcome: 'answered', question: ref.question, generation: 0 } },
      fidelity: { route: 'text', warnings: [] },
    });
    expect((await record(document))?.answers?.summary).not.toHaveProperty('sharedFrom');
    expect((await record(document))?.usage).not.toHaveProperty('costUnknownCalls');
    const { calls: _calls, ...bill } = paid;
    expect(await shop.costs()).toEqual([
      {
        ...bill,
        model: 'claude-haiku-5-5',
        at: new Date(shop.clock.now).toISOString(),
        outcome: 'answered',
        profile: 'default',
        prefix: 'reports/q3/',
      },
    ]);
    expect(await answer()).toMatchObject({ state: 'answered', calls: 1, unknownCalls: 0, call: 1 });
    expect(shop.sent).toEqual([]);
  });

  test('is asked about by its file, within the time that a call may take', async () => {
    const document = await uploaded(shop);

    await run(document);

    expect(shop.remote.asked).toHaveLength(1);
    expect(shop.remote.asked[0]?.timeoutMs).toBe(120_000);
    expect(JSON.stringify(shop.remote.asked[0]?.params)).toContain(document.fileId);
    expect(JSON.stringify(shop.remote.asked[0]?.params)).not.toContain('a.txt');
  });

  test('that is delivered again makes no second call', async () => {
    const document = await uploaded(shop);
    await run(document);
    const before = await record(document);

    expect(await run(document)).toEqual({ next: 'done' });

    expect(messages()).toBe(1);
    expect(await record(document)).toEqual(before);
  });

  test('whose process died after the reply was written down finds it', async () => {
    const document = await uploaded(shop);
    const { documents } = shop.tools;
    const move = documents.move.bind(documents);
    documents.move = (() => Promise.reject(new Error('died'))) as typeof move;
    await run(document).catch(() => {});
    documents.move = move;
    expect(await record(document)).toEqual(document);

    expect(await run(document)).toEqual({ next: 'done' });

    expect(await record(document)).toMatchObject({ status: 'ready', usage: paid });
    expect(messages()).toBe(1);
    expect(await shop.costs()).toHaveLength(1);
  });

  test('takes its title from its name where the answer has none, and says so', async () => {
    shop.remote.replies = [reply({ content: [{ type: 'text', text: 'Words.', citations: null }] })];
    const [a, b] = [await uploaded(shop, 'x/a.txt'), await uploaded(shop, 'b.txt')];

    await run(a);
    await run(b);

    expect((await record(a))?.summary).toMatchObject({ title: 'a.txt', text: 'Words.' });
    expect((await record(b))?.summary).toMatchObject({ title: 'b.txt', text: 'Words.' });
    for (const document of [a, b]) {
      expect((await record(document))?.fidelity?.warnings).toMatchObject([
        { code: 'summarize.layout' },
      ]);
    }
  });

  test('whose summary is very long keeps a part of it, and where the whole is', async () => {
    const point = { type: 'text', text: `\n- ${'x'.repeat(400)}`, citations: null } as const;
    const points = Array.from({ length: 80 }, () => point);
    const [start] = reply().content;
    const long = reply({ content: [start ?? point, ...points] });
    shop.remote.replies = [long];
    const document = await uploaded(shop);

    await run(document);

    const { summary } = (await record(document)) ?? {};
    expect(Buffer.byteLength(JSON.stringify(summary))).toBeLessThan(20_000);
    expect(summary?.keyPoints).toHaveLength(20);
    expect(summary?.location).toBe(
      `s3://results/answers/${contentSha256}/${ref.question}/worker-1-0.json`,
    );
  });

  test.each([
    ['its profile asks for none', { ...profile, mode: 'off' as const }, 'document' as const],
    ['it is for code execution', profile, 'container_upload' as const],
  ])('is ready without a summary where %s', async (_, given, block) => {
    shop.tools.profileFor = () => given;
    const document = await uploaded(shop, 'a.txt', { block });

    expect(await run(document)).toEqual({ next: 'done' });

    expect(await record(document)).toMatchObject({ status: 'ready', usage: unpaid });
    expect(messages()).toBe(0);
    expect(await shop.tools.answers.ofContent(contentSha256)).toEqual([]);
  });

  test.each(['received', 'held'] as const)('that is %s is left alone', async (status) => {
    const { documents } = shop.tools;
    const { document } = await documents.receive(changed('01'), 'default');
    if (status === 'held') await documents.setAside(document, 'held', error);
    const before = await record(document);

    const { documentId, order } = document;
    const message = { step: 'summarize', documentId, order, contentSha256 } as const;
    expect(await summarize(message, shop.tools)).toEqual({ next: 'done' });

    expect(await record(document)).toEqual(before);
    expect(messages()).toBe(0);
  });

  test('that ended in a dead-letter queue and came back is summarised', async () => {
    const document = await uploaded(shop);
    const dead = { ...error, code: 'summarize.dead_letter', step: 'summarize' } as const;
    await shop.tools.documents.setAside(document, 'failed', dead);

    await run(document);

    expect(await record(document)).toMatchObject({ status: 'ready' });
  });

  test('that a function of 0.1 is paying for waits until its fence is over', async () => {
    const document = await uploaded(shop);
    const until = shop.clock.now + 30_000;
    await shop.tools.documents.move(document, 'uploaded', { lease: { owner: 'old', until } });

    expect(await run(document)).toEqual({ next: 'defer', delayMs: 30_000 });
    shop.clock.now = until;
    expect(await run(document)).toEqual({ next: 'defer', delayMs: 5_000 });
    expect(messages()).toBe(0);
    shop.clock.now = until + 1;
    expect(await run(document)).toEqual({ next: 'done' });

    expect(await record(document)).toMatchObject({ status: 'ready' });
    expect(await record(document)).not.toHaveProperty('lease');
  });
});

describe('documents with the same content', () => {
  test('share one call: the second has its summary for nothing', async () => {
    const first = await uploaded(shop, 'a.txt');
    const second = await uploaded(shop, 'b.txt');

    await run(first);
    await run(second);

    expect(messages()).toBe(1);
    const shared = { summary: { outcome: 'answered', sharedFrom: first.documentId } };
    expect(await record(second)).toMatchObject({ status: 'ready', usage: unpaid, answers: shared });
    const [one, two] = [await record(first), await record(second)];
    expect(two?.summary).toEqual(one?.summary);
    expect(await shop.costs()).toHaveLength(1);
  });

  test('share one call across versions of one key, which share from nobody', async () => {
    const first = await uploaded(shop);
    await run(first);
    const again = await uploaded(shop, 'a.txt', { sequencer: '02' });

    await run(again);

    expect(messages()).toBe(1);
    const now = await record(again);
    expect(now).toMatchObject({ status: 'ready', usage: unpaid });
    expect(now?.answers?.summary).not.toHaveProperty('sharedFrom');
  });

  test.each([
    ['another model', { ...profile, model: 'claude-sonnet-5-5' }],
    ['another length', { ...profile, maxTokens: 8 }],
  ])('are asked separately for %s', async (_, other) => {
    const [first, second] = [await uploaded(shop, 'a.txt'), await uploaded(shop, 'b.txt')];
    shop.tools.profileFor = ({ key }) => (key === 'a.txt' ? profile : other);

    await run(first);
    await run(second);

    expect(messages()).toBe(2);
    expect(await shop.tools.answers.ofContent(contentSha256)).toHaveLength(2);
  });

  test('are asked separately where Claude gets the bytes as another type', async () => {
    await run(await uploaded(shop, 'a.txt'));
    const contentId = newContentId('c'.repeat(64), 'text/csv');
    await run(await uploaded(shop, 'b.csv', { mimeType: 'text/csv', contentId }));

    expect(messages()).toBe(2);
  });

  test('that share a refusal fail alike, and one of them has its cost', async () => {
    shop.remote.replies = [reply({ stop_reason: 'refusal' })];
    const [first, second] = [await uploaded(shop, 'a.txt'), await uploaded(shop, 'b.txt')];

    await run(first);
    await run(second);

    expect(messages()).toBe(1);
    const refused = { status: 'failed', error: { code: 'summarize.refused', step: 'summarize' } };
    const outcome = { outcome: 'refused', question: ref.question, generation: 0 };
    expect(await record(first)).toMatchObject({
      ...refused,
      usage: paid,
      answers: { summary: outcome },
      fileId: first.fileId,
    });
    expect(await record(second)).toMatchObject({
      ...refused,
      usage: unpaid,
      answers: { summary: { ...outcome, sharedFrom: first.documentId } },
    });
    expect(await shop.costs()).toMatchObject([{ outcome: 'refused', costUsd: 0.0002 }]);
  });

  test('are asked about again once when a person retries them', async () => {
    shop.remote.replies = [reply({ stop_reason: 'refusal' })];
    const [first, second] = [await uploaded(shop, 'a.txt'), await uploaded(shop, 'b.txt')];
    for (const document of [first, second]) await run(document);
    const { documents, answers } = shop.tools;
    for (const { documentId } of [first, second]) {
      const failed = await documents.get(documentId);
      const { summary } = failed?.answers ?? {};
      await answers.reopen(ref, summary?.generation ?? -1);
      if (failed) await documents.move(failed, 'uploaded', {}, { remove: ['error'] });
    }

    for (const document of [second, first]) await run(document);

    expect(messages()).toBe(2);
    expect((await record(first))?.status).toBe('ready');
    expect((await record(second))?.status).toBe('ready');
    const entries = await shop.costs();
    expect(entries.map(({ outcome }) => outcome).toSorted()).toEqual(['answered', 'refused']);
  });

  test('that are asked about again keep in their record what the refused reply cost', async () => {
    shop.remote.replies = [reply({ stop_reason: 'refusal' })];
    const document = await uploaded(shop);
    await run(document);
    const failed = await record(document);
    await shop.tools.answers.reopen(ref, 0);
    if (failed) await shop.tools.documents.move(failed, 'uploaded', {}, { remove: ['error'] });

    await run(document);

    expect((await record(document))?.usage).toEqual({
      inputTokens: 2_000,
      outputTokens: 400,
      cacheReadTokens: 0,
      costUsd: 0.0004,
      calls: 2,
    });
  });
});

describe('a document whose content is being asked about', () => {
  test('waits, and says so', async () => {
    await askedElsewhere();
    const document = await uploaded(shop);

    expect(await run(document)).toEqual({ next: 'done' });

    const since = new Date(shop.clock.now).toISOString();
    expect(await record(document)).toMatchObject({
      status: 'uploaded',
      waiting: { reason: 'answer', since },
      attempts: {},
    });
    expect(await answer()).toMatchObject({ state: 'asking', awaited: true });
    const { references } = await shop.tools.contents.references(contentSha256);
    expect(references).toMatchObject([{ waitsFor: ref.question }]);
    expect(messages()).toBe(0);
  });

  test('waits since the first time, however often it looks, and without its last error', async () => {
    await askedElsewhere();
    const document = await uploaded(shop);
    await shop.tools.documents.attemptFailed(document, 'summarize', error);
    await run(document);
    const since = (await record(document))?.waiting?.since;
    shop.clock.now += 1_000;

    await run(document);

    expect(await record(document)).toMatchObject({ waiting: { since } });
    expect(await record(document)).not.toHaveProperty('error');
  });

  test('is woken when the answer is there, and then has waited', async () => {
    const first = await uploaded(shop, 'a.txt');
    const second = await uploaded(shop, 'b.txt');
    shop.remote.duringMessage = () => run(second);

    await run(first);

    expect(shop.sent).toEqual([wake]);
    expect(await answer()).toMatchObject({ state: 'answered', awaited: false });
    expect(await record(second)).toMatchObject({ waiting: { reason: 'answer' } });
    await run(second);
    expect(await record(second)).toMatchObject({ status: 'ready', usage: unpaid });
    expect(await record(second)).not.toHaveProperty('waiting');
  });

  test('is woken when the answer is a refusal, too', async () => {
    shop.remote.replies = [reply({ stop_reason: 'refusal' })];
    const first = await uploaded(shop, 'a.txt');
    const second = await uploaded(shop, 'b.txt');
    shop.remote.duringMessage = () => run(second);

    await run(first);

    expect(shop.sent).toEqual([wake]);
  });

  test('does not wait when the answer comes between its look and its mark', async () => {
    const claimed = await askedElsewhere();
    const document = await uploaded(shop);
    const { contents, answers } = shop.tools;
    const mark = contents.markWaiting.bind(contents);
    contents.markWaiting = async (...args) => {
      const marked = await mark(...args);
      const billed = { model: 'm', inputTokens: 1, outputTokens: 1, cacheReadTokens: 0, at: '' };
      const error = { code: 'summarize.refused', message: 'm' };
      await answers.settle(ref, claimed, { replyKey: 'k' }, billed, error);
      return marked;
    };

    expect(await run(document)).toEqual({ next: 'done' });

    expect(await record(document)).toMatchObject({ status: 'failed' });
    expect(await record(document)).not.toHaveProperty('waiting');
    expect(messages()).toBe(0);
  });

  test('asks itself when the asker gives up between its look and its mark', async () => {
    await askedElsewhere();
    const document = await uploaded(shop);
    const { contents, answers } = shop.tools;
    const mark = contents.markWaiting.bind(contents);
    contents.markWaiting = async (...args) => {
      await answers.giveBack(ref, 'other', true);
      return mark(...args);
    };

    expect(await run(document)).toEqual({ next: 'done' });

    expect(messages()).toBe(1);
    expect(await record(document)).toMatchObject({
      status: 'ready',
      usage: { ...paid, calls: 2, costUnknownCalls: 1 },
    });
  });

  test('asks itself once the lease of the worker before has run out', async () => {
    await askedElsewhere();
    const document = await uploaded(shop);
    shop.clock.now += leaseMs;
    await run(document);
    expect(messages()).toBe(0);

    shop.clock.now += 1;
    await run(document);

    expect(messages()).toBe(1);
    expect((await shop.costs()).map(({ outcome }) => outcome).toSorted()).toEqual([
      'answered',
      'unknown',
    ]);
  });

  test('no longer waits for another once it asks itself', async () => {
    await askedElsewhere();
    const document = await uploaded(shop);
    await run(document);
    shop.clock.now += leaseMs + 1;
    shop.remote.replies = [readError(529, {}, '{}', 0)];

    expect(await run(document)).toMatchObject({ next: 'defer' });

    expect(await record(document)).not.toHaveProperty('waiting');
  });

  test('that is replaced meanwhile does not wait', async () => {
    await askedElsewhere();
    const document = await uploaded(shop);
    const { documents, contents } = shop.tools;
    const move = documents.move.bind(documents);
    documents.move = (async (...args: Parameters<typeof move>) => {
      documents.move = move;
      await documents.receive(changed('02'), 'default');
      return move(...args);
    }) as typeof move;
    contents.markWaiting = () => Promise.reject(new Error('a mark'));

    expect(await run(document)).toEqual({ next: 'done' });

    expect(await answer()).toMatchObject({ awaited: false });
  });

  test('whose reference is gone does not have others woken', async () => {
    await askedElsewhere();
    const document = await uploaded(shop);
    await shop.tools.contents.leave(contentSha256, document.documentId, document.order);

    expect(await run(document)).toEqual({ next: 'done' });

    expect(await answer()).toMatchObject({ awaited: false });
  });
});

describe('while the lane is stopped', () => {
  test('what is answered is copied', async () => {
    await run(await uploaded(shop, 'a.txt'));
    const document = await uploaded(shop, 'b.txt');
    await closeLane();

    expect(await run(document)).toEqual({ next: 'done' });

    expect(await record(document)).toMatchObject({ status: 'ready' });
  });

  test('what is being asked is waited for', async () => {
    await askedElsewhere();
    const document = await uploaded(shop);
    await closeLane();

    await run(document);

    expect(await record(document)).toMatchObject({ waiting: { reason: 'answer' } });
  });

  test.each([
    ['was never asked', async () => {}],
    [
      'lost its worker',
      async () => {
        await askedElsewhere();
        shop.clock.now += leaseMs + 1;
      },
    ],
  ])('a document is held whose question %s, and nothing is claimed', async (_, prepare) => {
    await prepare();
    const document = await uploaded(shop);
    await closeLane();
    const before = await answer();

    expect(await run(document)).toEqual({ next: 'done' });

    expect(await record(document)).toMatchObject({
      status: 'held',
      heldFrom: 'uploaded',
      error: { code: 'claude.billing' },
    });
    expect(await answer()).toEqual(before);
    expect(messages()).toBe(0);
  });
});
