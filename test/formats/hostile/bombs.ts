import { crc32 } from 'node:zlib';
import { write } from '@e965/xlsx';
import {
  docxParts,
  drawnPicture,
  p,
  rawDocx,
  rawXlsx,
  sheetData,
  spreadsheetPart,
  wordPart,
} from '../../fixtures/ooxml.ts';
import { openDocument } from '../../fixtures/opendocument.ts';
import { picture } from '../../fixtures/pictures.ts';
import { edited, replaceIn, zipOf } from '../../fixtures/zip.ts';
import { rawZip } from '../raw-zip.ts';
import type { HostileCase } from './case.ts';

const MiB = 1024 * 1024;
const oneSheet = (xml: string, extra: Record<string, string> = {}) =>
  rawXlsx([{ name: 'S', xml }], extra);

/** Few bytes that expand to many. The functions are tables of cases. */
export function bombCases(): HostileCase[] {
  return [...packageBombs(), ...documentBombs(), ...sheetBombs(), ...pictureBombs()];
}

function packageBombs(): HostileCase[] {
  return [
    {
      title: 'a docx with 200 MB of XML',
      name: 'a.docx',
      bytes: () => {
        const body = Buffer.alloc(200 * MiB, '<w:p><w:r><w:t>x</w:t></w:r></w:p>');
        return rawZip([
          { name: '[Content_Types].xml', content: '<x/>' },
          { name: 'word/document.xml', content: body },
        ]);
      },
      code: 'normalize.zip_bomb',
    },
    {
      title: 'a docx with a picture of 100 MB of zeros',
      name: 'a.docx',
      bytes: () => {
        const zeros = Buffer.alloc(100 * MiB);
        return rawZip([
          { name: 'word/document.xml', content: '<x/>' },
          { name: 'word/media/a.png', content: zeros },
        ]);
      },
      code: 'normalize.zip_bomb',
    },
    {
      title: 'a docx whose document states less than it unpacks to',
      name: 'a.docx',
      bytes: () =>
        rawZip([
          { name: 'word/document.xml', content: Buffer.alloc(MiB, 'x'), uncompressedSize: 20 },
        ]),
      code: 'normalize.zip_bomb',
    },
    {
      title: 'a docx whose parts overlap',
      name: 'a.docx',
      bytes: () =>
        rawZip([
          { name: 'word/document.xml', content: Buffer.alloc(1000, 'x') },
          { name: 'word/styles.xml', content: Buffer.alloc(1000, 'x'), sharesWith: 0 },
        ]),
      code: 'normalize.zip_bomb',
    },
    {
      title: 'a docx of 10,001 parts',
      name: 'a.docx',
      bytes: () => {
        const parts = Array.from(
          { length: 10_001 },
          (_, at) => [`word/media/${at}.png`, ''] as const,
        );
        return zipOf({ 'word/document.xml': '<x/>', ...Object.fromEntries(parts) }, 0);
      },
      code: 'normalize.too_many_entries',
    },
    {
      title: 'a docx that writes outside its folder',
      name: 'a.docx',
      bytes: () =>
        rawZip([
          { name: 'word/document.xml', content: '<x/>' },
          { name: '../../evil.sh', content: 'x' },
        ]),
      code: 'normalize.zip_traversal',
    },
  ];
}

