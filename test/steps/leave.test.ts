import { beforeEach, describe, expect, test } from 'vitest';
import { defaultProfile } from '../../shared/config/config.ts';
import { newContentId } from '../../shared/ledger/content-id.ts';
import type { DocumentIn } from '../../shared/ledger/document-item.ts';
import { summarize, wake } from '../../shared/steps/summarize.ts';
import { questionOf } from '../../shared/summary/prompt.ts';
import { changed, error } from '../ledger/support.ts';
import {
  contentSha256,
  reply,
  type Shop,
  summarizeMessage,
  uploaded,
  workshop,
} from './support.ts';

/** What becomes of versions that are replaced or removed while they are being summarised, and of those that wait. */

const profile = defaultProfile('claude-haiku-5-5');
const ref = {
  contentId: contentSha256,
  question: questionOf({ block: 'document', key: '' }, profile),
};
const leaseMs = 60_000;
const askedBy = { documentId: 'other', order: '1', model: 'm', profile: 'default', prefix: '' };
const wakeAll = { step: 'wake', ...ref } as const;
const wakeOne = { ...wakeAll, one: true };

let shop: Shop;
beforeEach(async () => {
  shop = await workshop();
});

const run = (document: DocumentIn<'uploaded'>) => summarize(summarizeMessage(document), shop.tools);
const record = ({ documentId }: { documentId: string }) => shop.tools.documents.get(documentId);
const releaseOf = ({ documentId, order }: DocumentIn<'uploaded'>, purges = false) => ({
  step: 'release',
  documentId,
  order,
  contentSha256,
  ...(purges ? { purge: true } : {}),
});
const removed = () => shop.tools.documents.receive(changed('02', { kind: 'removed' }), 'default');
/** A newer version that has ended with other content. */
const overwritten = async () => {
  const { document } = await shop.tools.documents.receive(changed('02'), 'default');
  await shop.tools.documents.setAside(document, 'failed', error);
};

describe.each([
  ['removed', removed, true],
  ['overwritten', overwritten, false],
] as const)('a version that was %s', (_, replace, purges) => {
  test.each([
    ['answered', reply()],
    ['refused', reply({ stop_reason: 'refusal' })],
  ])('during the call releases its content once it is %s', async (state, given) => {
    const document = await uploaded(shop);
    shop.remote.replies = [given];
    shop.remote.duringMessage = replace;

    expect(await run(document)).toEqual({ next: 'done' });

    expect(shop.sent).toContainEqual(releaseOf(document, purges));
    // The content is still there: whoever comes back to it has its answer.
    expect(await shop.tools.answers.get(ref)).toMatchObject({ state });
    expect(await shop.costs()).toHaveLength(1);
    expect(await record(document)).not.toMatchObject({ order: document.order });
  });

  test('before its turn makes no call, and releases its content', async () => {
    const document = await uploaded(shop);
    await replace();

    expect(await run(document)).toEqual({ next: 'done' });

    expect(shop.remote.calls).toEqual([]);
    expect(shop.sent).toEqual([releaseOf(document, purges)]);
  });

  test('while it was asking hands the question to one of those that wait', async () => {
    const document = await uploaded(shop);
    await shop.tools.answers.claim(ref, askedBy, 'dead', leaseMs);
    await shop.tools.answers.awaitAnswer(ref);
    await replace();
    shop.clock.now += leaseMs + 1;

    await run(document);

    expect(shop.sent).toEqual([wakeOne, releaseOf(document, purges)]);
  });
});

test('a version whose content a newer one may reuse releases nothing', async () => {
  const document = await uploaded(shop);
  await shop.tools.documents.receive(changed('02'), 'default');

  expect(await run(document)).toEqual({ next: 'done' });

  expect(shop.sent).toEqual([]);
});

