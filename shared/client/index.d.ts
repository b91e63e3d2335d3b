/** What downstream apps import: `import { DroplineReader } from 'dropline'`. */
export { documentIdOf } from './ids.ts';
export { DroplineReader, type ListedState, type ReaderOptions, recordOfImage } from './reader.ts';
export { type DocumentRecord, documentRecordSchema, type Status, terminalStatuses, toDocumentRecord, } from './record.ts';
