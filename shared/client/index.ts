/** What downstream apps import: `import { DroplineReader } from 'dropline-aws'`. */
export { documentIdOf } from '../journey/ids.ts';
export {
  type DocumentRecord,
  documentRecordSchema,
  hasStatus,
  type RecordIn,
  type Status,
  terminalStatuses,
  toDocumentRecord,
} from '../journey/record.ts';
export type { QuestionAnswer, QuestionCitation, QuestionReply } from '../questions/answer.ts';
export { type Answerer, askQuestion } from '../questions/ask.ts';
export { CannotAsk, type CannotAskCode, type NamedDocument } from '../questions/errors.ts';
export {
  planQuestion,
  type QuestionOptions,
  type QuestionPlan,
  type TokenCounter,
} from '../questions/plan.ts';
export type { QuestionRequest } from '../questions/request.ts';
export type { CostQuery, CostSum } from './costs.ts';
export { DroplineReader, type ListedState, type ReaderOptions, recordOfImage } from './reader.ts';
