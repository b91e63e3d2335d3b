import { describe, expect, test } from 'vitest';
import type { DocumentItem } from '../../shared/ledger/document-item.ts';
import { mayReusePast, releasePast, releasePastEarly } from '../../shared/steps/release-past.ts';
import { changed, impliedBy } from '../ledger/support.ts';
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
