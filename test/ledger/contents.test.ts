import { beforeEach, describe, expect, test } from 'vitest';
import { newContentId } from '../../shared/ledger/content-id.ts';
import {
  type ContentItem,
  Contents,
  contentIdOfItem,
  mayHaveStray,
} from '../../shared/ledger/contents.ts';
import { contentKey, indexes, referenceKey, shardOf } from '../../shared/ledger/keys.ts';
import type { QueryInput, Table } from '../../shared/ledger/table.ts';
import { emptyLedger } from './support.ts';

let table: Table;
let clock: { now: number };
let contents: Contents;

const sha = 'a'.repeat(64);
const facts = { contentSha256: sha, sizeBytes: 3, filename: 'a.txt', mimeType: 'text/plain' };
/** The facts as the item has them. */
const kept = { pk: contentKey(sha).pk, ...facts };
const file = { fileId: 'f1' };
const keptUntil = '2026-11-29T12:00:00.000Z';
/** What puts a content into the index of what is kept for a while. */
const indexed = { stateShard: `past#${shardOf(sha)}`, stateAt: keptUntil };

beforeEach(async () => {
  ({ table, clock } = await emptyLedger());
  contents = new Contents(table, () => clock.now);
});

const present = async (): Promise<ContentItem> => {
  const content = await contents.get(sha);
  if (!content) throw new Error('no content');
  return content;
};
const claimed = async (owner = 'me'): Promise<ContentItem> => {
  const content = await contents.claim(facts, await contents.get(sha), owner, 1_000);
  if (!content) throw new Error('not claimed');
  return content;
};
const live = async (fileId = 'f1'): Promise<ContentItem> => {
  await claimed();
  await contents.setLive(sha, 'me', { fileId });
  return present();
};
const deleting = async (owner = 'deleter'): Promise<ContentItem> => {
  const taken = await contents.beginDelete(await present(), owner, 5_000);
  if (!taken) throw new Error('not taken');
  return taken;
};

describe('references', () => {
  test('belong to one version of one document each', async () => {
    await contents.join(sha, 'd1', '01');
    await contents.join(sha, 'd1', '02');
    await contents.join(sha, 'd2', '01');
    await contents.join(sha, 'd2', '01');

    await contents.leave(sha, 'd1', '01');

    const { references, cursor } = await contents.references(sha);
    expect(references).toEqual([
      { documentId: 'd1', order: '02', waitsFor: undefined },
      { documentId: 'd2', order: '01', waitsFor: undefined },
    ]);
    expect(cursor).toBeUndefined();
    expect(await table.get(referenceKey(sha, 'd2', '01'))).toMatchObject({ documentId: 'd2' });
  });

  test('are returned one page at a time', async () => {
    for (const order of ['01', '02', '03']) await contents.join(sha, 'd', order);

    const one = await contents.references(sha, { limit: 2 });
    const two = await contents.references(sha, { limit: 2, cursor: one.cursor });

    expect(one.references.map(({ order }) => order)).toEqual(['01', '02']);
    expect(two.references.map(({ order }) => order)).toEqual(['03']);
  });

  test('are neither those of other content nor the content item itself', async () => {
    await claimed();
    await contents.join('b'.repeat(64), 'd', '01');

    expect(await contents.isReferenced(sha)).toBe(false);

    await contents.join(sha, 'd', '01');
    expect(await contents.isReferenced(sha)).toBe(true);

    await contents.leave(sha, 'd', '01');
    await contents.leave(sha, 'd', '01');
    expect(await contents.isReferenced(sha)).toBe(false);
  });
});

