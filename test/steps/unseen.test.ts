import { beforeEach, describe, expect, test } from 'vitest';
import { defaultProfile } from '../../shared/config/config.ts';
import { StopLane } from '../../shared/journey/errors.ts';
import type { DocumentIn, DocumentItem } from '../../shared/ledger/document-item.ts';
import { summarize } from '../../shared/steps/summarize.ts';
import { upload } from '../../shared/steps/upload.ts';
import { questionOf } from '../../shared/summary/prompt.ts';
import { changed } from '../ledger/support.ts';
import { sha256Of } from '../world/digest.ts';
import {
  contentSha256,
  type Shop,
  summarizeMessage,
  throttle,
  uploaded,
  workshop,
} from './support.ts';

/** A new content and a new question are claimed without looking first; what is there already shows by the refusal. */

const leaseMs = 60_000;
const question = questionOf(
  { block: 'document', key: 'a.txt' },
  defaultProfile('claude-haiku-5-5'),
);
const ref = { contentId: contentSha256, question };
const askedBy = { documentId: 'other', order: '1', model: 'm', profile: 'default', prefix: '' };

let shop: Shop;
/** The kinds of items read so far. */
let reads: string[];
beforeEach(async () => {
  shop = await workshop();
  shop.buckets.put('inbox', 'a.txt', Buffer.from(text));
  reads = [];
  const { get } = shop.table;
  shop.table.get = async (key) => {
    reads.push(key.sk.split('#')[0] ?? '');
    return get.call(shop.table, key);
  };
});

const stop = (code: string, step?: 'summarize') =>
  shop.tools.circuits.open(new StopLane({ code, message: 'stopped' }), 600_000, undefined, step);
const record = ({ documentId }: DocumentItem) => shop.tools.documents.get(documentId);

describe('a question', () => {
  const run = (document: DocumentIn<'uploaded'>) =>
    summarize(summarizeMessage(document), shop.tools);
  const paid = () => shop.remote.calls.filter((call) => call === 'message').length;
  const ask = async (owner = 'other') => {
    const claimed = await shop.tools.answers.claim(ref, askedBy, owner, leaseMs);
    return claimed ?? expect.unreachable('it was free');
  };

  test('that is new is asked without reading the answer', async () => {
    const document = await uploaded(shop);
    reads = [];

    await run(document);

    expect(reads.filter((kind) => kind === 'ANSWER')).toEqual([]);
    expect(await record(document)).toMatchObject({ status: 'ready' });
    expect(paid()).toBe(1);
  });

  test('that has its answer is not asked again', async () => {
    await run(await uploaded(shop, 'a.txt'));
    const second = await uploaded(shop, 'b.txt');

    await run(second);

    expect(await record(second)).toMatchObject({ status: 'ready', usage: { calls: 0 } });
    expect(paid()).toBe(1);
    expect(await shop.costs()).toHaveLength(1);
  });

  test('whose content was shared is looked for first, and asked when there is no answer', async () => {
    const document = await uploaded(shop);
    let puts = 0;
    const { put } = shop.table;
    shop.table.put = async (item, condition) => {
      if (`${item.sk}`.startsWith('ANSWER#')) puts += 1;
      return put.call(shop.table, item, condition);
    };

    await summarize({ ...summarizeMessage(document), shared: true }, shop.tools);
    expect(paid()).toBe(1);
    const second = await uploaded(shop, 'b.txt');
    await summarize({ ...summarizeMessage(second), shared: true }, shop.tools);

    expect(await record(second)).toMatchObject({ status: 'ready', usage: { calls: 0 } });
    expect(paid()).toBe(1);
    expect(puts).toBe(1);
  });

  test('that another worker is asking is waited for', async () => {
    await ask();
    const document = await uploaded(shop);

    await run(document);

    expect(await record(document)).toMatchObject({
      status: 'uploaded',
      waiting: { reason: 'answer' },
    });
    expect(await shop.tools.answers.get(ref)).toMatchObject({
      owner: 'other',
      awaited: true,
      calls: 1,
    });
    expect(paid()).toBe(0);
  });

  test('whose worker died is taken over once its lease is over, and both calls are counted', async () => {
    const dead = await uploaded(shop);
    shop.remote.duringMessage = () => Promise.reject(new Error('the process is gone'));
    shop.tools.answers.giveBack = () => Promise.reject(new Error('the process is gone'));
    await run(dead).catch(() => {});
    shop.tools.answers.giveBack = Object.getPrototypeOf(shop.tools.answers).giveBack;
    shop.remote.duringMessage = async () => {};
    shop.clock.now += leaseMs + 1;

    await run(dead);

    expect(await shop.tools.answers.get(ref)).toMatchObject({ state: 'answered', calls: 2 });
    expect(await record(dead)).toMatchObject({
      status: 'ready',
      usage: { calls: 2, costUnknownCalls: 1 },
    });
  });

  test('whose claim was not acknowledged is asked once, though a document waits since', async () => {
    const document = await uploaded(shop);
    const { put } = shop.table;
    shop.table.put = async (item, condition) => {
      if (!`${item.sk}`.startsWith('ANSWER#')) return put.call(shop.table, item, condition);
      shop.server.loseAcknowledgement(() => shop.tools.answers.awaitAnswer(ref));
      return put.call(shop.table, item, condition);
    };

    await run(document);

    expect(paid()).toBe(1);
    expect(await record(document)).toMatchObject({ status: 'ready', usage: { calls: 1 } });
    expect(shop.sent).toEqual([{ step: 'wake', ...ref }]);
  });

  test.each(['claude.billing', 'summarize.model_not_found'])(
    'is looked for first while its lane is stopped by %s: an answer that is there is used',
    async (code) => {
      await run(await uploaded(shop, 'a.txt'));
      await stop(code, 'summarize');
      const second = await uploaded(shop, 'b.txt');

      await run(second);

      expect(await record(second)).toMatchObject({ status: 'ready' });
    },
  );

  test('is not claimed while its lane is stopped', async () => {
    await stop('claude.billing');
    const document = await uploaded(shop);

    await run(document);

    expect(await shop.tools.answers.get(ref)).toBeUndefined();
    expect(await record(document)).toMatchObject({ status: 'held' });
  });

  test('whose claim is throttled is asked later, and not counted', async () => {
    const document = await uploaded(shop);
    const refused = throttle(shop, 'ANSWER#', 1);

    await run(document);
    expect(refused.refused()).toBe(1);
    expect(paid()).toBe(0);
    await run((await record(document)) as DocumentIn<'uploaded'>);

    expect(paid()).toBe(1);
    expect(await record(document)).toMatchObject({ status: 'ready', usage: { calls: 1 } });
  });
});

