import { beforeEach, describe, expect, test } from 'vitest';
import { documentIdOf } from '../../shared/journey/ids.ts';
import { type Status, statuses } from '../../shared/journey/record.ts';
import { newContentId } from '../../shared/ledger/content-id.ts';
import type { DocumentItem } from '../../shared/ledger/document-item.ts';
import { type Documents, IllegalTransition } from '../../shared/ledger/documents.ts';
import { documentKey, orderOf, pastVersionKey, shardOf } from '../../shared/ledger/keys.ts';
import type { QueryInput, Table } from '../../shared/ledger/table.ts';
import { transitions } from '../../shared/ledger/transitions.ts';
import { changed, documentIn, emptyLedger, error, impliedBy } from './support.ts';

let table: Table;
let documents: Documents;
let clock: { now: number };
const id = documentIdOf('inbox', 'a.txt');
const sha = 'a'.repeat(64);

beforeEach(async () => {
  ({ table, documents, clock } = await emptyLedger());
});

const iso = () => new Date(clock.now).toISOString();
const present = async (): Promise<DocumentItem> => {
  const document = await documents.get(id);
  if (!document) throw new Error('no document');
  return document;
};
const inStatus = (status: Status): Promise<DocumentItem> =>
  documentIn(status, { table, documents });

describe('receive', () => {
  test('creates the record of a key that was never seen', async () => {
    const { outcome, document } = await documents.receive(
      changed('0a', { original: { bucket: 'b', key: 'k' }, parent: 'p', depth: 1 }),
      'contracts',
    );

    expect(outcome).toBe('new');
    expect(document).toEqual({
      pk: `DOC#${id}`,
      sk: 'DOC',
      documentId: id,
      bucket: 'inbox',
      key: 'a.txt',
      versionId: 'v-0a',
      etag: 'e-0a',
      sequencer: '0a',
      order: orderOf('0a'),
      sizeBytes: 10,
      original: { bucket: 'b', key: 'k' },
      parent: 'p',
      depth: 1,
      status: 'received',
      attempts: {},
      profile: 'contracts',
      createdAt: iso(),
      updatedAt: iso(),
      stateAt: iso(),
      revision: 1,
    });
    expect(await present()).toEqual(document);
  });

  test('puts an open document into the indexes by state and by day', async () => {
    await documents.receive(changed('0a'), 'default');

    expect(await table.get(documentKey(id))).toMatchObject({
      stateShard: `open#${shardOf(id)}`,
      stateAt: iso(),
      dayShard: `2026-11-22#${shardOf(id)}`,
      listedAt: iso(),
    });
  });

  test('marks a removed object removed, out of the index by state', async () => {
    const { outcome, document } = await documents.receive(
      changed('0a', { kind: 'removed' }),
      'default',
    );

    expect(outcome).toBe('new');
    expect(document.status).toBe('removed');
    expect(await table.get(documentKey(id))).not.toHaveProperty('stateShard');
  });

  test('recognizes an event again, in any spelling of its sequencer', async () => {
    await documents.receive(changed('0a'), 'default');
    clock.now += 1_000;

    const { outcome, document } = await documents.receive(changed('0A00'), 'default');

    expect(outcome).toBe('again');
    expect(document.revision).toBe(1);
    expect(document.updatedAt).not.toBe(iso());
  });

  test('changes nothing for an older event', async () => {
    await documents.receive(changed('0b'), 'default');
    const before = await table.get(documentKey(id));

    const { outcome, document } = await documents.receive(
      changed('0a9', { kind: 'removed' }),
      'default',
    );

    expect(outcome).toBe('stale');
    expect(document.sequencer).toBe('0b');
    expect(await table.get(documentKey(id))).toEqual(before);
    expect(await documents.getPast(id, orderOf('0a9'))).toBeUndefined();
  });

  test('starts a new version at a newer event and keeps nothing of the old one but its day', async () => {
    const { document: first } = await documents.receive(
      changed('0a', { parent: 'p', depth: 2, original: { bucket: 'b', key: 'k' } }),
      'default',
    );
    const normalized = await documents.move(first, 'normalized', {
      ...impliedBy.normalized,
      contentSha256: sha,
      hasParts: false,
    });
    clock.now += 86_400_000;

    const { outcome, document } = await documents.receive(changed('0b'), 'other');

    expect(outcome).toBe('new');
    expect(document).toEqual({
      pk: `DOC#${id}`,
      sk: 'DOC',
      documentId: id,
      bucket: 'inbox',
      key: 'a.txt',
      versionId: 'v-0b',
      etag: 'e-0b',
      sequencer: '0b',
      order: orderOf('0b'),
      sizeBytes: 10,
      status: 'received',
      attempts: {},
      profile: 'other',
      createdAt: first.createdAt,
      updatedAt: iso(),
      stateAt: iso(),
      revision: (normalized?.revision ?? 0) + 1,
      releases: [{ contentSha256: sha, order: orderOf('0a') }],
    });
    expect(await table.get(documentKey(id))).toMatchObject({
      dayShard: `2026-11-22#${shardOf(id)}`,
      listedAt: first.createdAt,
    });
  });

  test('archives the version it replaces, in the index of what is kept for a while only', async () => {
    ({ table, documents, clock } = await emptyLedger({ keepPastMs: 86_400_000 }));
    const { document } = await documents.receive(changed('0a'), 'default');
    const moved = await documents.move(document, 'normalized', impliedBy.normalized);
    await documents.move(moved ?? document, 'uploaded', impliedBy.uploaded);

    await documents.receive(changed('0b'), 'default');

    const past = await table.get({ pk: `DOC#${id}`, sk: `V#${orderOf('0a')}` });
    expect(past).toMatchObject({
      sequencer: '0a',
      status: 'uploaded',
      pastFileId: 'file_1',
      contentSha256: moved?.contentSha256,
    });
    expect(past).toMatchObject({
      stateShard: `past#${shardOf(id)}`,
      stateAt: new Date(clock.now + 86_400_000).toISOString(),
    });
    for (const indexed of ['dayShard', 'listedAt', 'fileId']) {
      expect(past).not.toHaveProperty(indexed);
    }
    expect(await documents.getPast(id, orderOf('0a'))).toMatchObject({ sequencer: '0a' });
  });

  test('keeps a past version until now when nothing is to be kept', async () => {
    await documents.receive(changed('0a'), 'default');
    clock.now += 1_000;

    await documents.receive(changed('0b'), 'default');

    expect(await table.get(pastVersionKey(id, orderOf('0a')))).toMatchObject({ stateAt: iso() });
  });

  test('archives nothing when the document was removed, and has the past deleted', async () => {
    await documents.receive(changed('0a'), 'default');

    const { document } = await documents.receive(changed('0b', { kind: 'removed' }), 'default');

    expect(document).toMatchObject({ status: 'removed', purgesBefore: document.order });
    expect(await documents.getPast(id, orderOf('0a'))).toBeUndefined();
  });

  test('has no past to delete when the first event of a key is its removal', async () => {
    const { document } = await documents.receive(changed('0a', { kind: 'removed' }), 'default');

    expect(document).not.toHaveProperty('purgesBefore');
  });

  test('does not overwrite an archived version with an older read of it', async () => {
    const { document } = await documents.receive(changed('0a'), 'default');
    const stale = {
      ...document,
      pk: `DOC#${id}`,
      sk: `V#${orderOf('0a')}`,
      revision: 9,
      etag: 'late',
    };
    await table.put(stale);

    await documents.receive(changed('0b'), 'default');

    expect(await documents.getPast(id, orderOf('0a'))).toMatchObject({ revision: 9, etag: 'late' });
  });

  test('archives a version again when it changed since it was archived', async () => {
    const { document } = await documents.receive(changed('0a'), 'default');
    await table.put({ ...document, pk: `DOC#${id}`, sk: `V#${orderOf('0a')}`, etag: 'early' });
    await documents.move(document, 'normalized', { ...impliedBy.normalized, contentSha256: sha });

    await documents.receive(changed('0b'), 'default');

    expect(await documents.getPast(id, orderOf('0a'))).toMatchObject({ revision: 2, etag: 'e-0a' });
  });

  test('collects the releases of all versions that were not released yet', async () => {
    const contents = ['b'.repeat(64), 'c'.repeat(64)];
    for (const [index, contentSha256] of contents.entries()) {
      const { document } = await documents.receive(changed(`0${index}`), 'default');
      await documents.move(document, 'normalized', { ...impliedBy.normalized, contentSha256 });
    }

    const { document } = await documents.receive(changed('02', { kind: 'removed' }), 'default');

    expect(document.releases).toEqual(
      contents.map((contentSha256, n) => ({ contentSha256, order: orderOf(`0${n}`) })),
    );
  });

  test('releases a content by its id where that is not its hash, and says where it had a file', async () => {
    const { document } = await documents.receive(changed('0a'), 'default');
    const contentId = newContentId(sha, 'text/csv');
    const dataset = { ...impliedBy.uploaded, contentSha256: sha, contentId, mimeType: 'text/csv' };
    const normalized = await documents.move(document, 'normalized', dataset);
    await documents.move(normalized ?? document, 'uploaded', dataset);

    const { document: second } = await documents.receive(changed('0b'), 'default');

    expect(contentId).not.toBe(sha);
    expect(second.releases).toEqual([
      { contentSha256: sha, contentId, order: orderOf('0a'), hadFile: true },
    ]);
  });

  test('has nothing to release for a version that never had content', async () => {
    await documents.receive(changed('0a'), 'default');

    const { document } = await documents.receive(changed('0b'), 'default');

    expect(document).not.toHaveProperty('releases');
    expect(document).not.toHaveProperty('retiresParts');
    expect(document).not.toHaveProperty('purgesBefore');
  });

  test.each([
    ['the version before', { hasParts: true }],
    ['one before that', { retiresParts: true }],
  ])('retires the parts that %s had', async (_who, parts) => {
    const { document: first } = await documents.receive(changed('0a'), 'default');
    await documents.move(first, 'received', parts);

    const { document } = await documents.receive(changed('0b'), 'default');

    expect(document.retiresParts).toBe(true);
    expect(document).not.toHaveProperty('hasParts');
  });

  test('starts over when a step moves the version while it is being replaced', async () => {
    const { document } = await documents.receive(changed('0a'), 'default');
    const put = table.put.bind(table);
    let puts = 0;
    table.put = async (item, condition) => {
      puts += 1;
      // Between the archiving and the replacement.
      if (puts === 3)
        await documents.move(document, 'normalized', {
          ...impliedBy.normalized,
          contentSha256: sha,
        });
      return put(item, condition);
    };

    const { outcome, document: second } = await documents.receive(changed('0b'), 'default');

    expect(outcome).toBe('new');
    expect(second.releases).toEqual([{ contentSha256: sha, order: orderOf('0a') }]);
    expect(await documents.getPast(id, orderOf('0a'))).toMatchObject({ status: 'normalized' });
  });

  test('throws when the document has vanished from the ledger', async () => {
    table.put = async () => false;

    await expect(documents.receive(changed('0a'), 'default')).rejects.toThrow(
      `document ${id} vanished from the ledger`,
    );
  });
});

