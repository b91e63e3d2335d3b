import { askedBy, type Profile } from '../journey/profiles.ts';
import { contentIdOf, contentName } from '../ledger/content-id.ts';
import type { DocumentIn } from '../ledger/document-item.ts';
import { copyAnswers, leftBehind, partsOf, toldOf } from './answer-copy.ts';
import { collectFiles } from './produced.ts';
import type { Answered } from './questions.ts';
import type { AnswerTools, Claude } from './tools.ts';

/**
 * What follows an answer: the record, once all questions are answered or one was refused; else the next question. That is
 * asked by a message of its own, because one invocation has the time of one call. A worker that dies before it sends the
 * message has not ended its own, whose redelivery finds the answer and goes on from there.
 */
export async function goOn(
  document: DocumentIn<'uploaded'>,
  profile: Profile,
  answered: readonly Answered[],
  tools: AnswerTools & { claude: Claude },
): Promise<void> {
  const isLast = answered.length === askedBy(profile).length;
  if (isLast || answered.at(-1)?.answer.state === 'refused') {
    const collected: Answered[] = [];
    for (const one of answered) collected.push(await collectFiles(one, tools));
    return copyAnswers(document, profile, collected, tools);
  }
  await sendOn(document, tools);
}

/** Sends a document on to be asked about further, by an invocation of its own. */
export async function sendOn(document: DocumentIn<'uploaded'>, tools: AnswerTools): Promise<void> {
  const { documentId, order } = document;
  await tools.send({ step: 'summarize', documentId, order, ...contentName(contentIdOf(document)) });
}

/**
 * Writes into the record what is answered while another question is still to be asked. It is written again, and the same,
 * with the rest; a document that fails meanwhile keeps it.
 * @returns the document as it is now, or `undefined` when a newer event came first
 */
export async function tellSoFar(
  document: DocumentIn<'uploaded'>,
  profile: Profile,
  answered: readonly Answered[],
  tools: AnswerTools,
): Promise<DocumentIn<'uploaded'> | undefined> {
  if (answered.every((one) => isTold(document, one))) return document;
  const { changes } = await partsOf(document, profile, answered, tools);
  const { usage, ...told } = toldOf(document, profile, answered);
  // Calls of a function of 0.1 are added once, with the last answer.
  const paid = document.lease ? {} : { usage };
  const moved = await tools.documents.move(document, 'uploaded', { ...told, ...paid, ...changes });
  if (!moved) await leftBehind(document, contentIdOf(document), tools);
  return moved;
}

function isTold({ answers }: DocumentIn<'uploaded'>, { kind, ref, answer }: Answered): boolean {
  const told = answers?.[kind];
  return told?.question === ref.question && told.generation === answer.generation;
}