describe('claim', () => {
  test('creates the content item for the first worker', async () => {
    const content = await contents.claim(facts, undefined, 'me', 1_000);

    expect(content).toEqual({
      ...kept,
      state: 'uploading',
      owner: 'me',
      leaseUntil: clock.now + 1_000,
      revision: clock.now,
      claims: 1,
    });
    expect(await present()).toEqual(content);
  });

  test('goes to one of two workers that saw the same', async () => {
    await expect(contents.claim(facts, undefined, 'me', 1_000)).resolves.toBeDefined();
    await expect(contents.claim(facts, undefined, 'you', 1_000)).resolves.toBeUndefined();

    const seen = await present();
    await expect(contents.claim(facts, seen, 'you', 1_000)).resolves.toMatchObject({
      owner: 'you',
      claims: 2,
    });
    await expect(contents.claim(facts, seen, 'him', 1_000)).resolves.toBeUndefined();
  });

  test('fails after a renewal in between', async () => {
    const seen = await claimed();
    await contents.renew(sha, 'me', 9_000);

    await expect(contents.claim(facts, seen, 'you', 1_000)).resolves.toBeUndefined();
  });

  test('drops the file that was live', async () => {
    await claimed();
    await contents.setLive(sha, 'me', { ...file, expiresAt: '2026-11-23T12:00:00Z' });

    const content = await claimed();

    expect(content).not.toHaveProperty('fileId');
    expect(content).not.toHaveProperty('expiresAt');
    expect(content).not.toHaveProperty('doomedFileId');
  });

  test('of content that is being deleted takes over its file as doomed, until another is live', async () => {
    await live('old');
    await deleting();

    const first = await claimed('newcomer');
    expect(first).toMatchObject({ state: 'uploading', doomedFileId: 'old' });
    expect(first).not.toHaveProperty('fileId');

    const second = await claimed('next');
    expect(second.doomedFileId).toBe('old');

    // A deleter in between did not get to the old file, which still exists.
    await deleting();
    expect((await claimed('next')).doomedFileId).toBe('old');

    await contents.setLive(sha, 'next', { fileId: 'new' });
    expect(await present()).not.toHaveProperty('doomedFileId');
  });
});

test('content that was deleted and claimed again is not mistaken for what it was before', async () => {
  const seen = await claimed();
  await contents.forget(await deleting());
  clock.now += 1;
  await claimed('newcomer');

  await expect(contents.claim(facts, seen, 'late', 1_000)).resolves.toBeUndefined();
  await expect(contents.beginDelete(seen, 'late', 1_000)).resolves.toBeUndefined();
  expect(await present()).toMatchObject({ owner: 'newcomer', state: 'uploading', claims: 1 });
});

describe('renew', () => {
  test('prolongs the claim of its owner from now', async () => {
    await claimed();
    clock.now += 500;

    await expect(contents.renew(sha, 'me', 1_000)).resolves.toBe(true);

    expect(await present()).toMatchObject({
      leaseUntil: clock.now + 1_000,
      revision: clock.now - 500 + 1,
    });
  });

  test('is refused to a worker that lost the claim', async () => {
    await claimed();
    await claimed('you');

    await expect(contents.renew(sha, 'me', 1_000)).resolves.toBe(false);
    await expect(contents.renew('b'.repeat(64), 'me', 1_000)).resolves.toBe(false);
  });
});

describe('setLive', () => {
  test('writes the file and ends the claim', async () => {
    await claimed();

    const expiresAt = '2026-12-22T12:00:00Z';
    await expect(contents.setLive(sha, 'me', { fileId: 'f1', expiresAt })).resolves.toBe(true);

    expect(await present()).toEqual({
      ...kept,
      state: 'live',
      fileId: 'f1',
      expiresAt,
      revision: clock.now + 1,
      claims: 1,
    });
  });

  test('is refused to all but the owner of the claim', async () => {
    await claimed();
    await claimed('you');

    await expect(contents.setLive(sha, 'me', file)).resolves.toBe(false);

    await contents.setLive(sha, 'you', { fileId: 'theirs' });
    await expect(contents.setLive(sha, 'you', file)).resolves.toBe(false);
    expect(await present()).toMatchObject({ fileId: 'theirs' });
  });
});

describe('abandon', () => {
  test('leaves the content in upload when a file may have been made', async () => {
    await claimed();

    await expect(contents.abandon(sha, 'me', true)).resolves.toBe(true);

    const content = await present();
    expect(content).toMatchObject({ state: 'uploading', leaseUntil: 0, revision: clock.now + 1 });
    expect(content).not.toHaveProperty('owner');
    expect(mayHaveStray(content)).toBe(true);
  });

  test('frees the content when certainly no file was made', async () => {
    await claimed();

    await expect(contents.abandon(sha, 'me', false)).resolves.toBe(true);

    const content = await present();
    expect(content).toEqual({ ...kept, state: 'free', revision: clock.now + 1, claims: 1 });
    expect(mayHaveStray(content)).toBe(false);
  });

  test('is refused after the claim was lost', async () => {
    await claimed();
    await claimed('you');

    await expect(contents.abandon(sha, 'me', false)).resolves.toBe(false);
    expect(await present()).toMatchObject({ owner: 'you', state: 'uploading' });
  });
});