describe('confirm', () => {
  test('makes events stale up to the one that left the version in place', async () => {
    const { document } = await documents.receive(changed('01'), 'default');

    await expect(documents.confirm(document, '03')).resolves.toBe(true);

    const outcomes = [];
    for (const sequencer of ['02', '03', '01', '04']) {
      outcomes.push((await documents.receive(changed(sequencer), 'default')).outcome);
    }
    expect(outcomes).toEqual(['stale', 'stale', 'again', 'new']);
    expect(await present()).not.toHaveProperty('confirmedBy');
  });

  test('never goes back, and does not apply to another version', async () => {
    const { document } = await documents.receive(changed('01'), 'default');
    await documents.confirm(document, '03');

    await expect(documents.confirm(document, '02')).resolves.toBe(false);
    await expect(documents.confirm(document, '03')).resolves.toBe(false);
    expect(await present()).toMatchObject({ confirmedBy: orderOf('03'), revision: 2 });

    await documents.receive(changed('05'), 'default');
    await expect(documents.confirm(document, '06')).resolves.toBe(false);
  });
});

describe('move', () => {
  const pairs = statuses.flatMap((from) => statuses.map((to) => ({ from, to })));

  test.each(pairs.filter(({ from, to }) => transitions[from].includes(to)))(
    'moves a document from $from to $to',
    async ({ from, to }) => {
      const document = await inStatus(from);

      const moved = await documents.move(document, to, impliedBy[to]);

      expect(moved).toMatchObject({
        ...impliedBy[to],
        status: to,
        revision: document.revision + 1,
      });
      expect(await present()).toEqual(moved);
    },
  );

  test.each(pairs.filter(({ from, to }) => !transitions[from].includes(to)))(
    'refuses to move a document from $from to $to',
    async ({ from, to }) => {
      const document = await inStatus(from);

      const thrown = await documents
        .move(document, to, impliedBy[to])
        .catch((error: unknown) => error);

      expect(thrown).toBeInstanceOf(IllegalTransition);
      expect(thrown).toMatchObject({
        name: 'IllegalTransition',
        message: `${from} → ${to} is no transition of a document`,
      });
      expect((await present()).status).toBe(from);
    },
  );

  test('writes its changes and the time', async () => {
    const document = await inStatus('received');
    clock.now += 5_000;

    const moved = await documents.move(
      document,
      'normalized',
      { ...impliedBy.normalized, contentType: undefined },
      { attempt: 'normalize', add: { evictions: 2 }, remove: ['etag'] },
    );

    expect(moved).toMatchObject({
      contentSha256: sha,
      updatedAt: iso(),
      stateAt: document.stateAt,
      attempts: { normalize: 1 },
      evictions: 2,
    });
    expect(moved).not.toHaveProperty('etag');
    expect(moved).not.toHaveProperty('contentType');
  });

  test('counts attempts step by step', async () => {
    const document = await inStatus('received');

    await documents.move(document, 'received', {}, { attempt: 'normalize' });
    const moved = await documents.move(document, 'received', {}, { attempt: 'normalize' });

    expect(moved?.attempts).toEqual({ normalize: 2 });
  });

  test('does nothing when another worker was first', async () => {
    const document = await inStatus('received');
    await documents.move(document, 'normalized', impliedBy.normalized);

    await expect(documents.move(document, 'failed', impliedBy.failed)).resolves.toBeUndefined();
    expect(await present()).toMatchObject({ status: 'normalized', revision: 2 });
  });

  test('does nothing when a newer event was first', async () => {
    const document = await inStatus('received');
    await documents.receive(changed('02'), 'default');

    await expect(
      documents.move(document, 'normalized', impliedBy.normalized),
    ).resolves.toBeUndefined();
    expect(await present()).toMatchObject({ status: 'received', sequencer: '02' });
  });

  test('applies an additional condition as a whole', async () => {
    const document = await inStatus('received');
    const condition = {
      expression: 'attribute_exists(lease) OR etag = :etag',
      values: { etag: 'another' },
    };

    await expect(
      documents.move({ ...document, order: orderOf('09') }, 'normalized', impliedBy.normalized, {
        condition,
      }),
    ).resolves.toBeUndefined();
    await expect(
      documents.move(document, 'normalized', impliedBy.normalized, { condition }),
    ).resolves.toBeUndefined();
    await expect(
      documents.move(document, 'normalized', impliedBy.normalized, {
        condition: { ...condition, names: {}, values: { etag: 'e-01' } },
      }),
    ).resolves.toMatchObject({ status: 'normalized' });
  });

  test.each([
    ['received', 'normalized', 'open'],
    ['normalized', 'uploaded', 'open'],
    ['received', 'failed', 'failed'],
    ['received', 'held', 'held'],
    ['uploaded', 'ready', undefined],
    ['received', 'skipped', undefined],
  ] as const)('from %s to %s, it is in the index as %s', async (from, to, state) => {
    const document = await inStatus(from);

    await documents.move(document, to, impliedBy[to]);

    const item = await table.get(documentKey(id));
    expect(item?.stateShard).toBe(state && `${state}#${shardOf(id)}`);
  });
});

