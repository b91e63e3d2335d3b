import { type BoxLook, boxXml, paragraphXml, pictureXml, runXml } from './blocks.ts';
import type { Facts } from './facts.ts';
import { drawVml } from './vml.ts';
import {
  attribute,
  child,
  descendants,
  elements,
  fragment,
  is,
  isElement,
  localName,
  mapChildren,
  numberFrom,
  propertyOf,
  setChildren,
  textOf,
  type XmlElement,
  type XmlNode,
} from './xml.ts';

/** What a story's drawings refer to, by relationship id. */
export interface DrawingSource {
  facts: Facts;
  /** Largest width and height of what is drawn, in EMU: the area inside the page margins. */
  area: { width: number; height: number };
  /** The id under which the picture is written, or why it cannot be shown. */
  picture(id: string | undefined): { id: string } | { because: string };
  /** A chart's or diagram's content as WordprocessingML blocks. */
  chart(id: string | undefined): string | undefined;
  diagram(id: string | undefined): string | undefined;
}

/** What a drawing becomes: inside its run, and in blocks behind its paragraph. */
export interface Drawn {
  inline: XmlNode[];
  blocks: XmlNode[];
}

/**
 * Rewrites the drawings of a story. Pictures are set in the line, or float where text flows around
 * them; text boxes, charts and diagrams follow the paragraph they are anchored in. docx-preview
 * shows nothing of the latter, and lays pictures that float over the text on top of it.
 */
export function settleDrawings(root: XmlElement, source: DrawingSource): void {
  mapChildren(root, (node) => {
    if (!isElement(node)) return [node];
    if (localName(node) !== 'p') {
      settleDrawings(node, source);
      return [node];
    }
    const blocks: XmlNode[] = [];
    settleParagraph(node, source, blocks);
    return [node, ...blocks];
  });
}

function settleParagraph(parent: XmlElement, source: DrawingSource, blocks: XmlNode[]): void {
  mapChildren(parent, (node) => {
    if (!isElement(node)) return [node];
    switch (localName(node)) {
      case 'drawing': {
        const drawn = drawDrawing(node, source);
        blocks.push(...drawn.blocks);
        return drawn.inline;
      }
      case 'pict':
      case 'object': {
        const drawn = drawVml(node, source);
        blocks.push(...drawn.blocks);
        return drawn.inline;
      }
      case 'r':
      case 'hyperlink':
        settleParagraph(node, source, blocks);
        return [node];
      default:
        return [node];
    }
  });
}

interface Place {
  width: number;
  height: number;
  float?: 'left' | 'right';
  description: string;
}

function drawDrawing(drawing: XmlElement, source: DrawingSource): Drawn {
  const drawn: Drawn = { inline: [], blocks: [] };
  const wrapper = child(drawing, 'inline') ?? child(drawing, 'anchor');
  const properties = child(wrapper, 'docPr');
  if (!wrapper || attribute(properties, 'hidden') === '1') return drawn;
  const extent = child(wrapper, 'extent');
  const width = numberFrom(attribute(extent, 'cx'), 0);
  const float = floatOf(wrapper, width, source.area.width);
  const place: Place = {
    width,
    height: numberFrom(attribute(extent, 'cy'), 0),
    description: attribute(properties, 'descr') ?? attribute(properties, 'title') ?? '',
    ...(float ? { float } : {}),
  };
  drawGraphic(child(wrapper, 'graphic', 'graphicData'), place, source, drawn);
  return drawn;
}

/** Text may flow beside a narrow picture; a wide one would leave it a useless strip. */
function floatOf(wrapper: XmlElement, width: number, area: number): 'left' | 'right' | undefined {
  const wraps = ['wrapSquare', 'wrapTight', 'wrapThrough'].some((name) => child(wrapper, name));
  if (localName(wrapper) !== 'anchor' || !wraps || width > area * 0.55) return undefined;
  const horizontal = child(wrapper, 'positionH');
  const align = child(horizontal, 'align');
  if (align) return /right|outside/.test(textOf(align)) ? 'right' : 'left';
  const offset = child(horizontal, 'posOffset');
  const left = numberFrom(offset && textOf(offset), 0);
  return left + width / 2 > area / 2 ? 'right' : 'left';
}

