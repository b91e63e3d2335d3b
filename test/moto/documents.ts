import { readdirSync, readFileSync } from 'node:fs';
import { zipSync } from 'fflate';
import { illustratedReport } from '../fixtures/documents.ts';
import { faultLog, meetingMinutes, quarterlySales } from '../fixtures/plain.ts';
import { mailWith } from '../world/mail.ts';

const samples = new URL('../../infra/local/samples/', import.meta.url);

/** Twenty documents of every kind, two of them parts of others, by the key under which they are dropped. */
export async function twenty(): Promise<Record<string, Uint8Array>> {
  const bytes = (text: string) => new TextEncoder().encode(text);
  const files = readdirSync(samples).map((name) => [
    `samples/${name}`,
    new Uint8Array(readFileSync(new URL(name, samples))),
  ]);
  const texts = Array.from({ length: 5 }, (_, index) => [
    `texts/${index}.txt`,
    bytes(`Report ${index}. The turbine ran for ${index * 7} hours. It was then stopped.`),
  ]);
  return {
    ...Object.fromEntries(files),
    ...Object.fromEntries(texts),
    'illustrated.docx': new Uint8Array(await illustratedReport()),
    'log.txt': bytes(faultLog),
    'minutes.md': bytes(`${meetingMinutes}\n`),
    'sales.tsv': bytes(quarterlySales(12).replaceAll(',', '\t')),
    'a name with spaces + ü.txt': bytes('A key of special characters. It must survive the event.'),
    'mail.eml': bytes(mailWith('wind')),
    'archive.zip': zipSync({ 'inside.txt': bytes('The entry speaks of water. It fell.') }),
    'empty.csv': new Uint8Array(),
  };
}