function documentBombs(): HostileCase[] {
  return [
    {
      title: 'a docx that refers a million times to one long comment',
      name: 'a.docx',
      bytes: () =>
        rawDocx(`<w:p>${'<w:r><w:commentReference w:id="1"/></w:r>'.repeat(100_000)}</w:p>`, [], {
          'word/comments.xml': wordPart(
            'comments',
            `<w:comment w:id="1">${p('long '.repeat(20_000))}</w:comment>`,
          ),
        }),
    },
    {
      title: 'a docx with table cells that span a billion columns',
      name: 'a.docx',
      bytes: () => {
        const cell = `<w:tc><w:tcPr><w:gridSpan w:val="999999999"/></w:tcPr>${p('x')}</w:tc>`;
        const wide = `<w:tr>${cell.repeat(2_000)}</w:tr>`;
        const narrow = `<w:tr><w:tc>${p('y')}</w:tc></w:tr>`;
        return rawDocx(`<w:tbl>${wide}${narrow.repeat(5_000)}</w:tbl>`);
      },
    },
    {
      title: 'a docx with 10,000 numbered levels that begin and end',
      name: 'a.docx',
      bytes: () =>
        rawDocx(
          p('x', '<w:numPr><w:ilvl w:val="8"/><w:numId w:val="1"/></w:numPr>').repeat(10_000),
          [],
          {
            'word/numbering.xml': wordPart(
              'numbering',
              `<w:abstractNum w:abstractNumId="0"><w:lvl w:ilvl="8"><w:start w:val="1"/><w:numFmt w:val="upperLetter"/><w:lvlText w:val="${'%9'.repeat(50)}"/></w:lvl></w:abstractNum><w:num w:numId="1"><w:abstractNumId w:val="0"/></w:num>`,
            ),
          },
        ),
    },
    {
      title: 'a presentation that shows one slide 20,000 times',
      name: 'a.pptx',
      bytes: () => {
        const slides = Array.from({ length: 20_000 }, () => '<p:sldId id="256" r:id="s1"/>').join(
          '',
        );
        return zipOf({
          ...partsOfOneSlide,
          'ppt/presentation.xml': `<?xml version="1.0"?><p:presentation ${presentation}><p:sldIdLst>${slides}</p:sldIdLst></p:presentation>`,
        });
      },
    },
    {
      title: 'an OpenDocument table with a row repeated a million times',
      name: 'a.odt',
      bytes: () =>
        openDocument(
          'text',
          '<table:table><table:table-row table:number-rows-repeated="1000000"><table:table-cell table:number-columns-repeated="1000"><text:p>x</text:p></table:table-cell></table:table-row></table:table>',
        ),
    },
    {
      title: 'an RTF with 200,000 open groups',
      name: 'a.rtf',
      bytes: () => Buffer.from(`{\\rtf1 ${'{'.repeat(200_000)}x`),
      code: 'normalize.xml_depth',
    },
    {
      title: 'an RTF that claims two gigabytes of binary data',
      name: 'a.rtf',
      bytes: () => Buffer.from('{\\rtf1 before\\par {\\pict\\bin2000000000 x}after\\par}'),
    },
  ];
}

const presentation =
  'xmlns:p="http://schemas.openxmlformats.org/presentationml/2006/main" xmlns:r="http://schemas.openxmlformats.org/officeDocument/2006/relationships"';
const partsOfOneSlide = (() => {
  const relationships = 'http://schemas.openxmlformats.org/officeDocument/2006/relationships';
  const rels = (type: string, id: string, target: string) =>
    `<?xml version="1.0"?><Relationships xmlns="http://schemas.openxmlformats.org/package/2006/relationships"><Relationship Id="${id}" Type="${relationships}/${type}" Target="${target}"/></Relationships>`;
  return {
    '[Content_Types].xml':
      '<?xml version="1.0"?><Types xmlns="http://schemas.openxmlformats.org/package/2006/content-types"><Override PartName="/ppt/presentation.xml" ContentType="application/vnd.openxmlformats-officedocument.presentationml.presentation.main+xml"/></Types>',
    '_rels/.rels': rels('officeDocument', 'r1', 'ppt/presentation.xml'),
    'ppt/_rels/presentation.xml.rels': rels('slide', 's1', 'slides/slide1.xml'),
    'ppt/slides/slide1.xml': `<?xml version="1.0"?><p:sld ${presentation}><p:cSld><p:spTree/></p:cSld></p:sld>`,
  };
})();

