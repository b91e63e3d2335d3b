import { type QuestionAnswer, type QuestionReply, readAnswer } from './answer.ts';
import { namingDocuments } from './at-fault.ts';
import type { QuestionPlan } from './plan.ts';
import type { QuestionRequest } from './request.ts';

/** The call that is billed. `ClaudeClient` fits; with the official SDK see `askQuestion`. */
export interface Answerer {
  createMessage(request: QuestionRequest): Promise<QuestionReply>;
}

/**
 * Asks a planned question, in one request that is billed, and returns the answer with its citations and what it cost.
 * Nothing is stored: to ask again is to pay again. An answer that was refused or cut off is billed too, so it is returned
 * and not thrown: look at `outcome`.
 *
 * Throws `CannotAsk` when a file no longer exists at Claude or cannot be read there, and whatever `createMessage` throws.
 * @example
 * import { askQuestion, DroplineReader, planQuestion } from 'dropline-aws';
 * // With the official SDK: createMessage: (request) => sdk.messages.create(request)
 * const claude = {
 *   countTokens: async () => 20_000,
 *   createMessage: async () => ({
 *     model: 'claude-haiku-5-5', stop_reason: 'end_turn', usage: { input_tokens: 20_000, output_tokens: 10 },
 *     content: [{ type: 'text', text: 'In 2027.', citations: [{ type: 'char_location', cited_text: 'ends in 2027',
 *       document_index: 0, start_char_index: 90, end_char_index: 102 }] }],
 *   }),
 * };
 * const reader = new DroplineReader({ table: 'dropline-ledger' });
 * const record = await reader.get('dropline-inbox', 'services-agreement.docx');
 * const plan = await planQuestion({
 *   documents: record ? [record] : [], question: 'When does it end?', model: 'claude-haiku-5-5', claude, now: Date.now(),
 * });
 * const { text, citations, costUsd } = await askQuestion(plan, claude);
 * console.log(text, citations[0]?.key, citations[0]?.place.start, costUsd); // prints In 2027. services-agreement.docx 90 0.002005
 */
export async function askQuestion(plan: QuestionPlan, claude: Answerer): Promise<QuestionAnswer> {
  const { sources, request, prices } = plan;
  const reply = await namingDocuments(sources, request, () => claude.createMessage(request));
  return readAnswer(reply, sources, prices);
}