describe('setAside', () => {
  test('ends a document with the reason, the attempt counted, and what was found in it', async () => {
    const document = await inStatus('received');
    const fidelity = { route: 'r', warnings: [] };

    const stopped = await documents.setAside(document, 'skipped', error, {
      attempt: 'normalize',
      changes: { fidelity },
      add: { 'attempts.render': 2 },
    });

    expect(stopped).toMatchObject({
      status: 'skipped',
      error: { ...error, at: iso() },
      attempts: { normalize: 1, render: 2 },
      fidelity,
    });
    expect(stopped).not.toHaveProperty('heldFrom');
  });

  test.each(['received', 'normalized', 'uploaded'] as const)(
    'remembers that a held document was %s, and counts no attempt',
    async (status) => {
      const document = await inStatus(status);

      const stopped = await documents.setAside(document, 'held', error);

      expect(stopped).toMatchObject({ status: 'held', heldFrom: status, attempts: {} });
    },
  );

  test.each(['failed', 'skipped', 'held'] as const)(
    'ends what the document waited for when it becomes %s, and removes what it is told to',
    async (to) => {
      const document = await inStatus('received');
      const waiting = { reason: 'answer', since: iso() } as const;
      await documents.move(document, 'received', { waiting, rendering: true });

      const stopped = await documents.setAside(document, to, error, { remove: ['rendering'] });

      expect(stopped).toMatchObject({ status: to });
      expect(stopped).not.toHaveProperty('waiting');
      expect(stopped).not.toHaveProperty('rendering');
    },
  );

  test('depends on the condition that it is given', async () => {
    const document = await inStatus('uploaded');
    const condition = { expression: 'etag = :etag', values: { etag: 'another' } };

    expect(await documents.setAside(document, 'failed', error, { condition })).toBeUndefined();
    expect((await present()).status).toBe('uploaded');
  });

  test('does nothing to a document that ended meanwhile', async () => {
    const document = await inStatus('uploaded');
    await documents.move(document, 'ready');

    await expect(documents.setAside(document, 'failed', error)).resolves.toBeUndefined();
    expect((await present()).status).toBe('ready');
  });
});

