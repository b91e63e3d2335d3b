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
  /**
   * Told of each document that ended, and, often enough for a progress display, what documents wait for while
   * the Claude API is down: a code each.
   */
  onEnd?: (document: Awaited, standing: Standing) => void;
  onTick?: (waiting: string[]) => void;
  signal: AbortSignal;
}

/** Documents looked at in one go: few while work goes on, for reading records costs the work. */
const look = { busy: 25, idle: 100 };
const tickMs = 250;
/** How long all queues must be empty before a document without an end counts as left behind. */
const idleMs = 3000;

/**
 * Waits until all documents have ended. They are looked at in turn, those that were dropped first
 * before the others, so the cost of a look does not grow with their number.
 * @returns those that did not end although nothing is left to do: held, or given up by their queue
 */
export async function waitForEnd(options: WaitOptions): Promise<Awaited[]> {
  const { stack, records, awaited, signal, onEnd, onTick } = options;
  let open = [...awaited];
  const held = new Set<string>();
  const waiting = new Map<string, string>();
  let idleSince: number | undefined;
  /** Documents looked at since the queues are empty, in vain. */
  let inVain = 0;
  while (open.length > 0 && !signal.aborted) {
    const looked = open.slice(0, idleSince === undefined ? look.busy : look.idle);
    const standings = await records.standings(looked.map(({ documentId }) => documentId));
    const left: Awaited[] = [];
    for (const document of looked) {
      const standing = standings.get(document.documentId);
      if (standing?.status === 'held') held.add(document.documentId);
      else held.delete(document.documentId);
      if (standing?.waitsFor) waiting.set(document.documentId, standing.waitsFor);
      else waiting.delete(document.documentId);
      if (standing && hasEnded(document, standing)) onEnd?.(document, standing);
      else left.push(document);
    }
    open = [...open.slice(looked.length), ...left];
    onTick?.([...waiting.values()]);
    // A person has to act before any of those that are held can go on.
    if (open.length === held.size) return open;
    if (left.length < looked.length) {
      inVain = 0;
      idleSince = undefined;
      if (left.length < looked.length / 2) continue;
    }
    if (!isIdle(stack)) {
      idleSince = undefined;
      inVain = 0;
    } else {
      idleSince ??= Date.now();
      inVain += looked.length;
      if (Date.now() - idleSince >= idleMs && inVain >= open.length) return open;
    }
    await pause(tickMs, signal);
  }
  return open;
}

function hasEnded({ sequencer }: Awaited, standing: Standing): boolean {
  if (!isTerminal(standing.status)) return false;
  return sequencer === undefined || !isOlder(standing.sequencer, sequencer);
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
export function isOlder(a: string, b: string): boolean {
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