function drawGraphic(
  data: XmlElement | undefined,
  place: Place,
  source: DrawingSource,
  drawn: Drawn,
): void {
  for (const graphic of elements(data)) {
    switch (localName(graphic)) {
      case 'pic':
        drawPicture(graphic, place, source, drawn);
        break;
      case 'wsp':
      case 'sp':
        drawShape(graphic, place, source, drawn);
        break;
      case 'wgp':
      case 'wpc':
      case 'grpSp':
      case 'lockedCanvas':
        drawGroup(graphic, place, source, drawn);
        break;
      case 'chart':
        drawChart(graphic, source, drawn);
        break;
      case 'relIds':
        drawDiagram(graphic, source, drawn);
        break;
      default:
        source.facts.shapes++;
    }
  }
}

function drawGroup(group: XmlElement, place: Place, source: DrawingSource, drawn: Drawn): void {
  const frame = child(child(group, 'grpSpPr'), 'xfrm');
  const inner = child(frame, 'chExt');
  const scale = (name: 'cx' | 'cy', whole: number) => {
    const own = numberFrom(attribute(inner, name), 0);
    return own > 0 && whole > 0 ? whole / own : 1;
  };
  const scaleX = scale('cx', place.width);
  const scaleY = scale('cy', place.height);
  for (const part of elements(group)) {
    const name = localName(part);
    if (/Pr$|^(bg|whole|extLst)$/.test(name)) continue;
    const properties = child(part, 'spPr') ?? child(part, 'grpSpPr');
    const size = child(child(properties, 'xfrm') ?? child(part, 'xfrm'), 'ext');
    const own: Place = {
      width: numberFrom(attribute(size, 'cx'), 0) * scaleX,
      height: numberFrom(attribute(size, 'cy'), 0) * scaleY,
      description: attribute(descendants(part, 'cNvPr')[0], 'descr') ?? place.description,
    };
    if (name === 'graphicFrame') {
      drawGraphic(child(part, 'graphic', 'graphicData'), own, source, drawn);
    } else if (name === 'pic') drawPicture(part, own, source, drawn);
    else if (name === 'wsp' || name === 'sp') drawShape(part, own, source, drawn);
    else if (name === 'grpSp' || name === 'wgp') drawGroup(part, own, source, drawn);
    else source.facts.shapes++;
  }
}

function drawShape(shape: XmlElement, place: Place, source: DrawingSource, drawn: Drawn): void {
  const fill = child(child(shape, 'spPr'), 'blipFill');
  if (fill) drawBlip(fill, shape, place, source, drawn);
  const content = child(shape, 'txbx', 'txbxContent');
  const look = lookOf(shape, place.width);
  if (content && textOf(content).trim() !== '') {
    drawBox(content, look, source, drawn);
    return;
  }
  if (content) {
    // A box may hold pictures only.
    const before = drawn.blocks.length;
    drawBox(content, { ...look, outlined: false }, source, drawn);
    if (descendants(content, 'drawing').length > 0) return;
    drawn.blocks.length = before;
    source.facts.textBoxes--;
  }
  const plain = child(shape, 'txBody');
  const lines = plain ? descendants(plain, 'p') : [];
  const texts = lines.map((line) => descendants(line, 't').map(textOf).join(''));
  if (texts.some((text) => text.trim() !== '')) {
    drawn.blocks.push(...fragment(texts.map((text) => paragraphXml(text)).join('')));
  } else if (!fill) source.facts.shapes++;
}

/** Theme colours go by other names in shapes than in the theme (20.1.10.54). */
const themeNames: Record<string, string> = { bg1: 'lt1', tx1: 'dk1', bg2: 'lt2', tx2: 'dk2' };

/** Line and filling of a shape: its own, or those of the theme's style it refers to. */
function lookOf(shape: XmlElement, width: number): BoxLook {
  const properties = child(shape, 'spPr');
  const style = child(shape, 'style');
  const reference = child(style, 'fillRef');
  const own = child(properties, 'solidFill');
  const inStyle =
    child(properties, 'noFill') || attribute(reference, 'idx') === '0' ? undefined : reference;
  const colour = own ?? inStyle;
  const scheme = propertyOf(colour, 'schemeClr');
  const fill =
    propertyOf(colour, 'srgbClr') ??
    (scheme === undefined ? undefined : (themeNames[scheme] ?? scheme));
  const line = child(properties, 'ln');
  const outlined = line ? !child(line, 'noFill') : attribute(child(style, 'lnRef'), 'idx') !== '0';
  return { width, outlined, ...(fill === undefined ? {} : { fill }) };
}

