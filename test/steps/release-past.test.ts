import { describe, expect, test } from 'vitest';
import { newContentId } from '../../shared/ledger/content-id.ts';
import type { DocumentItem } from '../../shared/ledger/document-item.ts';
import { mayReusePast, releasePast, releasePastEarly } from '../../shared/steps/release-past.ts';
import { changed, error, impliedBy } from '../ledger/support.ts';
import { workshop } from './support.ts';

const contentSha256 = 'c'.repeat(64);

/** A version of a document that replaced one with the given changes; one without content is only received. */
async function replaced(changes: { contentSha256?: string; hasParts?: boolean }) {
  const shop = await workshop();
  const { documents } = shop.tools;
  const { document: first } = await documents.receive(changed('01'), 'default');
  if (changes.contentSha256) {
    await documents.move(first, 'normalized', { ...impliedBy.normalized, ...changes });
  } else await documents.move(first, 'received', changes);
  const { document } = await documents.receive(changed('02'), 'default');
  return { ...shop, first, document, record: () => documents.get(document.documentId) };
}

test('sends a release for each content that past versions held, and forgets them', async () => {
  const { document, first, sent, record, tools } = await replaced({ contentSha256 });

  await releasePast(document, tools);

  const { documentId } = document;
  expect(sent).toEqual([{ step: 'release', documentId, order: first.order, contentSha256 }]);
  expect((await record())?.releases).toBeUndefined();
});

test('retires the parts of past versions that have nothing else to release', async () => {
  const { document, first, buckets, sent, record, tools } = await replaced({ hasParts: true });
  const announced: unknown[] = [];
  tools.announce = async (change) => {
    announced.push(change);
  };
  const key = `parts/${document.documentId}/${first.order}/b.txt`;
  buckets.put('staging', key, Buffer.from('b'));

  await releasePast(document, tools);

  expect(announced).toMatchObject([{ kind: 'removed', key: 'a.txt!/b.txt' }]);
  expect(await buckets.head({ bucket: 'staging', key })).toBeUndefined();
  expect(sent).toEqual([]);
  expect((await record())?.retiresParts).toBeUndefined();
});

test('writes nothing for a version with nothing to release', async () => {
  const { document, sent, table, tools } = await replaced({});
  table.update = () => Promise.reject(new Error('a write'));

  await releasePast(document, tools);

  expect(sent).toEqual([]);
});

describe('a removed document', () => {
  const mimeType = 'text/plain';
  const order = (sequencer: string) => sequencer.padEnd(64, '0');

  /** A document that was overwritten once, has two contents, and is removed; nothing is sent yet. */
  async function removed() {
    const shop = await workshop({ keepPastMs: 86_400_000 });
    const { documents } = shop.tools;
    for (const [n, sha] of ['a', 'b'].entries()) {
      const { document } = await documents.receive(changed(`0${n + 1}`), 'default');
      const content = { contentSha256: sha.repeat(64), mimeType };
      const moved = await documents.move(document, 'normalized', {
        ...impliedBy.normalized,
        ...content,
      });
      await documents.clearReleases(moved ?? document);
    }
    const { document } = await documents.receive(changed('03', { kind: 'removed' }), 'default');
    const past = async () => {
      const orders: string[] = [];
      for await (const each of documents.past(document.documentId)) orders.push(each.order);
      return orders;
    };
    return { ...shop, document, past };
  }

  test('purges the contents of all its versions, also those whose release was sent before', async () => {
    const { document, past, sent, tools } = await removed();
    const { documentId } = document;
    expect(await past()).toEqual([order('01')]);

    await releasePast(document, tools);

    const about = { step: 'release', documentId, purge: true };
    expect(sent).toEqual([
      { ...about, order: order('02'), contentSha256: 'b'.repeat(64) },
      { ...about, order: order('01'), contentSha256: 'a'.repeat(64) },
    ]);
    expect(await past()).toEqual([]);
    expect(await tools.documents.get(documentId)).not.toHaveProperty('purgesBefore');
  });

  test('keeps that it has to purge until all is sent', async () => {
    const { document, past, tools } = await removed();
    let sends = 0;
    tools.send = async () => {
      sends += 1;
      if (sends === 2) throw new Error('no queue');
    };

    await expect(releasePast(document, tools)).rejects.toThrow('no queue');

    expect(await tools.documents.get(document.documentId)).toHaveProperty('purgesBefore');
    expect(await past()).toEqual([order('01')]);
  });

  test('releases a content by its id, and nothing for a version that never had one', async () => {
    const shop = await workshop();
    const { documents } = shop.tools;
    const { document: first } = await documents.receive(changed('01'), 'default');
    const contentId = newContentId(contentSha256, 'text/csv');
    const dataset = { contentSha256, contentId, mimeType: 'text/csv' };
    await documents.move(first, 'normalized', { ...impliedBy.normalized, ...dataset });
    await documents.receive(changed('02'), 'default');
    const { document } = await documents.receive(changed('03', { kind: 'removed' }), 'default');

    await releasePast(document, shop.tools);

    const release = {
      step: 'release',
      documentId: document.documentId,
      order: first.order,
      contentSha256,
      contentId,
      purge: true,
    };
    expect(shop.sent).toEqual([release, release]);
  });

  test('deletes the bytes staged for its versions, page by page, but not those of a newer one', async () => {
    const { document, buckets, tools } = await removed();
    const prefix = `staged/${document.documentId}`;
    for (const sequencer of ['01', '02', '04']) {
      for (const name of ['a.txt', 'b.txt']) {
        buckets.put('staging', `${prefix}/${order(sequencer)}/${name}`, Buffer.from('x'));
      }
    }
    buckets.put('staging', `${prefix}x/${order('01')}/a.txt`, Buffer.from('x'));
    buckets.pageSize = 3;

    await releasePast(document, tools);

    buckets.pageSize = 100;
    const { objects } = await buckets.list('staging');
    expect(objects.map(({ key }) => key)).toEqual([
      `${prefix}/${order('04')}/a.txt`,
      `${prefix}/${order('04')}/b.txt`,
      `${prefix}x/${order('01')}/a.txt`,
    ]);
  });

  test('whose key comes back before that keeps nothing of what was before the removal', async () => {
    const { past, sent, tools } = await removed();
    const { document } = await tools.documents.receive(changed('04'), 'default');
    const ended = await tools.documents.setAside(document, 'failed', error);

    await releasePast(ended ?? document, tools);

    expect(await past()).not.toContain(order('01'));
    const purged = sent.filter((message) => message.step === 'release' && message.purge);
    expect(purged).toMatchObject([{ order: order('02') }, { order: order('01') }]);
  });

  test('whose worker is late leaves versions alone that came after the removal', async () => {
    const { document, past, sent, tools } = await removed();
    for (const sequencer of ['04', '05']) {
      const { document: newer } = await tools.documents.receive(changed(sequencer), 'default');
      const content = { contentSha256: 'd'.repeat(64), mimeType };
      await tools.documents.move(newer, 'normalized', { ...impliedBy.normalized, ...content });
    }

    await releasePast(document, tools);

    expect(sent.map((message) => 'order' in message && message.order)).not.toContain(order('04'));
    expect(await past()).toContain(order('04'));
  });
});

