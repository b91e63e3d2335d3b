import { type CostEntry, costEntrySchema } from '../../shared/ledger/costs.ts';
import { type MemoryLedger, memoryLedger } from '../world/memory-dynamodb.ts';
import type { Gate, KillPoint, Life } from '../world/mortal.ts';
import { deployment, inbox, staging, World, type WorldOptions } from '../world/world.ts';

/*
 * The world of the current test, and the things that happen in it, by name. A test file closes the world with
 * `afterEach(() => world.close())`.
 */

export let world: World;
export let ledger: MemoryLedger;

/** Replaces the world with a new, empty one. */
export async function begin(options?: WorldOptions): Promise<void> {
  ledger = memoryLedger();
  world = await World.create(ledger, options);
}

export const hour = 3_600_000;
export const first = 'First version. Sales rose by 12 percent. Staff grew to 40 people.';
export const second = 'Second version. Costs fell by a third. Nothing else changed at all.';
export const binary = Buffer.from([0, 1, 2, 3, 255, 254, 0, 0, 1, 9, 8, 200]);
export const text = (name: string): string =>
  `The text of ${name}. It speaks of ${name} alone. And of nothing else.`;

/** The record of a key, which must exist. */
export async function present(key: string) {
  const record = await world.record(key);
  if (!record) throw new Error(`no record of ${key}`);
  return record;
}

export const status = async (key: string) => (await world.record(key))?.status;
export const fileIds = (): string[] => world.emulator.files().map(({ id }) => id);
export const paidCalls = (): number => world.calls('messages.create').length;

/** Everything that a run of the reconciler may change, except its report and the pace, which a dry run uses too. */
export const everything = async () => ({
  items: ledger.items().filter(({ sk }) => sk !== 'PACE'),
  queues: Object.values(world.queues).map(({ messages, deadLetters }) => [messages, deadLetters]),
  objects: [await world.buckets.list(inbox), await world.buckets.list(staging)],
});

/** Drops a file and delivers its event. */
export const drop = (key: string, content: string | Uint8Array, w = world): void =>
  w.deliver(w.drop(key, content));

/** Removes a file and delivers its event. */
export const remove = (key: string, w = world): void => w.deliver(w.remove(key));

/** How a worker lives: what its calls wait for, and where it is killed. */
interface Fate {
  gate?: Gate | undefined;
  kill?: KillPoint | undefined;
}

/** One worker takes one message of the intake queue. */
export const normalizeOne = (fate: Fate = {}, w = world) => w.work({ ...fate, only: ['intake'] });
/** One worker takes one message of the upload queue. */
export const uploadOne = (fate: Fate = {}, w = world) => w.work({ ...fate, only: ['upload'] });
/** One worker takes one message of the summarize queue. */
export const summarizeOne = (fate: Fate = {}, w = world) =>
  w.work({ ...fate, only: ['summarize'] });

/** Workers take every message that is visible now; no time passes. */
export async function workVisible(): Promise<void> {
  while (await world.work());
}

/** Drops `<name>.txt` files and works until all have ended. */
export async function settled(...names: string[]): Promise<void> {
  world.deliver(...names.map((name) => world.drop(`${name}.txt`, text(name))));
  await world.drain();
}

/** The first version of `a.txt` waits for its upload. */
export async function waitsForUpload(w = world): Promise<void> {
  drop('a.txt', first, w);
  await normalizeOne({}, w);
}

/** The first version of `a.txt` waits for its summary. */
export async function waitsForSummary(w = world): Promise<void> {
  await waitsForUpload(w);
  await uploadOne({}, w);
}

/** The first version of `a.txt` is ready; the second, which replaces it, waits for its upload. */
export async function overwritten(w = world): Promise<void> {
  drop('a.txt', first, w);
  await w.drain();
  drop('a.txt', second, w);
  await normalizeOne({}, w);
}

/** A worker that waits before a call. */
export interface Paused {
  /** Lets it make the call and finish; its life. */
  resume: () => Promise<Life | undefined>;
}

/**
 * Starts a worker and pauses it before its nth call of a name, counted from 0. One that is killed may never get
 * there.
 * @throws Error when the worker ended alive without that call
 */
export async function pausedBefore(
  call: string,
  start: (gate: Gate) => Promise<Life | undefined>,
  nth = 0,
): Promise<Paused> {
  const opened = Promise.withResolvers<void>();
  const arrived = Promise.withResolvers<void>();
  let seen = 0;
  let paused = false;
  const working = start(async (name) => {
    if (name !== call || seen++ !== nth) return;
    paused = true;
    arrived.resolve();
    await opened.promise;
  });
  await Promise.race([arrived.promise, working]);
  if (!paused && !(await working)?.dead) throw new Error(`the worker never called ${call}`);
  return {
    resume: () => {
      opened.resolve();
      return working;
    },
  };
}

/** A worker that waits before the paid call for the next message of the summarize queue. */
export const pausedBeforePaying = (kill?: KillPoint): Promise<Paused> =>
  pausedBefore('claude.createMessage', (gate) => summarizeOne({ gate, kill }));

/** The calls that a worker of a queue makes after the same has happened in a separate world. */
export async function callsOf(
  queue: 'upload' | 'summarize',
  happen: (w: World) => Promise<void>,
  options?: WorldOptions,
): Promise<string[]> {
  const probe = await World.create(memoryLedger(), options);
  await happen(probe);
  const life = await probe.work({ only: [queue] });
  await probe.close();
  return life?.calls ?? [];
}

/** The call at which the upload of an overwritten file sends its message on, before it releases the past version. */
export async function sendCallOfUpload(): Promise<number> {
  return (await callsOf('upload', overwritten)).indexOf('queues.send');
}

/** Adds a message to the dead letters of a queue, beside any other copy of it. */
export function deadLetterTwin(queue: 'intake' | 'upload' | 'summarize', body: string): void {
  world.queues[queue].deadLetters.push({ id: 'twin', body, visibleAt: 0, receives: 6 });
}

/** A world in which every duty of the reconciler has something to do; `repairs` counts it. */
export async function disorder(): Promise<void> {
  await begin();
  await settled('gone', 'left', 'lost');
  await world.emulator.vanishFile((await present('gone.txt')).fileId ?? '');
  // The event of its removal is lost.
  world.remove('lost.txt');
  // A release of one of its versions was lost.
  const { contentSha256 = '', documentId } = await present('left.txt');
  await world.contents.join(contentSha256, documentId, '0'.repeat(64));
  // Its event is lost.
  world.drop('missed.txt', text('missed'));
  // Its message is lost.
  drop('stuck.txt', text('stuck'));
  await world.work();
  world.queues.upload.messages.splice(0);
  await world.emulator.addFile({
    downloadable: false,
    filename: `stray.${'0'.repeat(16)}-${deployment}.txt`,
    content: 'a stray',
    mimeType: 'text/plain',
  });
  world.advance(7 * hour);
}

/** What the reconciler reports after `disorder`. */
export const repairs = {
  announced: 1,
  resent: 1,
  removalsAnnounced: 1,
  referencesReleased: 1,
  gone: 1,
  orphansDeleted: 1,
};

/** The cost entries of the ledger. */
export async function costEntries(): Promise<CostEntry[]> {
  const items = await world.items();
  return items
    .filter(({ pk }) => String(pk).startsWith('COST#'))
    .map((item) => costEntrySchema.parse(item));
}