test('a failed attempt is counted and its error kept; the status stays', async () => {
  const document = await inStatus('normalized');

  const counted = await documents.attemptFailed(document, 'upload', error);

  expect(counted).toMatchObject({
    status: 'normalized',
    attempts: { upload: 1 },
    error: { ...error, at: iso() },
    stateAt: document.stateAt,
  });
});

describe('refile', () => {
  test.each(['uploaded', 'ready', 'failed', 'held'] as const)(
    'gives a document that is %s another file with the same content',
    async (status) => {
      const document = await inStatus(status);
      await table.update(documentKey(id), { set: { fileId: 'f1', fileExpiresAt: iso() } });
      clock.now += 1_000;

      await expect(documents.refile(document, 'f1', { fileId: 'f2' })).resolves.toBe(true);

      const refiled = await present();
      expect(refiled).toMatchObject({ status, fileId: 'f2', revision: 2, updatedAt: iso() });
      expect(refiled).not.toHaveProperty('fileExpiresAt');
    },
  );

  test('writes when the new file expires', async () => {
    const document = await inStatus('ready');
    await table.update(documentKey(id), { set: { fileId: 'f1' } });

    await documents.refile(document, 'f1', { fileId: 'f2', expiresAt: iso() });

    expect(await present()).toMatchObject({ fileId: 'f2', fileExpiresAt: iso() });
  });

  test('leaves a document alone that is on another file or of another version', async () => {
    const document = await inStatus('ready');
    await table.update(documentKey(id), { set: { fileId: 'f1' } });

    await expect(documents.refile(document, 'f0', { fileId: 'f2' })).resolves.toBe(false);
    await expect(
      documents.refile({ ...document, order: orderOf('02') }, 'f1', { fileId: 'f2' }),
    ).resolves.toBe(false);
    expect(await present()).toMatchObject({ fileId: 'f1', revision: 1 });
  });
});