describe('evict', () => {
  test('drops a file that is gone', async () => {
    await claimed();
    await contents.setLive(sha, 'me', { ...file, expiresAt: '2026-11-23T12:00:00Z' });

    await expect(contents.evict(sha, 'f1')).resolves.toBe(true);

    const content = await present();
    expect(content).toEqual({ ...kept, state: 'free', revision: clock.now + 2, claims: 1 });
  });

  test.each([
    ['another file', live, 'f0'],
    ['content that is being uploaded', claimed, 'f1'],
    [
      'content that is being deleted',
      async () => {
        await live();
        await deleting();
      },
      'f1',
    ],
  ])('leaves %s alone', async (_what, prepare, fileId) => {
    await prepare();
    const before = await present();

    await expect(contents.evict(sha, fileId)).resolves.toBe(false);
    expect(await present()).toEqual(before);
  });
});

describe('deletion', () => {
  test('is started by one of two workers that saw the same, under a lease', async () => {
    const seen = await live();

    const taken = await contents.beginDelete(seen, 'deleter', 5_000);

    expect(taken).toEqual({
      ...seen,
      state: 'deleting',
      owner: 'deleter',
      leaseUntil: clock.now + 5_000,
      revision: seen.revision + 1,
    });
    await expect(contents.beginDelete(seen, 'other', 5_000)).resolves.toBeUndefined();
  });

  test('ends with the content item removed', async () => {
    await live();
    const taken = await deleting();

    await expect(contents.forget(taken)).resolves.toBe(true);
    expect(await contents.get(sha)).toBeUndefined();
  });

  test('ends with the content live again when a version refers to it', async () => {
    const seen = await live();
    const taken = await deleting();

    await expect(contents.revive(taken, false)).resolves.toBe(true);
    expect(await present()).toEqual({ ...seen, revision: seen.revision + 2 });
  });

  test('ends with the content free and its file doomed when that file may already be deleted', async () => {
    await claimed();
    const expiresAt = '2027-01-01T00:00:00.000Z';
    await contents.setLive(sha, 'me', { fileId: 'f1', expiresAt });
    const { fileId: _file, expiresAt: _expiry, ...seen } = await present();
    const taken = await deleting();

    await expect(contents.revive(taken, true)).resolves.toBe(true);
    const { revision } = seen;
    expect(await present()).toEqual({
      ...seen,
      state: 'free',
      doomedFileId: 'f1',
      revision: revision + 2,
    });
  });

  test('of content without a file leaves it as its dead uploader did', async () => {
    await claimed();
    const taken = await deleting();

    await expect(contents.revive(taken, false)).resolves.toBe(true);

    const content = await present();
    expect(content).toEqual({ ...kept, state: 'uploading', revision: clock.now + 2, claims: 1 });
    expect(mayHaveStray(content)).toBe(true);
  });

  test('that failed lets the next one start at once', async () => {
    await live();
    const taken = await deleting();

    await expect(contents.forgetDeleter(taken)).resolves.toBe(true);
    expect(await present()).toMatchObject({ state: 'deleting', leaseUntil: 0, fileId: 'f1' });
  });

  test('is lost to a newcomer, whatever the deleter does next', async () => {
    await live();
    const taken = await deleting();
    await claimed('newcomer');
    const before = await present();

    await expect(contents.forget(taken)).resolves.toBe(false);
    await expect(contents.revive(taken, false)).resolves.toBe(false);
    await expect(contents.forgetDeleter(taken)).resolves.toBe(false);
    expect(await present()).toEqual(before);
  });

  test('is not started when a newcomer claimed the content', async () => {
    const seen = await live();
    await claimed('newcomer');

    await expect(contents.beginDelete(seen, 'deleter', 5_000)).resolves.toBeUndefined();
  });
});

