import fc from 'fast-check';
import { expect, test } from 'vitest';
import { documentIdOf } from '../../shared/journey/ids.ts';
import { type Status, statuses } from '../../shared/journey/record.ts';
import { BrokenInvariant, type DocumentItem } from '../../shared/ledger/document-item.ts';
import {
  type DocumentChanges,
  type Documents,
  IllegalTransition,
} from '../../shared/ledger/documents.ts';
import { documentKey, orderOf, pastVersionKey } from '../../shared/ledger/keys.ts';
import type { Table } from '../../shared/ledger/table.ts';
import { transitions } from '../../shared/ledger/transitions.ts';
import { changed, emptyLedger, error, impliedBy } from './support.ts';

/**
 * Random events and steps on one document, in the ledger and in a model of a few lines: after every
 * command both must agree. Workers act on what they saw some time ago, as they do behind a queue.
 */

/** One version of the document as the model has it. */
interface Version {
  order: string;
  status: Status;
  attempts: number;
  content?: string | undefined;
  file?: string | undefined;
  /** The attributes it has, of those that some status implies. */
  has: readonly string[];
}

interface Model {
  now: Version | undefined;
  /** Versions that were replaced, as they were then. */
  past: Map<string, Version>;
  /** What past versions held and was not released yet, oldest first. */
  held: { contentSha256: string; order: string; hadFile?: boolean }[];
  confirmed: string | undefined;
  /** Whether a removal has yet to delete what past versions left behind. */
  purges: string | undefined;
  writes: number;
  /** What each worker saw last. */
  seen: Map<number, Version>;
}

interface Real {
  table: Table;
  documents: Documents;
  seen: Map<number, DocumentItem>;
}

type Command = fc.AsyncCommand<Model, Real>;

const id = documentIdOf('inbox', 'a.txt');

/** Runs a command, then compares all that the ledger holds with the model. */
function command(text: string, act: (model: Model, real: Real) => Promise<void>): Command {
  return {
    check: () => true,
    async run(model, real) {
      await act(model, real);
      await compare(model, real);
    },
    toString: () => text,
  };
}

async function compare(model: Model, { documents, table }: Real): Promise<void> {
  const document = await documents.get(id);
  expect(document?.order).toBe(model.now?.order);
  if (!document || !model.now) return;
  expect(document).toMatchObject({ status: model.now.status, revision: model.writes });
  expect(document.attempts.upload ?? 0).toBe(model.now.attempts);
  expect(document.contentSha256).toBe(model.now.content);
  expect(document.fileId).toBe(model.now.file);
  expect(document.releases ?? []).toEqual(model.held);
  expect(document.confirmedBy).toBe(model.confirmed);
  expect(document.purgesBefore).toBe(model.purges);

  const item = await table.get(documentKey(id));
  const inIndex = ['received', 'normalized', 'uploaded', 'failed', 'held'];
  expect(item !== undefined && 'stateShard' in item).toBe(inIndex.includes(document.status));
  const archived: string[] = [];
  for await (const { order } of documents.past(id)) archived.push(order);
  expect(archived).toEqual([...model.past.keys()].toSorted());
  for (const [order, version] of model.past) {
    const past = await table.get(pastVersionKey(id, order));
    expect(past).toMatchObject({ order, status: version.status });
    expect(past?.pastFileId).toBe(version.file);
    expect(past?.contentSha256).toBe(version.content);
  }
}

const receive = (sequencer: string, kind: 'created' | 'removed') =>
  command(`${kind} ${sequencer}`, async (model, { documents }) => {
    const order = orderOf(sequencer);
    const { now, confirmed = '' } = model;

    const { outcome } = await documents.receive(changed(sequencer, { kind }), 'default');

    if (now?.order === order) expect(outcome).toBe('again');
    else if (now && (now.order > order || confirmed >= order)) expect(outcome).toBe('stale');
    else {
      expect(outcome).toBe('new');
      // A removal keeps nothing of what it removes.
      if (now && kind === 'created') model.past.set(now.order, now);
      if (now?.content) {
        const { content: contentSha256, order, file } = now;
        model.held.push({ contentSha256, order, ...(file ? { hadFile: true } : {}) });
      }
      if (kind === 'removed' && now !== undefined) model.purges = order;
      const status = kind === 'removed' ? 'removed' : 'received';
      model.now = { order, status, attempts: 0, has: [] };
      model.confirmed = undefined;
      model.writes += 1;
    }
  });

