import fc from 'fast-check';
import { expect, test } from 'vitest';
import { type ContentItem, Contents } from '../../shared/ledger/contents.ts';
import { contentKey } from '../../shared/ledger/keys.ts';
import type { Table } from '../../shared/ledger/table.ts';
import { emptyLedger } from './support.ts';

/**
 * Random workers claim, renew, abandon, join, leave and delete one content, each acting on what it saw some
 * time ago, in the ledger and in a model of a few lines. The model is also checked for what the
 * protocol guarantees: one owner, and no file that two workers may delete.
 */

interface Content {
  state: ContentItem['state'];
  revision: number;
  owner?: string | undefined;
  leaseUntil?: number | undefined;
  fileId?: string | undefined;
  doomed?: string | undefined;
  /** Until when it is kept, and in the index of what is kept. */
  keptUntil?: string | undefined;
  claims: number;
}

interface Model {
  content: Content | undefined;
  references: Set<string>;
  now: number;
  /** What each worker saw last; absent when there was none, or it never looked. */
  seen: Map<string, Content>;
}

interface Real {
  table: Table;
  contents: Contents;
  clock: { now: number };
  seen: Map<string, ContentItem>;
}

type Command = fc.AsyncCommand<Model, Real>;

const sha = 'c'.repeat(64);
const keptUntil = '2026-11-29T12:00:00.000Z';
const facts = { contentSha256: sha, sizeBytes: 3, filename: 'a.txt', mimeType: 'text/plain' };

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

async function compare(model: Model, { contents, table }: Real): Promise<void> {
  const item = await contents.get(sha);
  const { content } = model;
  // A `deleting` content may be in the index of what is kept, too, which its type does not say.
  expect(item && pick(item)).toEqual(content && defined({ ...content, keptUntil: undefined }));
  const stored = await table.get(contentKey(sha));
  expect([stored?.stateAt, stored?.keptUntil]).toEqual([content?.keptUntil, content?.keptUntil]);
  expect(stored !== undefined && 'stateShard' in stored).toBe(content?.keptUntil !== undefined);
  expect(await contents.isReferenced(sha)).toBe(model.references.size > 0);
  if (!content) return;
  // What each state means.
  expect(content.state === 'live').toBe(
    content.fileId !== undefined && content.state !== 'deleting',
  );
  if (content.state === 'live' || content.state === 'free') expect(content.owner).toBeUndefined();
}

const pick = (item: ContentItem) =>
  defined({
    state: item.state,
    revision: item.revision,
    owner: item.owner,
    leaseUntil: item.leaseUntil,
    fileId: item.fileId,
    doomed: item.doomedFileId,
    claims: item.claims,
  });

const defined = (given: object) =>
  Object.fromEntries(Object.entries(given).filter(([, value]) => value !== undefined));

/** Whether the content is still as the worker saw it, so that its conditional write succeeds. */
const unchanged = (model: Model, by: string): boolean =>
  model.content?.revision === model.seen.get(by)?.revision && model.content !== undefined;

const owns = (model: Model, by: string): boolean =>
  model.content?.state === 'uploading' && model.content.owner === by;

const look = (by: string) =>
  command(`${by} looks`, async (model, { contents, seen }) => {
    const item = await contents.get(sha);
    if (item && model.content) {
      seen.set(by, item);
      model.seen.set(by, { ...model.content });
    } else {
      seen.delete(by);
      model.seen.delete(by);
    }
  });

const claim = (by: string) =>
  command(`${by} claims`, async (model, { contents, seen }) => {
    const item = await contents.claim(facts, seen.get(by), by, 1_000);

    const was = model.seen.get(by);
    const first = was ? unchanged(model, by) : model.content === undefined;
    expect(item !== undefined).toBe(first);
    if (!first) return;
    const doomed = was?.state === 'deleting' && was.fileId ? was.fileId : was?.doomed;
    model.content = {
      state: 'uploading',
      revision: was ? was.revision + 1 : model.now,
      owner: by,
      leaseUntil: model.now + 1_000,
      doomed,
      claims: (was?.claims ?? 0) + 1,
    };
  });

/** A write that only the owner of a claim may make. */
const owned = (
  by: string,
  text: string,
  write: (contents: Contents) => Promise<boolean>,
  effect: (content: Content, model: Model) => Content,
) =>
  command(`${by} ${text}`, async (model, { contents }) => {
    const may = owns(model, by);
    expect(await write(contents)).toBe(may);
    if (!may || !model.content) return;
    const { revision } = model.content;
    model.content = { ...effect(model.content, model), revision: revision + 1 };
  });

/** A write on the content as the worker saw it. */
const onSeen = (
  by: string,
  text: string,
  write: (contents: Contents, seen: ContentItem) => Promise<ContentItem | boolean | undefined>,
  effect: (content: Content, model: Model) => Content | undefined,
) =>
  command(`${by} ${text}`, async (model, { contents, seen }) => {
    const item = seen.get(by);
    if (!item) return;
    const may = unchanged(model, by);
    const done = await write(contents, item);
    expect(Boolean(done)).toBe(may);
    if (!may || !model.content) return;
    const { revision } = model.content;
    const next = effect(model.content, model);
    model.content = next && { ...next, revision: revision + 1 };
    if (typeof done !== 'object' || !next) return;
    // It works on with what its write returned.
    seen.set(by, done);
    model.seen.set(by, { ...next, revision: revision + 1 });
  });