describe('content that is kept for a while', () => {
  /** Content that was live and that no document refers to any more. */
  const past = async (): Promise<ContentItem> => {
    await live();
    await contents.retire(await deleting(), keptUntil);
    return present();
  };
  const inIndex = async () => {
    const { name, hash } = indexes.byState;
    const page = await table.query({
      index: name,
      hash: { name: hash, value: indexed.stateShard },
    });
    return page.items.map(({ pk }) => pk);
  };

  test('has no file and no deleter, and is in the index by the time until which it is kept', async () => {
    await claimed();
    await contents.setLive(sha, 'me', { ...file, expiresAt: '2026-11-23T12:00:00Z' });
    const { fileId: _file, expiresAt: _expires, ...seen } = await present();
    const taken = await deleting();

    await expect(contents.retire(taken, keptUntil)).resolves.toBe(true);

    const revision = taken.revision + 1;
    expect(await present()).toEqual({ ...seen, state: 'past', keptUntil, revision });
    expect(await table.get(contentKey(sha))).toMatchObject(indexed);
    expect(await inIndex()).toEqual([kept.pk]);
  });

  test('does not remember a doomed file, which was deleted with the other', async () => {
    await live('old');
    await deleting();
    await claimed('newcomer');

    await contents.retire(await deleting(), keptUntil);

    expect(await present()).not.toHaveProperty('doomedFileId');
  });

  test('is not what a deleter makes of content that it lost to a newcomer', async () => {
    await live();
    const taken = await deleting();
    await claimed('newcomer');

    await expect(contents.retire(taken, keptUntil)).resolves.toBe(false);
    expect(await present()).toMatchObject({ state: 'uploading', owner: 'newcomer' });
  });

  test('leaves the index when a newcomer claims it, who need not look for a file', async () => {
    const seen = await past();
    expect(mayHaveStray(seen)).toBe(false);

    const content = await claimed('newcomer');

    expect(content).toEqual({
      ...kept,
      state: 'uploading',
      owner: 'newcomer',
      leaseUntil: clock.now + 1_000,
      revision: seen.revision + 1,
      claims: 2,
    });
    expect(await table.get(contentKey(sha))).not.toMatchObject({ stateAt: keptUntil });
    expect(await inIndex()).toEqual([]);
  });

  test('leaves the index when its deleter finds a newcomer', async () => {
    await past();

    await contents.revive(await deleting(), false);

    expect(await inIndex()).toEqual([]);
    expect(await present()).not.toHaveProperty('keptUntil');
  });

  test('may be retired again for longer', async () => {
    await past();

    await contents.retire(await deleting(), '2026-12-01T12:00:00.000Z');

    expect(await table.get(contentKey(sha))).toMatchObject({
      state: 'past',
      keptUntil: '2026-12-01T12:00:00.000Z',
      stateAt: '2026-12-01T12:00:00.000Z',
    });
  });

  test('is removed in the end like any other', async () => {
    await past();

    await expect(contents.forget(await deleting())).resolves.toBe(true);
    expect(await contents.get(sha)).toBeUndefined();
  });
});

describe('content whose type Claude does not read itself', () => {
  const dataset = { ...facts, mimeType: 'text/csv' };
  const id = newContentId(dataset.contentSha256, dataset.mimeType);
  const named = { ...dataset, contentId: id };

  test('is another item than the same bytes as text', async () => {
    await claimed();

    const content = await contents.claim(named, undefined, 'me', 1_000);

    expect(content).toMatchObject({ pk: `CONTENT#${id}`, ...dataset, claims: 1 });
    expect(contentIdOfItem(content ?? expect.unreachable('it was claimed'))).toBe(id);
    expect((await present()).mimeType).toBe('text/plain');
  });

  test('is found by its id in every later write', async () => {
    const first = await contents.claim(named, undefined, 'me', 1_000);
    expect(await contents.renew(id, 'me', 2_000)).toBe(true);
    expect(await contents.setLive(id, 'me', file)).toBe(true);
    const seen = (await contents.get(id)) ?? expect.unreachable('it is live');
    const taken = await contents.beginDelete(seen, 'deleter', 5_000);

    expect(first?.pk).toBe(seen.pk);
    expect(await contents.forget(taken ?? expect.unreachable('it was taken'))).toBe(true);
    expect(await contents.get(id)).toBeUndefined();
  });
});

describe('a version that waits for an answer', () => {
  const version = { documentId: 'd1', order: '02' };

  test('is marked in its reference, which stays the same otherwise', async () => {
    await contents.join(sha, 'd1', '01');
    await contents.join(sha, 'd1', '02');

    await expect(contents.markWaiting(sha, version, 'q')).resolves.toBe(true);

    const { references } = await contents.references(sha);
    expect(references).toEqual([
      { documentId: 'd1', order: '01', waitsFor: undefined },
      { ...version, waitsFor: 'q' },
    ]);
  });

  test('waits for the question that it asked last', async () => {
    await contents.join(sha, 'd1', '02');
    await contents.markWaiting(sha, version, 'q');

    await contents.markWaiting(sha, version, 'r');

    expect((await contents.references(sha)).references).toEqual([{ ...version, waitsFor: 'r' }]);
  });

  test('is not marked, and gets no reference, when it has left', async () => {
    await contents.join(sha, 'd1', '02');
    await contents.leave(sha, 'd1', '02');

    await expect(contents.markWaiting(sha, version, 'q')).resolves.toBe(false);

    expect(await contents.isReferenced(sha)).toBe(false);
  });
});

