import type { LocalStack } from '../stack.ts';
import { isTerminal, type Records, type Standing } from './records.ts';

/** A dropped document. It has ended when a record that is at least this new says so. */
export interface Awaited {
  documentId: string;
  key: string;
  /** Sequencer of the drop; undefined when the object was already there, unchanged. */
  sequencer: string | undefined;
}

export interface WaitOptions {
  stack: LocalStack;
  records: Records;
  awaited: Awaited[];
  /** Called for each document that ended. */
  onEnd?: (document: Awaited, standing: Standing) => void;
  /**
   * Called often enough for a progress display, with the codes of what documents are waiting for while the
   * Claude API is down, one for each document.
   */
  onTick?: (waiting: string[]) => void;
  signal: AbortSignal;
}

/** Documents read at once: few while the functions are busy, because reading records slows them down. */
const look = { busy: 25, idle: 100 };
const tickMs = 250;
/** How long all queues must be empty before an unfinished document counts as left behind. */
const idleMs = 3000;

/**
 * Waits until all documents have ended. They are checked in turn, the first dropped first, so the cost of a
 * check does not grow with their number.
 * @returns those that did not end although nothing is left to do: held, or in a dead-letter queue
 */
export async function waitForEnd(options: WaitOptions): Promise<Awaited[]> {
  const { stack, records, awaited, signal, onEnd, onTick } = options;
  let open = [...awaited];
  const held = new Set<string>();
  const waiting = new Map<string, string>();
  let idleSince: number | undefined;
  /** Checks that found nothing new since the queues became empty. */
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
    // Only held documents are left, and they need a person.
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

/** Waits until all queues are empty, so that the parts of mails and archives have ended too. */
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

/** Compares sequencers as S3 documents it: shorter ones are padded with zeros on the right. */
export function isOlder(a: string, b: string): boolean {
  const length = Math.max(a.length, b.length);
  return a.toUpperCase().padEnd(length, '0') < b.toUpperCase().padEnd(length, '0');
}

/** Resolves after `ms`, or as soon as the signal aborts. */
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