describe('past versions', () => {
  beforeEach(async () => {
    for (const sequencer of ['01', '02', '03']) {
      await documents.receive(changed(sequencer), 'default');
      await documents.receive(changed(sequencer, { key: 'b.txt' }), 'default');
    }
  });
  const orders = async () => {
    const found: string[] = [];
    for await (const { documentId, order } of documents.past(id)) {
      expect(documentId).toBe(id);
      found.push(order);
    }
    return found;
  };

  test('are those of one document, oldest first, without the present one', async () => {
    expect(await orders()).toEqual([orderOf('01'), orderOf('02')]);
  });

  test('are read page by page, consistently', async () => {
    const query = table.query.bind(table);
    const asked: QueryInput[] = [];
    table.query = async (input) => {
      asked.push(input);
      return query({ ...input, limit: 1 });
    };

    expect(await orders()).toEqual([orderOf('01'), orderOf('02')]);

    expect(asked.length).toBeGreaterThan(1);
    expect(asked.every(({ consistent }) => consistent)).toBe(true);
  });

  test('are forgotten one by one, and once', async () => {
    await documents.forgetPast({ documentId: id, order: orderOf('01') });
    await documents.forgetPast({ documentId: id, order: orderOf('01') });

    expect(await orders()).toEqual([orderOf('02')]);
    expect(await documents.getPast(id, orderOf('01'))).toBeUndefined();
    expect((await present()).order).toBe(orderOf('03'));
  });
});