describe('of many past versions', () => {
  /** A version with `count` releases to send; every tenth past version had a file. */
  async function withReleases(count: number) {
    const shop = await replaced({});
    const { documents } = shop.tools;
    const releases = Array.from({ length: count }, (_, n) => ({
      contentSha256,
      order: String(n),
      ...(n % 10 === 0 ? { hadFile: true } : {}),
    }));
    const document = await documents.move(shop.document, 'received', { releases });
    return { ...shop, releases, document: document ?? expect.unreachable('it moved') };
  }

  test('those without a file are released early, and those with one are kept', async () => {
    const { document, releases, record, sent, tools } = await withReleases(51);

    await releasePastEarly(document, tools);

    const { documentId } = document;
    const early = releases.filter(({ hadFile }) => !hadFile);
    expect(sent).toEqual(
      early.map(({ order }) => ({ step: 'release', documentId, order, contentSha256 })),
    );
    expect((await record())?.releases).toEqual(releases.filter(({ hadFile }) => hadFile));
  });

  test('none is released early while they are few', async () => {
    const { document, releases, record, sent, tools } = await withReleases(50);

    await releasePastEarly(document, tools);

    expect(sent).toEqual([]);
    expect((await record())?.releases).toEqual(releases);
  });

  test('most documents have none: nothing is written', async () => {
    const { document, sent, table, tools } = await replaced({});
    table.update = () => Promise.reject(new Error('a write'));

    await releasePastEarly(document, tools);

    expect(sent).toEqual([]);
  });
});

describe('a newer version', () => {
  const version = (changes: Partial<DocumentItem>) =>
    ({ releases: [{ order: '1' }, { order: '2' }], ...changes }) as DocumentItem;

  test.each([
    [{ status: 'received' }],
    [{ status: 'normalized' }],
    [{ status: 'held', heldFrom: 'received' }],
    [{ status: 'held', heldFrom: 'normalized' }],
  ] as const)('that is %o may still reuse the past it has to release', (state) => {
    expect(mayReusePast(version(state), { order: '1' })).toBe(true);
    expect(mayReusePast(version(state), { order: '2' })).toBe(true);
    expect(mayReusePast(version(state), { order: '3' })).toBe(false);
  });

  test.each([
    [{ status: 'uploaded' }],
    [{ status: 'ready' }],
    [{ status: 'failed' }],
    [{ status: 'removed' }],
    [{ status: 'held', heldFrom: 'uploaded' }],
  ] as const)('that is %o may not reuse the past: it was released, or is about to be', (state) => {
    expect(mayReusePast(version(state), { order: '1' })).toBe(false);
  });

  test('that has no releases, or does not exist, reuses nothing', () => {
    const { releases: _releases, ...none } = version({ status: 'received' });

    expect(mayReusePast(none as DocumentItem, { order: '1' })).toBe(false);
    expect(mayReusePast(undefined, { order: '1' })).toBe(false);
  });
});