/** A text box: its content, which may hold drawings again, in a frame of its width. */
export function drawBox(
  content: XmlElement,
  look: BoxLook,
  source: DrawingSource,
  drawn: Drawn,
): void {
  source.facts.textBoxes++;
  settleDrawings(content, source);
  const box = fragment(boxXml({ ...look, width: Math.min(look.width, source.area.width) }));
  const cell = box[0] && isElement(box[0]) ? child(box[0], 'tr', 'tc') : undefined;
  if (cell) setChildren(cell, content.children);
  drawn.blocks.push(...box);
}

function drawPicture(pic: XmlElement, place: Place, source: DrawingSource, drawn: Drawn): void {
  const fill = child(pic, 'blipFill');
  if (fill) drawBlip(fill, pic, place, source, drawn);
}

function drawBlip(
  fill: XmlElement,
  owner: XmlElement,
  place: Place,
  source: DrawingSource,
  drawn: Drawn,
): void {
  const blip = child(fill, 'blip');
  const vector = blip && descendants(blip, 'svgBlip')[0];
  const frame = child(child(owner, 'spPr'), 'xfrm');
  const cut = child(fill, 'srcRect');
  const side = (name: string) => numberFrom(attribute(cut, name), 0);
  const crop: [number, number, number, number] = [side('l'), side('t'), side('r'), side('b')];
  drawImage(
    {
      ids: [attribute(blip, 'embed'), attribute(vector, 'embed'), attribute(blip, 'link')],
      width: place.width || numberFrom(attribute(child(frame, 'ext'), 'cx'), 0),
      height: place.height || numberFrom(attribute(child(frame, 'ext'), 'cy'), 0),
      rotation: numberFrom(attribute(frame, 'rot'), 0),
      description: place.description,
      ...(crop.some((part) => part > 0) ? { crop } : {}),
      ...(place.float ? { float: place.float } : {}),
    },
    source,
    drawn,
  );
}

export interface Image {
  /** Relationship ids of the picture and its substitutes, best first. */
  ids: (string | undefined)[];
  /** EMU. */
  width: number;
  height: number;
  rotation?: number;
  crop?: [number, number, number, number];
  float?: 'left' | 'right';
  description: string;
}

/** Draws a picture, or says in its place what is missing. */
export function drawImage(image: Image, source: DrawingSource, drawn: Drawn): void {
  source.facts.imagesFound++;
  let because = 'not in the file';
  for (const id of image.ids) {
    if (id === undefined) continue;
    const found = source.picture(id);
    if ('because' in found) {
      because = found.because;
      continue;
    }
    const { width, height } = fitted(image, source.area);
    drawn.inline.push(
      ...fragment(pictureXml({ ...image, relationshipId: found.id, width, height })),
    );
    return;
  }
  source.facts.imagesLost++;
  source.facts.lostBecause.set(because, (source.facts.lostBecause.get(because) ?? 0) + 1);
  const alternative = image.description.trim();
  if (alternative) {
    drawn.inline.push(...textOfRun(`[Picture not shown: ${alternative}]`));
  }
}

/** Nodes that show a text inside a run. */
export function textOfRun(text: string): XmlNode[] {
  const [run] = fragment(runXml(text));
  return run && isElement(run) ? run.children.filter((node) => is(node, 't')) : [];
}

const smallest = 12_700;

function fitted(
  { width, height }: { width: number; height: number },
  area: { width: number; height: number },
): { width: number; height: number } {
  const scale = Math.min(1, area.width / Math.max(width, 1), area.height / Math.max(height, 1));
  return {
    width: Math.max(width * scale, smallest),
    height: Math.max(height * scale, smallest),
  };
}

function drawChart(chart: XmlElement, source: DrawingSource, drawn: Drawn): void {
  const blocks = source.chart(attribute(chart, 'id'));
  if (blocks === undefined) {
    source.facts.chartsUnread++;
    return;
  }
  source.facts.charts++;
  drawn.blocks.push(...fragment(blocks));
}

function drawDiagram(ids: XmlElement, source: DrawingSource, drawn: Drawn): void {
  const blocks = source.diagram(attribute(ids, 'dm'));
  if (blocks === undefined) {
    source.facts.shapes++;
    return;
  }
  source.facts.diagrams++;
  drawn.blocks.push(...fragment(blocks));
}