const look = (worker: number) =>
  command(`worker ${worker} looks`, async (model, { documents, seen }) => {
    const document = await documents.get(id);
    if (!document || !model.now) return;
    seen.set(worker, document);
    model.seen.set(worker, model.now);
  });

/** A worker writes on the basis of what it saw; `write` succeeds when the version has not moved since. */
const act = (
  worker: number,
  text: string,
  to: (from: Status) => Status,
  write: (
    documents: Documents,
    seen: DocumentItem,
    to: Status,
  ) => Promise<DocumentItem | undefined>,
  effect: (version: Version) => Version = (version) => version,
) =>
  command(`worker ${worker} ${text}`, async (model, { documents, seen }) => {
    const real = seen.get(worker);
    const known = model.seen.get(worker);
    if (!real || !known) return;
    const target = to(known.status);
    if (!transitions[known.status].includes(target)) {
      await expect(write(documents, real, target)).rejects.toThrow(IllegalTransition);
      return;
    }
    const { has } = effect({ ...known, status: target });
    if (!Object.keys(impliedBy[target]).every((name) => has.includes(name))) {
      await expect(write(documents, real, target)).rejects.toThrow(BrokenInvariant);
      return;
    }
    const done = await write(documents, real, target);

    const { now } = model;
    if (now?.order !== known.order || now.status !== known.status) {
      expect(done).toBeUndefined();
      return;
    }
    if (!done) expect.unreachable('nothing had moved');
    model.now = effect({ ...now, status: target });
    model.writes += 1;
    // It works on with what its write returned.
    seen.set(worker, done);
    model.seen.set(worker, model.now);
  });

/** The version once it has these attributes, too. */
const having = (version: Version, ...names: string[]): Version => ({
  ...version,
  has: [...version.has, ...names],
});

const worker = fc.nat({ max: 2 });
const sequencer = fc.constantFrom('1', '10', '2', '2A', '2a0', '3', '0F', 'F');
const content = fc.constantFrom('a'.repeat(64), 'b'.repeat(64));
const file = fc.constantFrom('f1', 'f2');

