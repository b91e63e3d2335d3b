import { CFB } from '@e965/xlsx';
import { p, rawDocx, rawPptx, rawXlsx, sheetData } from '../../fixtures/ooxml.ts';
import { letterOdt } from '../../fixtures/opendocument.ts';
import { encryptedPdf, textPdf } from '../../fixtures/pdfs.ts';
import { edited } from '../../fixtures/zip.ts';
import { compoundFile } from '../compound-file.ts';
import type { HostileCase } from './case.ts';

/** A compound file with these streams, as Office writes them around an encrypted package. */
function compound(streams: string[]): Buffer {
  const file = CFB.utils.cfb_new();
  for (const name of streams) CFB.utils.cfb_add(file, `/${name}`, Buffer.alloc(600, 7));
  return Buffer.from(CFB.write(file, { type: 'buffer' }) as Uint8Array);
}

const without = (zip: Buffer, part: string) =>
  edited(zip, (parts) => {
    delete parts[part];
  });

const docx = () => rawDocx(p('text'));
const xlsx = () => rawXlsx([{ name: 'S', xml: sheetData([['x']]) }]);
const pptx = () => rawPptx([{ title: 'T', lines: ['x'] }]);

/** Locked, legacy, cut off, mislabelled, incomplete. The function is a table of cases. */
export function brokenCases(): HostileCase[] {
  return [
    {
      title: 'an encrypted docx',
      name: 'a.docx',
      bytes: () => compound(['EncryptionInfo', 'EncryptedPackage']),
      code: 'normalize.encrypted',
    },
    {
      title: 'an encrypted xlsx with data spaces',
      name: 'a.xlsx',
      bytes: () => compoundFile(['EncryptedPackage', 'EncryptionInfo', '\u0006DataSpaces']),
      code: 'normalize.encrypted',
    },
    {
      title: 'a Word 97 document',
      name: 'a.doc',
      bytes: () => compound(['WordDocument', '1Table']),
      code: 'normalize.legacy_office',
    },
    {
      title: 'a Word 97 document that is named docx',
      name: 'a.docx',
      bytes: () => compound(['WordDocument', '1Table']),
      code: 'normalize.legacy_office',
    },
    {
      title: 'a PowerPoint 97 presentation',
      name: 'a.ppt',
      bytes: () => compound(['PowerPoint Document', 'Current User']),
      code: 'normalize.legacy_office',
    },
    {
      title: 'an xls whose workbook stream is noise',
      name: 'a.xls',
      bytes: () => compound(['Workbook']),
      code: 'normalize.corrupt',
    },
    {
      title: 'a docx named xlsx',
      name: 'a.xlsx',
      bytes: docx,
      warnings: ['normalize.type_mismatch'],
    },
    {
      title: 'a workbook named docx',
      name: 'a.docx',
      bytes: xlsx,
      warnings: ['normalize.type_mismatch'],
    },
    {
      title: 'a drawing in SVG that is named PNG',
      name: 'a.png',
      bytes: () =>
        Buffer.from(
          '<svg xmlns="http://www.w3.org/2000/svg"><script>alert(1)</script><image href="file:///etc/passwd"/></svg>',
        ),
      warnings: ['normalize.type_mismatch'],
    },
    {
      title: 'random bytes named docx',
      name: 'a.docx',
      bytes: () => Buffer.from(Array.from({ length: 500 }, (_, at) => (at * 7919 + 13) % 256)),
      code: 'normalize.corrupt',
    },
    {
      title: 'a docx without its document',
      name: 'a.docx',
      bytes: () => without(docx(), 'word/document.xml'),
      code: 'normalize.corrupt',
    },
    {
      title: 'a workbook without its list of sheets',
      name: 'a.xlsx',
      bytes: () => without(xlsx(), 'xl/workbook.xml'),
      code: 'normalize.corrupt',
    },
    {
      title: 'a workbook without its sheet',
      name: 'a.xlsx',
      bytes: () => without(xlsx(), 'xl/worksheets/sheet1.xml'),
      warnings: ['normalize.sheet_unread'],
    },
    {
      title: 'a presentation without its list of slides',
      name: 'a.pptx',
      bytes: () => without(pptx(), 'ppt/presentation.xml'),
      code: 'normalize.corrupt',
    },
    {
      title: 'an OpenDocument text without its content',
      name: 'a.odt',
      bytes: () => without(letterOdt(), 'content.xml'),
      code: 'normalize.corrupt',
    },
    {
      title: 'a PDF with a password',
      name: 'a.pdf',
      bytes: () => encryptedPdf('secret'),
      code: 'normalize.encrypted',
    },
    {
      title: 'a PDF that was cut off',
      name: 'a.pdf',
      bytes: async () => (await textPdf(3)).subarray(0, 1500),
      code: 'normalize.corrupt',
    },
    {
      title: 'a PDF with many spaces after its end',
      name: 'a.pdf',
      bytes: async () => Buffer.concat([await textPdf(), Buffer.alloc(30_000, ' ')]),
    },
  ];
}
