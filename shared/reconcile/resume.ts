import type { StepMessage } from '../journey/messages.ts';
import { isQueued, steps } from '../journey/steps.ts';
import {
  type Admission,
  type Circuit,
  hasPassed,
  type Lane,
  laneOf,
  lanes,
} from '../ledger/circuit.ts';
import type { DocumentIn, DocumentItem } from '../ledger/document-item.ts';
import { messageOf, resend } from '../steps/resend.ts';
import { affordable } from './affordable.ts';
import type { Duty, ReconcileTools } from './duty.ts';
import { firstPlace, type HeldPlace, heldPage } from './held-page.ts';
import { readDocument } from './read-document.ts';
import { note, type ReconcileReport } from './report.ts';

/** Documents that are moved at once. */
const movesAtOnce = 64;
/** How many pages a document to probe with is looked for in. */
const probePages = 10;
/** When a probe is looked at, in milliseconds after the look before: a minute in all. */
const probeLooksMs = [1_000, 2_000, 4_000, 8_000, 15_000, 30_000];

/**
 * Lets held documents resume where they were stopped, in the order in which they came.
 *
 * A lane whose time has come, whose key was replaced, or about which a person asks is probed with one document,
 * and the run waits for what becomes of it. When it got through, everything in the lane resumes, a page of all
 * shards at a time: that many are moved at once and sent in batches. The lane is looked at again before each page,
 * so a reason that is back stops the rest. The document that met the refusal comes last: it may be refused for
 * itself, as a file that does not fit is, and must not stop the lane before the others had their turn.
 */
export const resumeHeld: Duty = async (cursor, tools, report) => {
  const place = cursor ? (JSON.parse(cursor) as HeldPlace) : firstPlace;
  const openers = new Set(place.openers);
  const admitted = new Set<Lane>();
  for (const lane of lanes) {
    const admission = await tools.circuits.admission(lane, tools.resume);
    if (await isAdmitted(lane, admission, !cursor, tools, report)) {
      admitted.add(lane);
      if (admission.circuit?.openedBy) openers.add(admission.circuit.openedBy);
    }
  }
  if (admitted.size === 0) return undefined;

  const { documents, next } = await heldPage(place, tools, report);
  const { ids: paid, promised } = await affordable(documents, place.promised ?? 0, admitted, tools);
  const resumes = (document: DocumentIn<'held'>) =>
    admitted.has(laneOf(document.error)) || paid.has(document.documentId);
  await resumeAll(
    documents.filter((one) => resumes(one) && !openers.has(one.documentId)),
    tools,
    report,
  );
  if (next) return JSON.stringify({ ...next, openers: [...openers], promised });
  for (const opener of openers) {
    const document = await readDocument(opener, tools, report);
    if (document?.status === 'held' && resumes(document)) {
      await resumeAll([document], tools, report);
    }
  }
  return undefined;
};

/** Whether all documents of a lane may resume; where one has to find out first, it is sent and waited for. */
async function isAdmitted(
  lane: Lane,
  { admits, circuit }: Admission,
  isFirstPage: boolean,
  tools: ReconcileTools,
  report: ReconcileReport,
): Promise<boolean> {
  // A dry run names all that wait for the one which finds out.
  if (tools.dryRun) return admits !== 'none';
  if (admits === 'all') {
    if (circuit) await tools.circuits.close(lane);
    return true;
  }
  return admits === 'one' && circuit !== undefined && isFirstPage
    ? probe(lane, circuit, tools, report)
    : false;
}

/** Lets one document of a stopped lane through. @returns true when it got through while we waited */
async function probe(
  lane: Lane,
  circuit: Circuit,
  tools: ReconcileTools,
  report: ReconcileReport,
): Promise<boolean> {
  const document = await probeFor(lane, circuit, tools, report);
  await tools.circuits.probe(lane, tools.heldMs);
  // Nobody waits in the lane, but releases and new documents are still turned away from it: they find out
  // themselves whether it is free.
  if (!document) return false;
  await resumeAll([document], tools, report);
  for (const ms of probeLooksMs) {
    if (!tools.timeLeft()) return false;
    await tools.sleep(ms);
    const present = await tools.circuits.get(lane);
    if (present?.state === 'open') return false;
    if (!present || hasPassed(present, tools.now())) {
      await tools.circuits.close(lane);
      return true;
    }
  }
  return false;
}

/**
 * The document that finds out: the first of the lane that waits for the step which met the refusal, else any other,
 * and last the one that met it.
 */
async function probeFor(
  lane: Lane,
  { openedBy, step }: Circuit,
  tools: ReconcileTools,
  report: ReconcileReport,
): Promise<DocumentIn<'held'> | undefined> {
  const worksOn = step && isQueued(step) ? steps[step].worksOn : undefined;
  let other: DocumentIn<'held'> | undefined;
  let place: HeldPlace | undefined = firstPlace;
  for (let pages = 0; place && pages < probePages; pages += 1) {
    const page = await heldPage(place, tools, report);
    const candidates = page.documents.filter(
      (one: DocumentIn<'held'>) => laneOf(one.error) === lane && one.documentId !== openedBy,
    );
    const best = candidates.find(({ heldFrom }) => !worksOn || heldFrom === worksOn);
    if (best) return best;
    other ??= candidates[0];
    place = page.next;
  }
  if (other) return other;
  const opener = openedBy ? await readDocument(openedBy, tools, report) : undefined;
  return opener?.status === 'held' && laneOf(opener.error) === lane ? opener : undefined;
}

/** Moves documents back to the status they were held in and puts them into their queues, in this order. */
async function resumeAll(
  documents: readonly DocumentIn<'held'>[],
  tools: ReconcileTools,
  report: ReconcileReport,
): Promise<void> {
  for (const { documentId } of documents) note(report, 'resumed', documentId);
  if (tools.dryRun) return;
  for (let at = 0; at < documents.length; at += movesAtOnce) {
    const moved = await Promise.all(
      documents.slice(at, at + movesAtOnce).map((document) => reopened(document, tools)),
    );
    const messages: StepMessage[] = [];
    for (const document of moved) {
      const message = document && messageOf(document);
      if (message) messages.push(message);
      else if (document) await resend(document, tools);
    }
    await tools.sendAll(messages);
  }
}

function reopened(
  document: DocumentIn<'held'>,
  tools: ReconcileTools,
): Promise<DocumentItem | undefined> {
  return tools.documents.move(
    document,
    document.heldFrom,
    {},
    { remove: ['heldFrom', 'error', 'outages', 'needs'] },
  );
}