const commands = [
  fc
    .tuple(sequencer, fc.constantFrom('created' as const, 'created' as const, 'removed' as const))
    .map((args) => receive(...args)),
  worker.map(look),
  worker.map(look),
  fc.tuple(worker, fc.constantFrom(...statuses)).map(([by, status]) =>
    act(
      by,
      `moves it to ${status}`,
      () => status,
      (documents, seen, to) => documents.move(seen, to),
    ),
  ),
  // One of the transitions that are open to it, with all that its new status implies.
  fc.tuple(worker, fc.nat({ max: 60 })).map(([by, n]) =>
    act(
      by,
      `takes it on, way ${n}`,
      (from) => transitions[from][n % transitions[from].length] ?? from,
      (documents, seen, to) => documents.move(seen, to, impliedBy[to]),
      (version) => {
        const { contentSha256, fileId }: DocumentChanges = impliedBy[version.status];
        return {
          ...having(version, ...Object.keys(impliedBy[version.status])),
          content: contentSha256 ?? version.content,
          file: fileId ?? version.file,
        };
      },
    ),
  ),
  fc.tuple(worker, content).map(([by, contentSha256]) =>
    act(
      by,
      `finds content ${contentSha256.slice(0, 1)}`,
      () => 'normalized',
      (documents, seen, to) => documents.move(seen, to, { ...impliedBy.normalized, contentSha256 }),
      (version) => ({
        ...having(version, ...Object.keys(impliedBy.normalized)),
        content: contentSha256,
      }),
    ),
  ),
  fc.tuple(worker, file).map(([by, fileId]) =>
    act(
      by,
      `uploads ${fileId}`,
      () => 'uploaded',
      (documents, seen, to) =>
        documents.move(
          seen,
          to,
          { fileId, usage: impliedBy.uploaded.usage },
          { attempt: 'upload' },
        ),
      (version) => ({
        ...having(version, 'fileId', 'usage'),
        file: fileId,
        attempts: version.attempts + 1,
      }),
    ),
  ),
  fc
    .tuple(worker, fc.constantFrom('failed' as const, 'skipped' as const, 'held' as const))
    .map(([by, status]) =>
      act(
        by,
        `sets it aside ${status}`,
        () => status,
        (documents, seen) => documents.setAside(seen, status, error),
        (version) => having(version, 'error', ...(status === 'held' ? ['heldFrom'] : [])),
      ),
    ),
  worker.map((by) =>
    act(
      by,
      'fails an attempt',
      (from) => from,
      (documents, seen) => documents.attemptFailed(seen, 'upload', error),
      (version) => ({ ...having(version, 'error'), attempts: version.attempts + 1 }),
    ),
  ),
  worker.map((by) =>
    command(`worker ${by} clears the releases`, async (model, { documents, seen }) => {
      const document = seen.get(by);
      if (!document) return;
      await documents.clearReleases(document);
      if (model.now?.order !== document.order) return;
      model.held = [];
      model.purges = undefined;
    }),
  ),
  fc.tuple(worker, file, file).map(([by, was, fileId]) =>
    command(
      `worker ${by} moves it from ${was} to ${fileId}`,
      async (model, { documents, seen }) => {
        const document = seen.get(by);
        if (!document) return;
        const done = await documents.refile(document, was, { fileId });
        const meant = model.now?.order === document.order && model.now.file === was;
        expect(done).toBe(meant);
        if (!meant || !model.now) return;
        model.now = { ...model.now, file: fileId };
        model.writes += 1;
      },
    ),
  ),
  fc.tuple(worker, sequencer).map(([by, newest]) =>
    command(`worker ${by} confirms it by ${newest}`, async (model, { documents, seen }) => {
      const document = seen.get(by);
      if (!document) return;
      const done = await documents.confirm(document, newest);
      const order = orderOf(newest);
      const meant = model.now?.order === document.order && (model.confirmed ?? '') < order;
      expect(done).toBe(meant);
      if (!meant) return;
      model.confirmed = order;
      model.writes += 1;
    }),
  ),
];

test('any events and steps in any order leave what the model predicts', async () => {
  await fc.assert(
    fc.asyncProperty(fc.commands(commands, { maxCommands: 60, size: 'max' }), async (run) => {
      await fc.asyncModelRun(async () => {
        const { table, documents } = await emptyLedger();
        const model: Model = {
          now: undefined,
          past: new Map(),
          held: [],
          confirmed: undefined,
          purges: undefined,
          writes: 0,
          seen: new Map(),
        };
        return { model, real: { table, documents, seen: new Map() } };
      }, run);
    }),
    { seed: 20261122, numRuns: 300 },
  );
});

test('all events of a key, repeated and in any order, end with the newest', async () => {
  const events = fc.uniqueArray(
    fc.record({
      sequencer: fc.string({
        unit: fc.constantFrom(...'0123456789abcdef'),
        minLength: 1,
        maxLength: 18,
      }),
      kind: fc.constantFrom('created' as const, 'removed' as const),
    }),
    { minLength: 1, maxLength: 6, selector: ({ sequencer }) => orderOf(sequencer) },
  );
  const delivered = events.chain((all) =>
    fc.tuple(
      fc.constant(all),
      fc.shuffledSubarray([...all, ...all, ...all], { minLength: all.length }),
    ),
  );

  await fc.assert(
    fc.asyncProperty(delivered, async ([all, some]) => {
      const { documents } = await emptyLedger();

      for (const { sequencer, kind } of [...some, ...all]) {
        await documents.receive(changed(sequencer, { kind }), 'default');
      }

      const newest = all.toSorted((a, b) => (orderOf(a.sequencer) < orderOf(b.sequencer) ? 1 : -1));
      expect(await documents.get(id)).toMatchObject({
        order: orderOf(newest[0]?.sequencer ?? ''),
        status: newest[0]?.kind === 'removed' ? 'removed' : 'received',
      });
    }),
    { seed: 20261122, numRuns: 300 },
  );
});
