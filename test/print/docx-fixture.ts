import sharp from 'sharp';
import { zipOf } from '../fixtures/zip.ts';

const w = 'http://schemas.openxmlformats.org/wordprocessingml/2006/main';
const office = 'http://schemas.openxmlformats.org/officeDocument/2006/relationships';

/** Declarations of every prefix in the fixtures. */
export const namespaces = [
  `xmlns:w="${w}"`,
  `xmlns:r="${office}"`,
  'xmlns:wp="http://schemas.openxmlformats.org/drawingml/2006/wordprocessingDrawing"',
  'xmlns:a="http://schemas.openxmlformats.org/drawingml/2006/main"',
  'xmlns:pic="http://schemas.openxmlformats.org/drawingml/2006/picture"',
  'xmlns:c="http://schemas.openxmlformats.org/drawingml/2006/chart"',
  'xmlns:dgm="http://schemas.openxmlformats.org/drawingml/2006/diagram"',
  'xmlns:m="http://schemas.openxmlformats.org/officeDocument/2006/math"',
  'xmlns:mc="http://schemas.openxmlformats.org/markup-compatibility/2006"',
  'xmlns:v="urn:schemas-microsoft-com:vml"',
  'xmlns:o="urn:schemas-microsoft-com:office:office"',
  'xmlns:wps="http://schemas.microsoft.com/office/word/2010/wordprocessingShape"',
  'xmlns:wpg="http://schemas.microsoft.com/office/word/2010/wordprocessingGroup"',
].join(' ');

export interface FixturePart {
  content: string | Uint8Array;
  /** How the document refers to it: last part of the relationship's type. */
  type: string;
}

export interface Fixture {
  /** Parts by name below `word/`; the relationship id is `r:` and the name without its extension. */
  parts?: Record<string, FixturePart>;
  /** Targets outside of the file, by relationship id. */
  external?: Record<string, { type: string; target: string }>;
}

/** A docx with this XML in its body, written by hand so that it can contain what no library writes. */
export function docxOf(body: string, { parts = {}, external = {} }: Fixture = {}): Buffer {
  return zipOf({
    '[Content_Types].xml':
      '<Types xmlns="http://schemas.openxmlformats.org/package/2006/content-types"><Default Extension="xml" ContentType="application/xml"/><Default Extension="rels" ContentType="application/vnd.openxmlformats-package.relationships+xml"/><Default Extension="png" ContentType="image/png"/><Default Extension="jpg" ContentType="image/jpeg"/><Override PartName="/word/document.xml" ContentType="application/vnd.openxmlformats-officedocument.wordprocessingml.document.main+xml"/></Types>',
    '_rels/.rels': relationships([['doc', 'officeDocument', 'word/document.xml', '']]),
    'word/document.xml': `<w:document ${namespaces}><w:body>${body}</w:body></w:document>`,
    'word/_rels/document.xml.rels': relationships([
      ...Object.entries(parts).map(
        ([name, { type }]) => [idOf(name), type, name, ''] as [string, string, string, string],
      ),
      ...Object.entries(external).map(
        ([id, { type, target }]) =>
          [id, type, target, ' TargetMode="External"'] as [string, string, string, string],
      ),
    ]),
    ...Object.fromEntries(
      Object.entries(parts).map(([name, { content }]) => [`word/${name}`, content]),
    ),
  });
}

/** The relationship id under which the document finds a part of the fixture. */
export function idOf(name: string): string {
  return name.replace(/^.*\//, '').replace(/\.\w+$/, '');
}

function relationships(list: [id: string, type: string, target: string, mode: string][]): string {
  const lines = list.map(
    ([id, type, target, mode]) =>
      `<Relationship Id="${id}" Type="${office}/${type}" Target="${target}"${mode}/>`,
  );
  return `<Relationships xmlns="http://schemas.openxmlformats.org/package/2006/relationships">${lines.join('')}</Relationships>`;
}

export function paragraph(text: string, properties = ''): string {
  return `<w:p>${properties && `<w:pPr>${properties}</w:pPr>`}<w:r><w:t xml:space="preserve">${text}</w:t></w:r></w:p>`;
}

/** A picture in the line, one inch wide and high. */
export function picture(id: string, attribute = 'embed'): string {
  return `<w:p><w:r><w:drawing><wp:inline><wp:extent cx="914400" cy="914400"/><wp:docPr id="1" name="p" descr="A red square"/><a:graphic><a:graphicData><pic:pic><pic:blipFill><a:blip r:${attribute}="${id}"/></pic:blipFill><pic:spPr><a:xfrm><a:ext cx="914400" cy="914400"/></a:xfrm></pic:spPr></pic:pic></a:graphicData></a:graphic></wp:inline></w:drawing></w:r></w:p>`;
}

export function textBox(content: string): string {
  return `<w:drawing><wp:anchor><wp:extent cx="1828800" cy="914400"/><a:graphic><a:graphicData><wps:wsp><wps:spPr/><wps:txbx><w:txbxContent>${content}</w:txbxContent></wps:txbx></wps:wsp></a:graphicData></a:graphic></wp:anchor></w:drawing>`;
}

/** A picture of one colour, in any format that sharp writes. */
export async function image(
  format: 'png' | 'jpeg' | 'tiff' | 'gif' | 'webp',
  { width = 60, height = 40, colour = '#c02020' } = {},
): Promise<Buffer> {
  return sharp({ create: { width, height, channels: 3, background: colour } })
    .toFormat(format)
    .toBuffer();
}

/** The header of an EMF drawing ([MS-EMF] 2.3.4.2), enough to be recognised. */
export function emf(): Buffer {
  const bytes = Buffer.alloc(108);
  bytes.writeUInt32LE(1, 0);
  bytes.writeUInt32LE(108, 4);
  bytes.write(' EMF', 40, 'latin1');
  return bytes;
}