const text = 'Sales rose.';

describe('a content', () => {
  const sha256 = sha256Of(text);
  const facts = {
    contentSha256: sha256,
    sizeBytes: text.length,
    filename: 'a.txt',
    mimeType: 'text/plain',
  };
  const made = {
    contentSha256: sha256,
    mimeType: 'text/plain',
    block: 'document',
    source: { bucket: 'inbox', key: 'a.txt', sizeBytes: text.length, filename: 'a.txt' },
  } as const;
  const normalized = async (key = 'a.txt'): Promise<DocumentItem> => {
    const { document } = await shop.tools.documents.receive(changed('01', { key }), 'default');
    const moved = await shop.tools.documents.move(document, 'normalized', made);
    return moved ?? expect.unreachable('it moved');
  };
  const run = ({ documentId, order }: DocumentItem) =>
    upload({ step: 'upload', documentId, order, contentSha256: sha256 }, shop.tools);
  const live = async () => {
    await shop.tools.contents.claim(facts, undefined, 'first', leaseMs);
    const { id } = shop.remote.add('a.txt', text.length);
    await shop.tools.contents.setLive(sha256, 'first', { fileId: id });
    return id;
  };

  test('that is new is uploaded without reading it', async () => {
    const document = await normalized();
    reads = [];

    await run(document);

    expect(reads.filter((kind) => kind === 'CONTENT')).toEqual([]);
    expect(await record(document)).toMatchObject({ status: 'uploaded', fileId: 'file_1' });
    expect(shop.remote.calls).toEqual(['upload']);
    expect(shop.sent[0]).not.toHaveProperty('shared');
  });

  test('that has its file is not uploaded again', async () => {
    const fileId = await live();
    const document = await normalized();

    await run(document);

    expect(await record(document)).toMatchObject({ status: 'uploaded', fileId });
    expect(shop.remote.calls).toEqual([]);
    expect(await shop.tools.contents.get(sha256)).toMatchObject({ state: 'live', claims: 1 });
    expect(shop.sent).toMatchObject([{ step: 'summarize', shared: true }]);
  });

  test('that another worker uploads is waited for', async () => {
    await shop.tools.contents.claim(facts, undefined, 'other', leaseMs);
    const document = await normalized();

    expect(await run(document)).toEqual({ next: 'defer', delayMs: 5_000 });

    expect(shop.remote.calls).toEqual([]);
    expect(await shop.tools.contents.get(sha256)).toMatchObject({ owner: 'other' });
  });

  test('whose uploader died is taken over, after a look for its file', async () => {
    await shop.tools.contents.claim(facts, undefined, 'dead', leaseMs);
    shop.clock.now += leaseMs + 1;

    await run(await normalized());

    expect(shop.remote.calls).toEqual(['list', 'upload']);
    expect(await shop.tools.contents.get(sha256)).toMatchObject({ state: 'live', claims: 2 });
  });

  test('whose claim was not acknowledged is uploaded once', async () => {
    const document = await normalized();
    const { claim } = shop.tools.contents;
    shop.tools.contents.claim = async (...given) => {
      shop.server.loseAcknowledgement();
      return claim.apply(shop.tools.contents, given);
    };

    await run(document);

    expect(shop.remote.calls).toEqual(['upload']);
    expect(await shop.tools.contents.get(sha256)).toMatchObject({ state: 'live', claims: 1 });
  });

  test('is looked at first on a second attempt', async () => {
    const document = await normalized();
    shop.remote.uploadFails = { error: new Error('reset') };
    await run(document);
    shop.remote.uploadFails = undefined;
    reads = [];

    await run(document);

    expect(reads.filter((kind) => kind === 'CONTENT')).toEqual(['CONTENT']);
    expect(await record(document)).toMatchObject({ status: 'uploaded' });
  });

  test.each(['claude.billing', 'claude.storage_full'])(
    'that has its file is used while its lane is stopped by %s',
    async (code) => {
      const fileId = await live();
      await stop(code);
      const document = await normalized();

      await run(document);

      expect(await record(document)).toMatchObject({ status: 'uploaded', fileId });
    },
  );

  test('is not claimed while its lane is stopped', async () => {
    await stop('claude.billing');
    const document = await normalized();

    await run(document);

    expect(await shop.tools.contents.get(sha256)).toBeUndefined();
    expect(await record(document)).toMatchObject({ status: 'held' });
  });
});
