import { p, rawDocx, rawPptx, rawXlsx, sheetData, spreadsheetPart } from '../../fixtures/ooxml.ts';
import { bookEpub, openDocument } from '../../fixtures/opendocument.ts';
import { edited, replaceIn } from '../../fixtures/zip.ts';
import type { HostileCase, Targets } from './case.ts';

const nested = (depth: number) =>
  rawDocx(
    `${'<w:sdt><w:sdtContent>'.repeat(depth / 2)}${p('deep')}${'</w:sdtContent></w:sdt>'.repeat(depth / 2)}`,
  );

const laughs =
  '<!DOCTYPE x [<!ENTITY a "ha"><!ENTITY b "&a;&a;&a;&a;&a;&a;&a;&a;&a;&a;"><!ENTITY c "&b;&b;&b;&b;&b;&b;&b;&b;&b;&b;">]>';

/** Puts a document type after the XML declaration of a part, and `&c;` into its first text. */
function withDoctype(zip: Buffer, part: string, doctype: string): Buffer {
  return edited(zip, (parts) => replaceIn(parts, part, '?>', `?>${doctype}`));
}

/** Entities, document types, depth: abuses of XML. The function is a table of cases. */
export function xmlCases({ file, url }: Targets): HostileCase[] {
  const doctypes = {
    'an entity bomb': laughs,
    'an entity of a local file': `<!DOCTYPE x [<!ENTITY c SYSTEM "file://${file}">]>`,
    'an entity of a server': `<!DOCTYPE x [<!ENTITY c SYSTEM "${url}/entity">]>`,
    'an outer document type': `<!DOCTYPE x SYSTEM "${url}/evil.dtd">`,
    'a parameter entity': `<!DOCTYPE x [<!ENTITY % c SYSTEM "${url}/evil.dtd"> %c;]>`,
  };
  const cases: HostileCase[] = [];
  for (const [what, doctype] of Object.entries(doctypes)) {
    cases.push(
      {
        title: `${what} in a docx`,
        name: 'a.docx',
        bytes: () => withDoctype(rawDocx(p('x')), 'word/document.xml', doctype),
        code: 'normalize.xml_entities',
      },
      {
        title: `${what} in the sheet of an xlsx`,
        name: 'a.xlsx',
        bytes: () =>
          withDoctype(
            rawXlsx([{ name: 'S', xml: sheetData([['x']]) }]),
            'xl/worksheets/sheet1.xml',
            doctype,
          ),
        code: 'normalize.xml_entities',
      },
    );
  }
  const slide = (doctype: string) =>
    withDoctype(rawPptx([{ title: 'x', lines: [] }]), 'ppt/slides/slide1.xml', doctype);
  cases.push(
    {
      title: 'an entity bomb in a slide',
      name: 'a.pptx',
      bytes: () => slide(laughs),
      code: 'normalize.xml_entities',
    },
    {
      title: 'an entity bomb in the relationships of a docx',
      name: 'a.docx',
      bytes: () => withDoctype(rawDocx(p('x')), 'word/_rels/document.xml.rels', laughs),
      code: 'normalize.xml_entities',
    },
    {
      title: 'an entity in a shared string',
      name: 'a.xlsx',
      bytes: () =>
        rawXlsx([{ name: 'S', xml: sheetData([['x']]) }], {
          'xl/sharedStrings.xml': spreadsheetPart('sst', '<si><t>x</t></si>').replace(
            '?>',
            `?>${laughs}`,
          ),
        }),
      code: 'normalize.xml_entities',
    },
    {
      title: 'an entity hidden in UTF-16',
      name: 'a.docx',
      bytes: () =>
        edited(rawDocx(p('x')), (parts) => {
          const xml = Buffer.from(parts['word/document.xml'] ?? '').toString();
          const wide = xml.replace('UTF-8', 'UTF-16').replace('?>', `?>${laughs}`);
          parts['word/document.xml'] = Buffer.from(`\ufeff${wide}`, 'utf16le');
        }),
      code: 'normalize.xml_entities',
    },
    {
      title: 'an entity of a local file in an OpenDocument text',
      name: 'a.odt',
      bytes: () =>
        withDoctype(
          openDocument('text', '<text:p>x</text:p>'),
          'content.xml',
          `<!DOCTYPE x [<!ENTITY c SYSTEM "file://${file}">]>`,
        ),
      code: 'normalize.xml_entities',
    },
    {
      title: 'an entity of a server in a book',
      name: 'a.epub',
      bytes: () =>
        edited(bookEpub(), (parts) =>
          replaceIn(
            parts,
            'OEBPS/a.xhtml',
            '<!DOCTYPE html>',
            `<!DOCTYPE html [<!ENTITY c SYSTEM "${url}/e">]>`,
          ),
        ),
      code: 'normalize.xml_entities',
    },
    {
      title: '20,000 nested elements in a docx',
      name: 'a.docx',
      bytes: () => nested(20_000),
      code: 'normalize.xml_depth',
    },
    { title: '900 nested elements in a docx', name: 'a.docx', bytes: () => nested(900) },
    {
      title: '20,000 nested elements in a sheet',
      name: 'a.xlsx',
      bytes: () => rawXlsx([{ name: 'S', xml: `${'<x>'.repeat(20_000)}${'</x>'.repeat(20_000)}` }]),
      code: 'normalize.xml_depth',
    },
    {
      title: '900 nested sections in an OpenDocument text',
      name: 'a.odt',
      bytes: () =>
        openDocument(
          'text',
          `${'<text:section>'.repeat(900)}<text:p>x</text:p>${'</text:section>'.repeat(900)}`,
        ),
    },
    {
      title: 'a root that is not a document',
      name: 'a.docx',
      bytes: () =>
        edited(rawDocx(''), (parts) => {
          parts['word/document.xml'] = Buffer.from(
            '<html><body>Error reading the file</body></html>',
          );
        }),
      code: 'normalize.corrupt',
    },
    {
      title: 'a NUL in the XML',
      name: 'a.docx',
      bytes: () => rawDocx(p('a\0b')),
      code: 'normalize.corrupt',
    },
  );
  return cases;
}
