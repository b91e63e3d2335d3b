import type { LocalStack } from '../stack.ts';
import { isTerminal, type Records, type Standing } from './records.ts';

/** A document that was dropped: it has ended when a record that is at least this new says so. */
export interface Awaited {
  documentId: string;
  key: string;
  /** Sequencer of the drop; undefined when the object was there already, unchanged. */
  sequencer: string | undefined;
}

export interface WaitOptions {
  stack: LocalStack;
  records: Records;
  awaited: Awaited[];
  /** Told of each document that ended, and often enough for a progress display. */
  onEnd?: (document: Awaited, standing: Standing) => void;
  onTick?: (done: number) => void;
  signal: AbortSignal;
}

/** Enough to see steady progress, few enough to cost the ledger nothing. */
const windowSize = 100;
const tickMs = 250;
/** How long all queues must be empty before a document without an end counts as left behind. */
const idleMs = 3000;

/**
 * Waits until all documents have ended. The oldest open ones are looked at each tick, so the cost
 * does not grow with their number.
 * @returns those that did not end although nothing is left to do: held, or given up by their queue
 */
export async function waitForEnd(options: WaitOptions): Promise<Awaited[]> {
  const { stack, records, signal } = options;
  const open = [...options.awaited];
  let idleSince: number | undefined;
  let turn = 0;
  const held = new Set<string>();
  while (!signal.aborted) {
    const window = open.slice(0, windowSize);
    // Those behind the window are looked at in turn: they may have overtaken the ones in it.
    if (open.length > windowSize) {
      turn = (turn + windowSize) % open.length;
      window.push(
        ...open.slice(Math.max(turn, windowSize), Math.max(turn, windowSize) + windowSize),
      );
    }
    const standings = await records.standings(window.map(({ documentId }) => documentId));
    let ended = 0;
    for (const document of window) {
      const standing = standings.get(document.documentId);
      if (standing?.status === 'held') held.add(document.documentId);
      else held.delete(document.documentId);
      if (!standing || !isTerminal(standing.status)) continue;
      if (document.sequencer && isOlder(standing.sequencer, document.sequencer)) continue;
      open.splice(open.indexOf(document), 1);
      ended += 1;
      options.onEnd?.(document, standing);
    }
    options.onTick?.(options.awaited.length - open.length);
    // A person has to act before any of those that are held can go on.
    if (open.length === held.size) return open;
    if (ended > 0) {
      idleSince = undefined;
      continue;
    }
    const idle = isIdle(stack);
    idleSince = idle ? (idleSince ?? Date.now()) : undefined;
    if (idleSince !== undefined && Date.now() - idleSince >= idleMs) return open;
    await pause(tickMs, signal);
  }
  return open;
}

/** Waits until no queue holds anything, so that parts of mails and archives have ended too. */
export async function waitForIdle(
  stack: LocalStack,
  signal: AbortSignal,
  onTick: () => void,
): Promise<void> {
  while (!signal.aborted && !isIdle(stack)) {
    onTick();
    await pause(tickMs, signal);
  }
}

function isIdle(stack: LocalStack): boolean {
  return stack
    .tallies()
    .every(
      ({ visible, inFlight, delayed, running }) => visible + inFlight + delayed + running === 0,
    );
}

/** Compares sequencers as S3 says: shorter ones are padded with zeros on the right. */
function isOlder(a: string, b: string): boolean {
  const length = Math.max(a.length, b.length);
  return a.toUpperCase().padEnd(length, '0') < b.toUpperCase().padEnd(length, '0');
}

export function pause(ms: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal.aborted) return resolve();
    const timer = setTimeout(done, ms);
    signal.addEventListener('abort', done, { once: true });
    function done() {
      clearTimeout(timer);
      signal.removeEventListener('abort', done);
      resolve();
    }
  });
}