const startDelete = (by: string) =>
  onSeen(
    by,
    'starts to delete',
    (contents, seen) => contents.beginDelete(seen, by, 700),
    (content, model) => ({ ...content, state: 'deleting', owner: by, leaseUntil: model.now + 700 }),
  );

/** The worker looks right before it acts, so that more of what follows a deletion is reached. */
const looking = (by: string, then: Command): Command => ({
  check: () => true,
  async run(model, real) {
    await look(by).run(model, real);
    await then.run(model, real);
  },
  toString: () => `${by} looks, then ${then}`,
});

const worker = fc.constantFrom('ann', 'bob', 'cy');
const file = fc.constantFrom('f1', 'f2');
const reference = fc.constantFrom('d1#01', 'd1#02', 'd2#01');

const commands = [
  worker.map(look),
  worker.map(look),
  worker.map(claim),
  fc.nat({ max: 2_000 }).map((ms) =>
    command(`${ms} ms pass`, async (model, { clock }) => {
      clock.now += ms;
      model.now += ms;
    }),
  ),
  worker.map((by) =>
    owned(
      by,
      'renews',
      (contents) => contents.renew(sha, by, 500),
      (content, model) => ({ ...content, leaseUntil: model.now + 500 }),
    ),
  ),
  fc.tuple(worker, file).map(([by, fileId]) =>
    owned(
      by,
      `has uploaded ${fileId}`,
      (contents) => contents.setLive(sha, by, { fileId }),
      ({ claims, revision }) => ({ state: 'live', fileId, claims, revision }),
    ),
  ),
  fc.tuple(worker, fc.boolean()).map(([by, stray]) =>
    owned(
      by,
      `gives up, ${stray ? 'maybe leaving a stray' : 'without a trace'}`,
      (contents) => contents.abandon(sha, by, stray),
      ({ claims, revision, doomed }) => ({
        state: stray ? 'uploading' : 'free',
        ...(stray ? { leaseUntil: 0 } : {}),
        doomed,
        claims,
        revision,
      }),
    ),
  ),
  file.map((fileId) =>
    command(`${fileId} is gone`, async (model, { contents }) => {
      const { content } = model;
      const meant = content?.state === 'live' && content.fileId === fileId;
      expect(await contents.evict(sha, fileId)).toBe(meant);
      if (!meant) return;
      const { claims, revision } = content;
      model.content = { state: 'free', claims, revision: revision + 1 };
    }),
  ),
  worker.map(startDelete),
  worker.map((by) => looking(by, startDelete(by))),
  worker.map((by) => looking(by, claim(by))),
  worker.map((by) =>
    onSeenDeleting(
      by,
      'revives',
      (contents, seen) => contents.revive(seen, false),
      (content) => ({
        ...content,
        state: content.fileId ? 'live' : 'uploading',
        owner: undefined,
        leaseUntil: undefined,
        keptUntil: undefined,
      }),
    ),
  ),
  worker.map((by) =>
    onSeenDeleting(
      by,
      'fails to delete',
      (contents, seen) => contents.forgetDeleter(seen),
      (content) => ({ ...content, leaseUntil: 0 }),
    ),
  ),
  worker.map(keep),
  worker.map(keep),
  worker.map((by) =>
    onSeenDeleting(
      by,
      'forgets',
      (contents, seen) => contents.forget(seen),
      () => undefined,
    ),
  ),
  reference.map((at) =>
    command(`${at} joins`, async (model, { contents }) => {
      const [documentId = '', order = ''] = at.split('#');
      await contents.join(sha, documentId, order);
      model.references.add(at);
    }),
  ),
  reference.map((at) =>
    command(`${at} leaves`, async (model, { contents }) => {
      const [documentId = '', order = ''] = at.split('#');
      await contents.leave(sha, documentId, order);
      model.references.delete(at);
    }),
  ),
];

function keep(by: string): Command {
  return onSeenDeleting(
    by,
    'keeps it for a while',
    (contents, seen) => contents.retire(seen, keptUntil),
    ({ claims, revision }) => ({ state: 'past', keptUntil, claims, revision }),
  );
}

/** Like `onSeen`, for what only a deleter does. */
function onSeenDeleting(...args: Parameters<typeof onSeen>): Command {
  const inner = onSeen(...args);
  return {
    check: (model) => model.seen.get(args[0])?.state === 'deleting',
    run: inner.run,
    toString: inner.toString,
  };
}

test('any workers in any order leave what the model predicts', async () => {
  await fc.assert(
    fc.asyncProperty(fc.commands(commands, { maxCommands: 60, size: 'max' }), async (run) => {
      await fc.asyncModelRun(async () => {
        const { table, clock } = await emptyLedger();
        const model: Model = {
          content: undefined,
          references: new Set(),
          now: clock.now,
          seen: new Map(),
        };
        const contents = new Contents(table, () => clock.now);
        return { model, real: { table, contents, clock, seen: new Map() } };
      }, run);
    }),
    { seed: 20261122, numRuns: 300 },
  );
});
