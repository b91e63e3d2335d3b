import { serviceDown, serviceIsDown } from '../journey/alarm-lines.ts';
import { outageWaitMs } from '../journey/backoff.ts';
import type { ServiceDown } from '../journey/errors.ts';
import type { Outcome } from '../journey/outcome.ts';
import type { QueuedStep } from '../journey/steps.ts';
import type { DocumentItem } from '../ledger/document-item.ts';
import { downForAWhileMs } from '../ledger/troubles.ts';
import { recordEntry } from './record-entry.ts';
import type { StepTools } from './tools.ts';

/** The longest wait while an outage is young, and later, in milliseconds. */
const longestMs = { young: 60_000, old: 300_000 };

/** Times in a row after which a document that alone finds the API down has a fault of its own: about an hour. */
const patience = 20;

/**
 * The document waits for the API to come back, for as long as that takes; its record says what for. The waits
 * in a row are counted by themselves, not as attempts.
 *
 * Waits are short while the outage is young, so that the alarm rings within ten minutes with a single document
 * too. One whose calls failed twenty times while those of others succeeded in between is told apart: it is not
 * the API that is down.
 * @returns `own` when the fault is the document's own
 */
export async function waitForService(
  step: QueuedStep,
  document: DocumentItem,
  error: ServiceDown,
  { documents, circuits, policy, log, now }: StepTools,
): Promise<Outcome | 'own'> {
  const { since, alarm } = await circuits.troubles.down(step);
  const { outages = 0, error: last } = document;
  // A success ends an outage for the whole fleet, so one that began after our last failure is another one.
  if (outages >= patience && last && since > Date.parse(last.at)) return 'own';
  const waiting = await documents.waitsForService(document, recordEntry(error, step));
  const times = waiting?.outages ?? 1;
  const longest = now() - since < downForAWhileMs ? longestMs.young : longestMs.old;
  const delayMs = Math.max(error.delayMs, outageWaitMs(times, policy.random, longest));
  const { documentId, key } = document;
  const fields = { documentId, key, step, code: error.code, times, delayMs, reason: error.message };
  if (alarm) log.error(serviceIsDown, { ...fields, since: new Date(since).toISOString() });
  else log.warn(serviceDown, fields);
  return { next: 'defer', delayMs };
}
