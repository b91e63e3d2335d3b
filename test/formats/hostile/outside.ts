import {
  drawnPicture,
  type Link,
  p,
  rawDocx,
  rawPptx,
  rawXlsx,
  sheetData,
} from '../../fixtures/ooxml.ts';
import { openDocument } from '../../fixtures/opendocument.ts';
import { onePage, rawPdf } from '../../fixtures/pdfs.ts';
import type { HostileCase, Targets } from './case.ts';

/**
 * Files that ask for something to be loaded or run: neither happens, and there is a warning. The
 * function is a table of cases.
 */
export function outsideCases({ file, url }: Targets): HostileCase[] {
  const places: Record<string, string> = {
    'a local file': `file://${file}`,
    'a server': `${url}/picture.png`,
    'a share': '\\\\attacker.example\\share\\picture.png',
  };
  const cases: HostileCase[] = [];
  for (const [place, target] of Object.entries(places)) {
    cases.push(
      {
        title: `a docx with a picture at ${place}`,
        name: 'a.docx',
        bytes: () => {
          const link: Link = { id: 'r1', type: 'image', target, external: true };
          return rawDocx(p('text') + drawnPicture('r1', 'r:link'), [link]);
        },
        warnings: ['normalize.external_reference', 'normalize.image_lost'],
      },
      {
        title: `a docx with its template at ${place}`,
        name: 'a.docx',
        bytes: () =>
          rawDocx(p('text'), [{ id: 't', type: 'attachedTemplate', target, external: true }]),
        warnings: ['normalize.external_reference'],
      },
      {
        title: `a workbook with data at ${place}`,
        name: 'a.xlsx',
        bytes: () => {
          const link: Link = { id: 'd', type: 'externalLinkPath', target, external: true };
          return rawXlsx([{ name: 'S', xml: sheetData([['x']]), links: [link] }]);
        },
        warnings: ['normalize.external_reference'],
      },
    );
  }
  return [
    ...cases,
    {
      title: 'a docx whose picture is outside the package',
      name: 'a.docx',
      bytes: () => {
        const target = `../../../../../../..${file}`;
        return rawDocx(p('text') + drawnPicture('r1'), [{ id: 'r1', type: 'image', target }]);
      },
      warnings: ['normalize.image_lost'],
    },
    {
      title: 'a docx whose header is outside the package',
      name: 'a.docx',
      bytes: () =>
        rawDocx(`${p('text')}<w:sectPr><w:headerReference w:type="default" r:id="h"/></w:sectPr>`, [
          { id: 'h', type: 'header', target: `../../../../../../..${file}` },
        ]),
    },
    {
      title: 'a docx with a frame, a subdocument and OLE links on a server',
      name: 'a.docx',
      bytes: () =>
        rawDocx(
          `${p('text')}<w:p><w:subDoc r:id="s"/></w:p>`,
          ['frame', 'subDocument', 'oleObject'].map((type, at) => ({
            id: at === 1 ? 's' : type,
            type,
            target: `${url}/${type}`,
            external: true,
          })),
        ),
      warnings: ['normalize.external_reference'],
    },
    {
      title: 'a docx whose fields include files and call servers',
      name: 'a.docx',
      bytes: () =>
        rawDocx(
          `${p('text')}<w:p><w:r><w:fldChar w:fldCharType="begin"/></w:r><w:r><w:instrText>INCLUDETEXT "${file}"</w:instrText></w:r><w:r><w:instrText>INCLUDEPICTURE "${url}/x" \\d</w:instrText></w:r><w:r><w:instrText>DDEAUTO cmd "/k calc"</w:instrText></w:r><w:r><w:fldChar w:fldCharType="end"/></w:r></w:p>`,
        ),
    },
    {
      title: 'a docm with macros',
      name: 'a.docm',
      bytes: () => rawDocx(p('text'), [], { 'word/vbaProject.bin': 'macro' }),
      warnings: ['normalize.macros'],
    },
    {
      title: 'a workbook with macros',
      name: 'a.xlsm',
      bytes: () =>
        rawXlsx([{ name: 'S', xml: sheetData([['x']]) }], { 'xl/vbaProject.bin': 'macro' }),
      warnings: ['normalize.macros'],
    },
    {
      title: 'a presentation that links to a video on a server',
      name: 'a.pptx',
      bytes: () => {
        const links = [{ id: 'v', type: 'video', target: `${url}/film.mp4`, external: true }];
        return rawPptx([{ title: 'T', lines: ['x'], links }]);
      },
      warnings: ['normalize.external_reference'],
    },
    {
      title: 'an OpenDocument text with a picture on a server',
      name: 'a.odt',
      bytes: () =>
        openDocument(
          'text',
          `<text:p>x<draw:frame><draw:image xlink:href="${url}/x.png"/></draw:frame></text:p>`,
        ),
    },
    {
      title: 'a workbook whose formulas call servers and start programs',
      name: 'a.xlsx',
      bytes: () => {
        const formulas = [`WEBSERVICE("${url}/x")`, "cmd|'/k calc'!A1", `IMAGE("${url}/y")`];
        const cells = formulas.map((formula) => `<c><f>${formula}</f><v>1</v></c>`);
        return rawXlsx([{ name: 'S', xml: `<sheetData><row>${cells.join('')}</row></sheetData>` }]);
      },
    },
    {
      title: 'a PDF that runs JavaScript, starts a program and sends a form',
      name: 'a.pdf',
      bytes: () =>
        rawPdf(
          onePage(
            '/OpenAction <</S /JavaScript /JS (app.launchURL\\(1\\))>>',
            `/AA <</O <</S /Launch /F (calc.exe)>> /C <</S /SubmitForm /F (${url}/form)>>>>`,
          ),
        ),
      warnings: ['normalize.active_content'],
    },
    {
      title: 'a PDF whose page content is in another file',
      name: 'a.pdf',
      bytes: () => {
        const objects = onePage();
        objects[3] = `<</Length 0 /F (${file})>>\nstream\n\nendstream`;
        return rawPdf(objects);
      },
      warnings: ['normalize.scan'],
    },
  ];
}