test('a version that died asking hands the question on, whatever a newer one may reuse', async () => {
  const document = await uploaded(shop);
  await shop.tools.answers.claim(ref, askedBy, 'dead', leaseMs);
  await shop.tools.answers.awaitAnswer(ref);
  await shop.tools.documents.receive(changed('02'), 'default');
  shop.clock.now += leaseMs + 1;

  await run(document);

  expect(shop.sent).toEqual([wakeOne]);
});

test.each([
  ['is being asked by a live worker', async () => void (await shop.tools.answers.awaitAnswer(ref))],
  [
    'nobody waits for',
    async () => {
      shop.clock.now += leaseMs + 1;
    },
  ],
])('a question that %s is not handed on', async (_, prepare) => {
  const document = await uploaded(shop);
  await shop.tools.answers.claim(ref, askedBy, 'asker', leaseMs);
  await prepare();
  await removed();

  await run(document);

  expect(shop.sent).toEqual([releaseOf(document, true)]);
});

test('a message of 0.1, which names no content, is done', async () => {
  const { documentId, order } = await uploaded(shop);
  await removed();

  const message = { step: 'summarize', documentId, order } as const;
  expect(await summarize(message, shop.tools)).toEqual({ next: 'done' });

  expect(shop.sent).toEqual([]);
});

test('a document that the ledger does not know releases the content', async () => {
  const message = { step: 'summarize', documentId: 'x', order: '1', contentSha256 } as const;

  expect(await summarize(message, shop.tools)).toEqual({ next: 'done' });

  expect(shop.sent).toEqual([{ ...message, step: 'release' }]);
});

test('a version with content of another type releases it by its id', async () => {
  const contentId = newContentId('c'.repeat(64), 'text/csv');
  const document = await uploaded(shop, 'a.txt', { mimeType: 'text/csv', contentId });
  await removed();

  await run(document);

  expect(shop.sent).toEqual([{ ...releaseOf(document, true), contentId }]);
});

describe('an answer that comes after its document was given up', () => {
  test.each(['held', 'failed'] as const)('makes a document that is %s ready', async (status) => {
    const document = await uploaded(shop);
    shop.remote.duringMessage = () => shop.tools.documents.setAside(document, status, error);

    expect(await run(document)).toEqual({ next: 'done' });

    const now = await record(document);
    expect(now).toMatchObject({ status: 'ready', usage: { calls: 1 } });
    expect(now).not.toHaveProperty('error');
    expect(now).not.toHaveProperty('heldFrom');
    expect(shop.sent).toEqual([]);
  });

  test('finds a document that went back to its upload there, and releases nothing', async () => {
    const document = await uploaded(shop);
    const back = { remove: ['fileId' as const] };
    shop.remote.duringMessage = () => shop.tools.documents.move(document, 'normalized', {}, back);

    expect(await run(document)).toEqual({ next: 'done' });

    expect(await record(document)).toMatchObject({ status: 'normalized' });
    expect(shop.sent).toEqual([]);
    expect(await shop.tools.answers.get(ref)).toMatchObject({ state: 'answered' });
  });
});

test('a version that is ready releases what past versions held', async () => {
  const first = await uploaded(shop);
  const second = await uploaded(shop, 'a.txt', { sequencer: '02', contentSha256: 'd'.repeat(64) });

  await run(second);

  expect(shop.sent).toEqual([releaseOf(first)]);
  shop.sent.length = 0;
  await shop.tools.documents.get(second.documentId);
  await run(second);
  expect(shop.sent).toEqual([]);
});

