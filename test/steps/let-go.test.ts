import { describe, expect, test } from 'vitest';
import type { DocumentItem } from '../../shared/ledger/document-item.ts';
import { letGo, letGoOfMany, stillProtects } from '../../shared/steps/let-go.ts';
import { changed } from '../ledger/support.ts';
import { workshop } from './support.ts';

const contentSha256 = 'c'.repeat(64);

/** A version of a document that replaced one with the given changes. */
async function replaced(changes: { contentSha256?: string; hasParts?: boolean }) {
  const shop = await workshop();
  const { documents } = shop.tools;
  const { document: first } = await documents.receive(changed('01'), 'default');
  await documents.move(first, 'normalized', changes);
  const { document } = await documents.receive(changed('02'), 'default');
  return { ...shop, first, document, record: () => documents.get(document.documentId) };
}

test('sends a release for each content that past versions held, and forgets them', async () => {
  const { document, first, sent, record, tools } = await replaced({ contentSha256 });

  await letGo(document, tools);

  const { documentId } = document;
  expect(sent).toEqual([{ step: 'release', documentId, order: first.order, contentSha256 }]);
  expect((await record())?.releases).toBeUndefined();
});

test('retires the parts of past versions where nothing else is to be let go of', async () => {
  const { document, first, buckets, sent, record, tools } = await replaced({ hasParts: true });
  const announced: unknown[] = [];
  tools.announce = async (change) => {
    announced.push(change);
  };
  const key = `parts/${document.documentId}/${first.order}/b.txt`;
  buckets.put('staging', key, Buffer.from('b'));

  await letGo(document, tools);

  expect(announced).toMatchObject([{ kind: 'removed', key: 'a.txt!/b.txt' }]);
  expect(await buckets.head({ bucket: 'staging', key })).toBeUndefined();
  expect(sent).toEqual([]);
  expect((await record())?.retiresParts).toBeUndefined();
});

test('writes nothing for a version with nothing to let go of', async () => {
  const { document, sent, table, tools } = await replaced({});
  table.update = () => Promise.reject(new Error('a write'));

  await letGo(document, tools);

  expect(sent).toEqual([]);
});

describe('of many past versions', () => {
  /** A version with so many to let go of, of which every tenth had a file. */
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

  test('those without a file are let go of early, and those with one kept', async () => {
    const { document, releases, record, sent, tools } = await withReleases(51);

    await letGoOfMany(document, tools);

    const { documentId } = document;
    const early = releases.filter(({ hadFile }) => !hadFile);
    expect(sent).toEqual(
      early.map(({ order }) => ({ step: 'release', documentId, order, contentSha256 })),
    );
    expect((await record())?.releases).toEqual(releases.filter(({ hadFile }) => hadFile));
  });

  test('none is let go of early while they are few', async () => {
    const { document, releases, record, sent, tools } = await withReleases(50);

    await letGoOfMany(document, tools);

    expect(sent).toEqual([]);
    expect((await record())?.releases).toEqual(releases);
  });

  test('none is there in most documents', async () => {
    const { document, sent, table, tools } = await replaced({});
    table.update = () => Promise.reject(new Error('a write'));

    await letGoOfMany(document, tools);

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
  ] as const)('that is %o has yet to let go of the past', (state) => {
    expect(stillProtects(version(state), { order: '1' })).toBe(true);
    expect(stillProtects(version(state), { order: '2' })).toBe(true);
    expect(stillProtects(version(state), { order: '3' })).toBe(false);
  });

  test.each([
    [{ status: 'uploaded' }],
    [{ status: 'ready' }],
    [{ status: 'failed' }],
    [{ status: 'removed' }],
    [{ status: 'held', heldFrom: 'uploaded' }],
    [{ status: 'held' }],
  ] as const)('that is %o has let go, or is about to', (state) => {
    expect(stillProtects(version(state), { order: '1' })).toBe(false);
  });

  test('that has let go of all, or is not there, has nothing to let go of', () => {
    const { releases: _releases, ...none } = version({ status: 'received' });

    expect(stillProtects(none as DocumentItem, { order: '1' })).toBe(false);
    expect(stillProtects(undefined, { order: '1' })).toBe(false);
  });
});
