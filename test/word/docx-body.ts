import { type Link, p, rawDocx, wordPart } from '../fixtures/ooxml.ts';
import { convertBytes } from '../formats/convert-bytes.ts';

/** The text a docx with this body becomes, without the line break at its end. */
export async function textOf(body: string, links: Link[] = [], extra: Record<string, string> = {}) {
  const { text } = await convertBytes('a.docx', rawDocx(body, links, extra));
  return text.trimEnd();
}

/** Pieces of a body: tables, and list paragraphs with the levels that number them. */
export const cell = (content: string, properties = '') =>
  `<w:tc><w:tcPr>${properties}</w:tcPr>${content}</w:tc>`;
export const row = (...cells: string[]) => `<w:tr>${cells.join('')}</w:tr>`;
export const table = (...rows: string[]) => `<w:tbl>${rows.join('')}</w:tbl>`;

export const level = (at: number, format: string, text: string, more = '') =>
  `<w:lvl w:ilvl="${at}"><w:start w:val="1"/><w:numFmt w:val="${format}"/>${more}<w:lvlText w:val="${text}"/></w:lvl>`;
export const numbering = (
  levels: string,
  nums = '<w:num w:numId="1"><w:abstractNumId w:val="0"/></w:num>',
) => ({
  'word/numbering.xml': wordPart(
    'numbering',
    `<w:abstractNum w:abstractNumId="0">${levels}</w:abstractNum>${nums}`,
  ),
});
export const item = (text: string, at: number, numId = 1) =>
  p(text, `<w:numPr><w:ilvl w:val="${at}"/><w:numId w:val="${numId}"/></w:numPr>`);
