import { type BoxLook, paragraphXml } from './blocks.ts';
import { type Canvas, drawBox, drawImage } from './canvas.ts';
import {
  attribute,
  child,
  descendants,
  elements,
  fragment,
  localName,
  numberFrom,
  propertyOf,
  textOf,
  type XmlElement,
} from './xml.ts';

interface Place {
  width: number;
  height: number;
  float?: 'left' | 'right';
  description: string;
}

/** Draws a `w:drawing`: DrawingML (ECMA-376 part 1, 20). */
export function drawDrawing(drawing: XmlElement, canvas: Canvas): void {
  const wrapper = child(drawing, 'inline') ?? child(drawing, 'anchor');
  const properties = child(wrapper, 'docPr');
  if (!wrapper || attribute(properties, 'hidden') === '1') return;
  const extent = child(wrapper, 'extent');
  const width = numberFrom(attribute(extent, 'cx'), 0);
  const float = floatOf(wrapper, width, canvas.source.area.width);
  const place: Place = {
    width,
    height: numberFrom(attribute(extent, 'cy'), 0),
    description: attribute(properties, 'descr') ?? attribute(properties, 'title') ?? '',
    ...(float ? { float } : {}),
  };
  drawGraphic(child(wrapper, 'graphic', 'graphicData'), place, canvas);
}

/** Text flows around a narrow picture only: next to a wide one it would get a useless strip. */
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

function drawGraphic(data: XmlElement | undefined, place: Place, canvas: Canvas): void {
  for (const graphic of elements(data)) {
    switch (localName(graphic)) {
      case 'pic':
        drawPicture(graphic, place, canvas);
        break;
      case 'wsp':
      case 'sp':
        drawShape(graphic, place, canvas);
        break;
      case 'wgp':
      case 'wpc':
      case 'grpSp':
      case 'lockedCanvas':
        drawGroup(graphic, place, canvas);
        break;
      case 'chart':
        drawChart(graphic, canvas);
        break;
      case 'relIds':
        drawDiagram(graphic, canvas);
        break;
      default:
        canvas.source.facts.shapes++;
    }
  }
}

function drawGroup(group: XmlElement, place: Place, canvas: Canvas): void {
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
      drawGraphic(child(part, 'graphic', 'graphicData'), own, canvas);
    } else if (name === 'pic') drawPicture(part, own, canvas);
    else if (name === 'wsp' || name === 'sp') drawShape(part, own, canvas);
    else if (name === 'grpSp' || name === 'wgp') drawGroup(part, own, canvas);
    else canvas.source.facts.shapes++;
  }
}

function drawShape(shape: XmlElement, place: Place, canvas: Canvas): void {
  const fill = child(child(shape, 'spPr'), 'blipFill');
  if (fill) drawBlip(fill, shape, place, canvas);
  const content = child(shape, 'txbx', 'txbxContent');
  const look = lookOf(shape, place.width);
  if (content && textOf(content).trim() !== '') {
    drawBox(content, look, canvas);
    return;
  }
  if (content) {
    // A box may contain pictures only.
    const before = canvas.drawn.blocks.length;
    drawBox(content, { ...look, outlined: false }, canvas);
    if (descendants(content, 'drawing').length > 0) return;
    canvas.drawn.blocks.length = before;
    canvas.source.facts.textBoxes--;
  }
  const plain = child(shape, 'txBody');
  const lines = plain ? descendants(plain, 'p') : [];
  const texts = lines.map((line) => descendants(line, 't').map(textOf).join(''));
  if (texts.some((text) => text.trim() !== '')) {
    canvas.drawn.blocks.push(...fragment(texts.map((text) => paragraphXml(text)).join('')));
  } else if (!fill) canvas.source.facts.shapes++;
}

/** Shapes use other names for theme colours than the theme (20.1.10.54). */
const themeNames: Record<string, string> = { bg1: 'lt1', tx1: 'dk1', bg2: 'lt2', tx2: 'dk2' };

/** Outline and fill of a shape: its own, or those of the theme style it refers to. */
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

function drawPicture(pic: XmlElement, place: Place, canvas: Canvas): void {
  const fill = child(pic, 'blipFill');
  if (fill) drawBlip(fill, pic, place, canvas);
}

function drawBlip(fill: XmlElement, owner: XmlElement, place: Place, canvas: Canvas): void {
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
    canvas,
  );
}

function drawChart(chart: XmlElement, canvas: Canvas): void {
  const blocks = canvas.source.chart(attribute(chart, 'id'));
  if (blocks === undefined) {
    canvas.source.facts.chartsUnread++;
    return;
  }
  canvas.source.facts.charts++;
  canvas.drawn.blocks.push(...fragment(blocks));
}

function drawDiagram(ids: XmlElement, canvas: Canvas): void {
  const blocks = canvas.source.diagram(attribute(ids, 'dm'));
  if (blocks === undefined) {
    canvas.source.facts.shapes++;
    return;
  }
  canvas.source.facts.diagrams++;
  canvas.drawn.blocks.push(...fragment(blocks));
}