describe('wake', () => {
  /** Documents with this content that wait for the answer. */
  async function waiting(keys: string[]): Promise<DocumentIn<'uploaded'>[]> {
    await shop.tools.answers.claim(ref, askedBy, 'asker', leaseMs);
    const documents: DocumentIn<'uploaded'>[] = [];
    for (const key of keys) documents.push(await uploaded(shop, key));
    for (const document of documents) await run(document);
    return documents;
  }
  const inOrder = (documents: DocumentIn<'uploaded'>[]) =>
    documents.map(summarizeMessage).toSorted((a, b) => (a.documentId < b.documentId ? -1 : 1));

  test('sends every document that waits for this answer, and no other', async () => {
    const documents = await waiting(['a.txt', 'b.txt', 'c.txt']);
    await uploaded(shop, 'd.txt');
    const other = await uploaded(shop, 'e.txt');
    await shop.tools.contents.markWaiting(contentSha256, other, 'another question');

    expect(await wake(wakeAll, shop.tools)).toEqual({ next: 'done' });

    expect(shop.sent).toEqual(inOrder(documents));
  });

  test('sends one where one is to ask', async () => {
    const documents = await waiting(['a.txt', 'b.txt']);

    await wake(wakeOne, shop.tools);

    expect(shop.sent).toEqual(inOrder(documents).slice(0, 1));
  });

  test('continues page by page, by messages to itself', async () => {
    await waiting(['a.txt']);
    for (let n = 0; n < 230; n += 1) {
      const version = { documentId: `z${String(n).padStart(3, '0')}`, order: '1' };
      await shop.tools.contents.join(contentSha256, version.documentId, version.order);
      await shop.tools.contents.markWaiting(contentSha256, version, ref.question);
    }

    const woken: string[] = [];
    const pages: number[] = [];
    let next: Parameters<typeof wake>[0] | undefined = wakeAll;
    while (next) {
      shop.sent.length = 0;
      await wake(next, shop.tools);
      const sent = shop.sent.filter((message) => message.step === 'summarize');
      woken.push(...sent.map(({ documentId }) => documentId));
      pages.push(sent.length);
      next = shop.sent.find((message) => message.step === 'wake');
    }

    expect(pages).toEqual([100, 100, 31]);
    expect(new Set(woken).size).toBe(231);
  });

  test('looks for one to ask on the next page where the first has none', async () => {
    for (let n = 0; n < 150; n += 1) {
      await shop.tools.contents.join(contentSha256, `d${String(n).padStart(3, '0')}`, '1');
    }
    const last = { documentId: 'd149', order: '1' };
    await shop.tools.contents.markWaiting(contentSha256, last, ref.question);

    await wake(wakeOne, shop.tools);
    const [next] = shop.sent;
    expect(next).toMatchObject({ ...wakeOne, cursor: expect.anything() });
    shop.sent.length = 0;
    await wake(next as Parameters<typeof wake>[0], shop.tools);

    expect(shop.sent).toEqual([{ step: 'summarize', ...last, contentSha256 }]);
  });

  test('does not continue once one was found', async () => {
    for (let n = 0; n < 150; n += 1) {
      const version = { documentId: `d${String(n).padStart(3, '0')}`, order: '1' };
      await shop.tools.contents.join(contentSha256, version.documentId, version.order);
      await shop.tools.contents.markWaiting(contentSha256, version, ref.question);
    }

    await wake(wakeOne, shop.tools);

    expect(shop.sent).toEqual([
      { step: 'summarize', documentId: 'd000', order: '1', contentSha256 },
    ]);
  });

  test('of content that nobody refers to sends nothing', async () => {
    expect(await wake(wakeAll, shop.tools)).toEqual({ next: 'done' });

    expect(shop.sent).toEqual([]);
  });

  test('that is delivered twice costs nothing: the second finds the answer', async () => {
    const [document] = await waiting(['a.txt']);
    shop.clock.now += leaseMs + 1;
    await wake(wakeAll, shop.tools);
    await wake(wakeAll, shop.tools);

    for (const message of [...shop.sent]) {
      if (message.step === 'summarize') await summarize(message, shop.tools);
    }

    expect(shop.remote.calls).toEqual(['message']);
    expect(await record(document ?? expect.unreachable('one waits'))).toMatchObject({
      status: 'ready',
    });
  });
});
