/** What downstream apps import: `import { DroplineReader } from 'dropline-aws'`. */
export { documentIdOf } from '../journey/ids.ts';
export {
  type DocumentRecord,
  documentRecordSchema,
  type Status,
  terminalStatuses,
  toDocumentRecord,
} from '../journey/record.ts';
export type { CostQuery, CostSum } from './costs.ts';
export { DroplineReader, type ListedState, type ReaderOptions, recordOfImage } from './reader.ts';