test.each([
  ['uploading', undefined, true],
  ['deleting', undefined, true],
  ['deleting', 'f1', false],
  ['live', 'f1', false],
  ['free', undefined, false],
  ['past', undefined, false],
] as const)('in state %s with file %s a stray is possible: %s', (state, fileId, expected) => {
  expect(mayHaveStray({ state, ...(fileId ? { fileId } : {}) })).toBe(expected);
});

test('every write increments the revision', async () => {
  const revisions: number[] = [];
  const note = async () => revisions.push((await present()).revision - clock.now);

  await claimed();
  await note();
  await contents.renew(sha, 'me', 1);
  await note();
  await contents.abandon(sha, 'me', true);
  await note();
  await claimed();
  await note();
  await contents.setLive(sha, 'me', file);
  await note();
  const taken = await deleting();
  await note();
  await contents.forgetDeleter(taken);
  await note();
  await contents.revive(await deleting(), false);
  await note();

  await contents.retire(await deleting(), keptUntil);
  await note();

  expect(revisions).toEqual([0, 1, 2, 3, 4, 5, 6, 8, 10]);
});

test('references are read consistently, and one is enough to know that there are any', async () => {
  const asked: QueryInput[] = [];
  const query = table.query.bind(table);
  table.query = async (input) => {
    asked.push(input);
    return query(input);
  };

  await contents.references(sha);
  await contents.isReferenced(sha);

  expect(asked).toMatchObject([{ consistent: true }, { consistent: true, limit: 1 }]);
});

describe('an item read from the table', () => {
  /** What the content has at least in each state. */
  const impliedBy = {
    uploading: {},
    free: {},
    live: { fileId: 'f1' },
    past: { keptUntil: '2026-11-29T12:00:00.000Z' },
    deleting: { leaseUntil: 0 },
  } satisfies Record<ContentItem['state'], object>;
  const states = Object.keys(impliedBy) as ContentItem['state'][];
  const put = (state: ContentItem['state'], more: object = {}) =>
    table.put({ ...contentKey(sha), ...facts, state, revision: 1, claims: 1, ...more });

  test.each(states)('is %s content with no more than that state implies', async (state) => {
    await put(state, impliedBy[state]);

    expect(await contents.get(sha)).toEqual({
      ...kept,
      state,
      revision: 1,
      claims: 1,
      ...impliedBy[state],
    });
  });

  test.each([
    ['live', 'without', 'fileId', {}],
    ['deleting', 'without', 'leaseUntil', { fileId: 'f1' }],
    ['past', 'without', 'keptUntil', {}],
    ['past', 'with', 'fileId', { fileId: 'f1', keptUntil: '2026-11-29T12:00:00.000Z' }],
    ['uploading', 'with', 'fileId', { fileId: 'f1' }],
    ['free', 'with', 'fileId', { fileId: 'f1' }],
    ['uploading', 'with', 'expiresAt', { expiresAt: '2026-11-23T12:00:00Z' }],
    ['free', 'with', 'expiresAt', { expiresAt: '2026-11-23T12:00:00Z' }],
  ] as const)('is refused when it is %s %s %s', async (state, _with, attribute, more) => {
    await put(state, more);

    await expect(contents.get(sha)).rejects.toMatchObject({ issues: [{ path: [attribute] }] });
  });

  test('is refused when it is not a content item', async () => {
    await table.put({ ...contentKey(sha), state: 'live' });

    await expect(contents.get(sha)).rejects.toThrow('Invalid input');
  });
});

test('a reference is held by the version that joined, until it leaves', async () => {
  await contents.join(sha, 'one', '01');

  expect(await contents.holds(sha, 'one', '01')).toBe(true);
  expect(await contents.holds(sha, 'one', '02')).toBe(false);
  expect(await contents.holds(sha, 'two', '01')).toBe(false);
  await contents.leave(sha, 'one', '01');
  expect(await contents.holds(sha, 'one', '01')).toBe(false);
});