describe('keepReleases', () => {
  test('drops the releases that are not kept, and nothing else', async () => {
    await documents.move(await inStatus('received'), 'normalized', {
      ...impliedBy.normalized,
      contentSha256: sha,
    });
    const { document } = await documents.receive(changed('02'), 'default');
    const kept = [{ contentSha256: sha, order: '1', hadFile: true }];

    await documents.keepReleases(document, kept);
    expect(await present()).toEqual({ ...document, releases: kept });

    await documents.keepReleases(document, []);
    const { releases: _releases, ...rest } = document;
    expect(await present()).toEqual(rest);
  });

  test('does nothing when the record was written meanwhile, or a newer event came in', async () => {
    await documents.move(await inStatus('received'), 'normalized', {
      ...impliedBy.normalized,
      contentSha256: sha,
    });
    const { document } = await documents.receive(changed('02'), 'default');
    await documents.keepReleases({ ...document, order: '0' }, []);
    expect((await present()).releases).toHaveLength(1);
    await documents.attemptFailed(document, 'normalize', error);

    await documents.keepReleases(document, []);

    expect((await present()).releases).toHaveLength(1);
  });
});

describe('clearReleases', () => {
  test('drops what past versions held, and nothing else', async () => {
    const { document: first } = await documents.receive(changed('0a'), 'default');
    await documents.move(first, 'normalized', {
      ...impliedBy.normalized,
      contentSha256: sha,
      hasParts: true,
    });
    const { document } = await documents.receive(changed('0b', { kind: 'removed' }), 'default');
    expect(document).toMatchObject({
      retiresParts: true,
      purgesBefore: document.order,
    });

    await documents.clearReleases(document);

    const {
      releases: _releases,
      retiresParts: _retires,
      purgesBefore: _purges,
      ...rest
    } = document;
    expect(await present()).toEqual(rest);
  });

  test('does nothing when a newer event came in, which inherited it all', async () => {
    const { document: first } = await documents.receive(changed('0a'), 'default');
    await documents.move(first, 'normalized', { ...impliedBy.normalized, contentSha256: sha });
    const { document: second } = await documents.receive(changed('0b'), 'default');
    await documents.receive(changed('0c'), 'default');

    await documents.clearReleases(second);

    expect((await present()).releases).toHaveLength(1);
  });
});

describe('a write whose first acknowledgement was lost', () => {
  let lose: () => void;
  beforeEach(async () => {
    const ledger = await emptyLedger();
    ({ table, documents, clock } = ledger);
    lose = () => ledger.server.loseAcknowledgement();
  });

  test('of the first event of a key is the first all the same', async () => {
    lose();

    const { outcome } = await documents.receive(changed('01'), 'default');

    expect(outcome).toBe('new');
  });

  test.each([
    ['failed', 'received'],
    ['skipped', 'received'],
    ['held', 'uploaded'],
  ] as const)('that sets a document aside %s has done so', async (to, from) => {
    const document = await inStatus(from);
    lose();

    const stopped = await documents.setAside(document, to, error, { attempt: 'upload' });

    expect(stopped).toMatchObject({ status: to, attempts: { upload: 1 } });
    expect(await present()).toEqual(stopped);
  });

  test.each([
    ['an attempt', (document: DocumentItem) => documents.attemptFailed(document, 'upload', error)],
    ['an outage', (document: DocumentItem) => documents.waitsForService(document, error)],
  ])('counts %s once', async (_, write) => {
    const document = await inStatus('normalized');
    lose();

    const counted = await write(document);

    const { attempts, outages = 0 } = counted ?? expect.unreachable('it was written');
    expect((attempts.upload ?? 0) + outages).toBe(1);
  });
});

test('a document or version unknown to the ledger is undefined', async () => {
  await expect(documents.get(id)).resolves.toBeUndefined();
  await expect(documents.getPast(id, orderOf('1'))).resolves.toBeUndefined();
});
