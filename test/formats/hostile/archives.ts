import { deflateRawSync } from 'node:zlib';
import { docxParts, p, rawDocx } from '../../fixtures/ooxml.ts';
import { type RawEntry, rawZip } from '../raw-zip.ts';
import type { HostileCase, Targets } from './case.ts';

const MiB = 1024 * 1024;
const zeros = Buffer.alloc(64 * MiB);

function docxEntries(): RawEntry[] {
  return Object.entries(docxParts(p('text'))).map(([name, content]) => ({ name, content }));
}

/** Archives, and office documents as archives. The function is a table of cases. */
export function archiveCases({ file }: Targets): HostileCase[] {
  return [
    {
      title: 'a flat zip bomb',
      name: 'a.zip',
      bytes: () => rawZip([{ name: 'a', content: zeros }]),
      code: 'normalize.zip_bomb',
    },
    {
      title: 'a zip bomb of many entries',
      name: 'a.zip',
      bytes: () => {
        const content = zeros.subarray(0, 8 * MiB);
        const packed = deflateRawSync(content);
        return rawZip(Array.from({ length: 20 }, (_, at) => ({ name: `${at}`, content, packed })));
      },
      code: 'normalize.zip_bomb',
    },
    {
      title: 'a zip bomb whose entries overlap',
      name: 'a.zip',
      bytes: () => {
        const content = zeros.subarray(0, MiB);
        const packed = deflateRawSync(content);
        const shared = Array.from({ length: 100 }, (_, at) => ({
          name: `${at}`,
          content,
          packed,
          sharesWith: 0,
        }));
        return rawZip([{ name: 'first', content }, ...shared]);
      },
      code: 'normalize.zip_bomb',
    },
    {
      title: 'a zip bomb that lies about its size',
      name: 'a.zip',
      bytes: () => rawZip([{ name: 'a', content: zeros, uncompressedSize: 9 }]),
      code: 'normalize.zip_bomb',
    },
    {
      title: 'an archive of 20,000 empty files',
      name: 'a.zip',
      bytes: () => rawZip(Array.from({ length: 20_000 }, (_, at) => ({ name: `${at}` }))),
      code: 'normalize.too_many_entries',
    },
    {
      title: 'an archive with a bomb inside, which is found when that is opened',
      name: 'a.zip',
      bytes: () => rawZip([{ name: 'b.zip', content: rawZip([{ name: 'c', content: zeros }]) }]),
    },
    ...['../../../etc/cron.d/x', '..\\..\\x.dll', 'a/../../x'].map((name) => ({
      title: `an archive with an entry ${name}`,
      name: 'a.zip',
      bytes: () => rawZip([{ name, content: 'x' }]),
      code: 'normalize.zip_traversal',
    })),
    {
      title: 'an archive with a symbolic link to a local file',
      name: 'a.zip',
      bytes: () =>
        rawZip([
          { name: 'link.txt', content: file, method: 0, externalAttributes: 0xa1ff0000 },
          { name: 'good.txt', content: 'x' },
        ]),
      warnings: ['normalize.entries_left_out'],
    },
    {
      title: 'an encrypted archive',
      name: 'a.zip',
      bytes: () => rawZip([{ name: 'a.txt', content: 'x', flags: 0x801 }]),
      code: 'normalize.encrypted',
    },
    {
      title: 'an archive that is named docx',
      name: 'a.docx',
      bytes: () => rawZip([{ name: 'a.txt', content: 'x' }]),
      warnings: ['normalize.type_mismatch'],
    },
    {
      title: 'a docx with an encrypted part',
      name: 'a.docx',
      bytes: () =>
        rawZip(
          docxEntries().map((entry) =>
            entry.name === 'word/document.xml' ? { ...entry, flags: 0x801 } : entry,
          ),
        ),
      code: 'normalize.encrypted',
    },
    {
      title: 'a docx with wrong checksums',
      name: 'a.docx',
      bytes: () => rawZip(docxEntries().map((entry) => ({ ...entry, crc: 1 }))),
      code: 'normalize.corrupt',
    },
    {
      title: 'a docx packed by an unknown method',
      name: 'a.docx',
      bytes: () => rawZip(docxEntries().map((entry) => ({ ...entry, method: 99 }))),
      code: 'normalize.corrupt',
    },
    ...[0.01, 0.1, 0.25, 0.5, 0.75, 0.9, 0.99].map((share) => ({
      title: `a docx cut off at ${share * 100} %`,
      name: 'a.docx',
      bytes: () => {
        const whole = rawDocx(p('words '.repeat(200)));
        return whole.subarray(0, Math.floor(whole.length * share));
      },
      code: 'normalize.corrupt',
    })),
  ];
}
