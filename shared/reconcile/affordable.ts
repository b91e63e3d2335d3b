import { laneStopped } from '../journey/alarm-lines.ts';
import { type Lane, laneOf } from '../ledger/circuit.ts';
import type { DocumentIn } from '../ledger/document-item.ts';
import { nanoNeeded } from '../steps/reserve.ts';
import type { ReconcileTools } from './duty.ts';

/**
 * Which of the documents that the budget holds it pays for now: in their order, each that still fits. So on a new day or
 * month, or with a raised budget, no more documents resume than can be paid, and one that is too large for what is left does
 * not keep the others. What is resumed reserves for itself, as every document.
 * @param promised what the documents resumed before in this pass may cost, in billionths of a dollar
 * @returns their documentIds, and `promised` with what they may cost
 */
export async function affordable(
  documents: readonly DocumentIn<'held'>[],
  promised: number,
  admitted: ReadonlySet<Lane>,
  tools: ReconcileTools,
): Promise<{ ids: ReadonlySet<string>; promised: number }> {
  const ids = new Set<string>();
  const held = documents.filter(({ error }) => laneOf(error) === 'budget');
  // Paid for, they would be held at once by the lane that is stopped.
  const isOpen = admitted.has('claude') && admitted.has('summarize');
  if (held.length === 0 || !isOpen) return { ids, promised };
  let left = (await tools.budgets.left()) - promised;
  let sum = promised;
  for (const document of held) {
    const needed = neededBy(document, tools);
    if (needed === undefined || needed > left) continue;
    left -= needed;
    sum += needed;
    ids.add(document.documentId);
  }
  const first = held.find(({ documentId }) => !ids.has(documentId));
  if (first && !tools.dryRun) {
    const { code, message } = first.error;
    const fields = { lane: 'budget', code, documents: held.length - ids.size, reason: message };
    tools.log.error(laneStopped, fields);
  }
  return { ids, promised: sum };
}

/** What the budget has to have for a document, in billionths of a dollar; `undefined` while that is not known. */
function neededBy(document: DocumentIn<'held'>, tools: ReconcileTools): number | undefined {
  const profile = tools.profileFor(document);
  // It ends by itself, without a call; and without a budget nothing is needed.
  if (!profile || !tools.budgets.isSet) return 0;
  return nanoNeeded(document, profile, tools);
}
