/** What downstream apps import: `import { DroplineReader } from 'dropline'`. */
export { documentIdOf } from './ids.js';
export { DroplineReader, recordOfImage } from './reader.js';
export { documentRecordSchema, terminalStatuses, toDocumentRecord, } from './record.js';
