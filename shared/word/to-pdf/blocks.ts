import { escapeXml } from '../model/escape.ts';
import { emuPerTwip } from './units.ts';

/** WordprocessingML, as strings, for what the passes add to a document. */

export interface TextStyle {
  bold?: boolean;
  /** Grey and italic: our words, not the author's. */
  aside?: boolean;
}

export function runXml(text: string, { bold, aside }: TextStyle = {}): string {
  const properties = [
    bold ? '<w:b/>' : '',
    aside ? '<w:i/><w:color w:val="666666"/><w:sz w:val="18"/>' : '',
  ].join('');
  return `<w:r><w:rPr>${properties}</w:rPr><w:t xml:space="preserve">${escapeXml(text)}</w:t></w:r>`;
}

/** @param indent in twentieths of a point */
export function paragraphXml(text: string, style: TextStyle = {}, indent = 0): string {
  const properties = indent > 0 ? `<w:pPr><w:ind w:left="${indent}"/></w:pPr>` : '';
  return `<w:p>${properties}${runXml(text, style)}</w:p>`;
}

const borders = ['top', 'left', 'bottom', 'right', 'insideH', 'insideV'];

export function tableXml(rows: string[][]): string {
  const lines = borders.map((side) => `<w:${side} w:val="single" w:sz="4" w:color="999999"/>`);
  const body = rows.map((cells, at) => {
    const columns = cells.map((text) => `<w:tc>${paragraphXml(text, { bold: at === 0 })}</w:tc>`);
    return `<w:tr>${columns.join('')}</w:tr>`;
  });
  return `<w:tbl><w:tblPr><w:tblBorders>${lines.join('')}</w:tblBorders>${cellMargins}</w:tblPr>${body.join('')}</w:tbl>`;
}

const cellMargins =
  '<w:tblCellMar><w:left w:w="100" w:type="dxa"/><w:right w:w="100" w:type="dxa"/></w:tblCellMar>';

/** How a text box looks. */
export interface BoxLook {
  /** EMU; 0 when unknown. */
  width: number;
  outlined: boolean;
  /** RRGGBB, or the name of a theme colour. */
  fill?: string;
}

/** A table of one cell, which shows a text box in the flow of the text. */
export function boxXml({ width, outlined, fill }: BoxLook): string {
  const twips = Math.round(width / emuPerTwip);
  const size = twips > 0 ? `<w:tblW w:w="${twips}" w:type="dxa"/>` : '';
  const lines = borders.slice(0, 4).map((side) => {
    const kind = outlined ? 'single' : 'none';
    return `<w:${side} w:val="${kind}" w:sz="4" w:color="999999"/>`;
  });
  return `<w:tbl><w:tblPr>${size}<w:tblBorders>${lines.join('')}</w:tblBorders>${cellMargins}</w:tblPr><w:tr><w:tc><w:tcPr>${shading(fill)}</w:tcPr></w:tc></w:tr></w:tbl>`;
}

function shading(fill: string | undefined): string {
  if (fill === undefined) return '';
  if (/^[0-9a-f]{6}$/i.test(fill)) return `<w:shd w:val="clear" w:fill="${fill}"/>`;
  // docx-preview looks up a theme colour by this attribute, not by `w:themeFill`.
  return /^\w+$/.test(fill) ? `<w:shd w:val="clear" w:themeColor="${fill}"/>` : '';
}

export interface PictureShape {
  relationshipId: string;
  /** EMU. */
  width: number;
  height: number;
  /** 60,000ths of a degree, as in `a:xfrm`. */
  rotation?: number;
  /** Cropped at left, top, right and bottom, in 1/100,000 of the picture. */
  crop?: [number, number, number, number];
  float?: 'left' | 'right';
}

export function pictureXml({
  relationshipId,
  width,
  height,
  rotation = 0,
  crop,
  float,
}: PictureShape): string {
  const size = `cx="${Math.round(width)}" cy="${Math.round(height)}"`;
  const cut = crop
    ? `<a:srcRect l="${crop[0]}" t="${crop[1]}" r="${crop[2]}" b="${crop[3]}"/>`
    : '';
  const side = float
    ? `<wp:positionH relativeFrom="column"><wp:align>${float}</wp:align></wp:positionH><wp:wrapSquare/>`
    : '';
  const wrapper = float ? 'anchor' : 'inline';
  return (
    `<w:drawing><wp:${wrapper}>${side}<wp:extent ${size}/><a:graphic><a:graphicData>` +
    `<pic:pic><pic:blipFill><a:blip r:embed="${escapeXml(relationshipId)}"/>${cut}</pic:blipFill>` +
    `<pic:spPr><a:xfrm rot="${rotation}"><a:off x="0" y="0"/><a:ext ${size}/></a:xfrm></pic:spPr></pic:pic>` +
    `</a:graphicData></a:graphic></wp:${wrapper}></w:drawing>`
  );
}