function sheetBombs(): HostileCase[] {
  const merges = (refs: string[]) =>
    `<mergeCells>${refs.map((ref) => `<mergeCell ref="${ref}"/>`).join('')}</mergeCells>`;
  const rows = sheetData(Array.from({ length: 2_000 }, (_, at) => [`row ${at}`, at]));
  return [
    {
      title: 'a workbook with 50,000 merged ranges',
      name: 'a.xlsx',
      bytes: () =>
        oneSheet(rows + merges(Array.from({ length: 50_000 }, (_, at) => `A${at + 1}:C${at + 2}`))),
    },
    {
      title: 'a workbook whose merged ranges contain each other in a circle',
      name: 'a.xlsx',
      bytes: () =>
        oneSheet(
          rows + merges(['A1:B2', 'B2:C3', 'C3:A1', 'A1:A1', 'A1:XFD1048576', 'B1:A2', 'A0:A9']),
        ),
    },
    {
      title: 'a workbook with 20,000 merged ranges over all its rows',
      name: 'a.xlsx',
      bytes: () => oneSheet(rows + merges(Array.from({ length: 20_000 }, () => 'A1:CV1048576'))),
    },
    {
      title: 'a workbook with the same long text in every cell',
      name: 'a.xlsx',
      bytes: () =>
        oneSheet(
          `<sheetData>${`<row>${'<c t="s"><v>0</v></c>'.repeat(100)}</row>`.repeat(500)}</sheetData>`,
          {
            'xl/sharedStrings.xml': spreadsheetPart(
              'sst',
              `<si><t>${'long '.repeat(200_000)}</t></si>`,
            ),
          },
        ),
      code: 'normalize.text_bomb',
    },
    {
      title: 'a workbook whose cells are all in the last column',
      name: 'a.xlsx',
      bytes: () =>
        oneSheet(`<sheetData>${'<row><c r="XFD1"><v>1</v></c></row>'.repeat(50_000)}</sheetData>`),
    },
    {
      title: 'a workbook with impossible references',
      name: 'a.xlsx',
      bytes: () =>
        oneSheet(
          '<dimension ref="A1:XFD99999999"/><sheetData><row r="99999999999"><c r="ZZZZ9"><v>1</v></c><c r="-1" s="999"><v>1e999</v></c><c r="" t="s"><v>-5</v></c><c t="s"><v>99999999</v></c><c t="??"><v>x</v></c></row><row r="-3"><c r="A1"/></row></sheetData>',
        ),
    },
    {
      title: 'a workbook that is its own sheet',
      name: 'a.xlsx',
      bytes: () =>
        zipOf({
          '[Content_Types].xml':
            '<?xml version="1.0"?><Types xmlns="http://schemas.openxmlformats.org/package/2006/content-types"><Override PartName="/xl/workbook.xml" ContentType="application/vnd.openxmlformats-officedocument.spreadsheetml.sheet.main+xml"/></Types>',
          'xl/workbook.xml':
            '<?xml version="1.0"?><workbook xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main" xmlns:r="http://schemas.openxmlformats.org/officeDocument/2006/relationships"><sheets><sheet name="S" r:id="r1"/></sheets></workbook>',
          'xl/_rels/workbook.xml.rels':
            '<?xml version="1.0"?><Relationships xmlns="http://schemas.openxmlformats.org/package/2006/relationships"><Relationship Id="r1" Type="http://schemas.openxmlformats.org/officeDocument/2006/relationships/worksheet" Target="workbook.xml"/></Relationships>',
        }),
    },
    {
      title: 'an ods with a row repeated over the whole sheet',
      name: 'a.ods',
      bytes: () => {
        const ods = write(
          { SheetNames: ['S'], Sheets: { S: { A1: { t: 's', v: 'x' }, '!ref': 'A1' } } },
          { type: 'buffer', bookType: 'ods' },
        ) as Buffer;
        return edited(ods, (parts) => {
          replaceIn(
            parts,
            'content.xml',
            '<table:table-row',
            '<table:table-row table:number-rows-repeated="1048576"',
          );
          replaceIn(
            parts,
            'content.xml',
            '<table:table-cell',
            '<table:table-cell table:number-columns-repeated="16384"',
          );
        });
      },
    },
  ];
}

function pictureBombs(): HostileCase[] {
  const claiming = async (width: number, height: number) => {
    const png = Buffer.from(await picture('png', 8, 8));
    png.writeUInt32BE(width, 16);
    png.writeUInt32BE(height, 20);
    // The checksum over the type and data of the header chunk.
    png.writeUInt32BE(crc32(png.subarray(12, 29)), 29);
    return png;
  };
  return [
    {
      title: 'a PNG of 30,000 × 30,000 pixels in 100 bytes',
      name: 'a.png',
      bytes: () => claiming(30_000, 30_000),
      code: 'normalize.pixel_bomb',
    },
    {
      title: 'a PNG whose header alone claims four billion pixels a side',
      name: 'a.png',
      bytes: () => claiming(0xffffffff, 0xffffffff),
      code: 'normalize.corrupt',
    },
    {
      title: 'a docx with a PNG bomb as picture, which goes to the renderer unopened',
      name: 'a.docx',
      bytes: async () => {
        const bomb = await claiming(30_000, 30_000);
        return zipOf({
          ...docxWithPicture(),
          'word/media/a.png': bomb,
        });
      },
      warnings: ['normalize.beyond_text'],
    },
  ];
}

function docxWithPicture(): Record<string, string | Uint8Array> {
  return docxParts(p('x') + drawnPicture('r1'), [
    { id: 'r1', type: 'image', target: 'media/a.png' },
  ]);
}
