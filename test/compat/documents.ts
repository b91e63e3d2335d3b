import { illustratedReport } from '../fixtures/documents.ts';
import { faultLog, quarterlySales } from '../fixtures/plain.ts';
import { mailWith } from '../world/mail.ts';

/** What the past version was given (`make-past.ts`), and how it left it. */

/** Value of DROPLINE_DEPLOYMENT. */
export const deployment = 'past-deployment';

/** A text of its own for each key. */
export const textOf = (key: string): string =>
  `Report about ${key}. The turbine of this report ran for ${key.length} hours without a fault.`;

/** The second content of `overwritten.txt`. */
export const second = textOf('the second version');

const noise = Uint8Array.from({ length: 640 }, (_, index) => (index * 37 + (index >> 3)) % 256);
const mail = mailWith('quarterly figures');

/** Keys that are `ready`, or were before what came later. */
export const ready = [
  'plain.txt',
  'log.txt',
  'sales.csv',
  'report.docx',
  'mail.eml',
  'overwritten.txt',
  'emptied.txt',
  'removed.txt',
  'leaving.txt',
];

/** Keys that are `failed`: one before anything was paid, one after. */
export const failed = ['broken.docx', 'refused.txt'];

/** The documents that the past version worked to their end. */
export async function ended(): Promise<Record<string, string | Uint8Array>> {
  return {
    ...Object.fromEntries([...ready, 'refused.txt'].map((key) => [key, textOf(key)] as const)),
    'log.txt': faultLog,
    'sales.csv': quarterlySales(12),
    'report.docx': await illustratedReport(),
    'mail.eml': mail,
    'broken.docx': Buffer.concat([Buffer.from('PK\x03\x04'), noise]),
    'skipped.bin': noise,
  };
}
