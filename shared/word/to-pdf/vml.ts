import { paragraphXml } from './blocks.ts';
import { type Canvas, drawBox, drawImage, textOfRun } from './canvas.ts';
import { emuPerPixel, emuPerPoint, emuPerTwip } from './units.ts';
import {
  attribute,
  child,
  descendants,
  elements,
  fragment,
  localName,
  numberFrom,
  textOf,
  type XmlElement,
} from './xml.ts';

const emuPerUnit: Record<string, number> = {
  pt: emuPerPoint,
  in: 72 * emuPerPoint,
  cm: 360_000,
  mm: 36_000,
  px: emuPerPixel,
  pc: 12 * emuPerPoint,
  '': emuPerPixel,
};

/**
 * Draws a `w:pict` or `w:object`: VML (ECMA-376 part 4, 19), which Word wrote before 2010 and still
 * writes for embedded objects and watermarks.
 */
export function drawVml(pict: XmlElement, canvas: Canvas): void {
  const { source, drawn } = canvas;
  const own = (name: string) => numberFrom(attribute(pict, name), 0) * emuPerTwip;
  const lostBefore = source.facts.imagesLost;
  drawShapes(pict, { x: 1, y: 1, units: true }, canvas, {
    width: own('dxaOrig'),
    height: own('dyaOrig'),
  });
  const object = descendants(pict, 'OLEObject')[0];
  if (object) {
    source.facts.embedded++;
    const program = attribute(object, 'ProgID') ?? 'unknown program';
    if (source.facts.imagesLost > lostBefore || drawn.inline.length === 0) {
      drawn.inline.push(...textOfRun(`[Embedded object: ${program}]`));
    }
  }
}

/** How a shape's lengths become EMU: by their unit at the top level, by the group's scale inside a group. */
interface Scale {
  x: number;
  y: number;
  units: boolean;
}

function drawShapes(
  parent: XmlElement,
  scale: Scale,
  canvas: Canvas,
  otherwise: { width: number; height: number } = { width: 0, height: 0 },
): void {
  for (const shape of elements(parent)) {
    const name = localName(shape);
    if (name === 'group') {
      drawShapes(shape, scaleOf(shape, scale), canvas);
    } else if (/^(shape|rect|roundrect|oval|image|polyline|line|arc|curve)$/.test(name)) {
      drawShape(shape, scale, canvas, otherwise);
    }
  }
}

function drawShape(
  shape: XmlElement,
  scale: Scale,
  canvas: Canvas,
  otherwise: { width: number; height: number },
): void {
  const width = length(shape, 'width', scale.x, scale.units) || otherwise.width;
  const height = length(shape, 'height', scale.y, scale.units) || otherwise.height;
  const data = localName(shape) === 'image' ? shape : child(shape, 'imagedata');
  const content = child(shape, 'textbox', 'txbxContent');
  const word = attribute(child(shape, 'textpath'), 'string');
  if (data) {
    const cut = (name: string) => fraction(attribute(data, name));
    const crop: [number, number, number, number] = [
      cut('cropleft'),
      cut('croptop'),
      cut('cropright'),
      cut('cropbottom'),
    ];
    drawImage(
      {
        ids: [attribute(data, 'id'), attribute(data, 'relid'), attribute(data, 'href')],
        width,
        height,
        description: attribute(shape, 'alt') ?? attribute(data, 'title') ?? '',
        ...(crop.some((part) => part > 0) ? { crop } : {}),
      },
      canvas,
    );
  }
  if (content && (textOf(content).trim() !== '' || descendants(content, 'imagedata').length > 0)) {
    const fill = /^#([0-9a-f]{6})\b/i.exec(attribute(shape, 'fillcolor') ?? '')?.[1];
    const outlined = !/^f/.test(attribute(shape, 'stroked') ?? '');
    const filled = fill !== undefined && !/^f/.test(attribute(shape, 'filled') ?? '');
    drawBox(content, { width, outlined, ...(filled ? { fill } : {}) }, canvas);
  } else if (word) canvas.drawn.blocks.push(...fragment(paragraphXml(word, { aside: true })));
  else if (!data) canvas.source.facts.shapes++;
}

function scaleOf(group: XmlElement, outer: Scale): Scale {
  const [x = 1000, y = 1000] = (attribute(group, 'coordsize') ?? '').split(',').map(Number);
  return {
    x: length(group, 'width', outer.x, outer.units) / (x || 1000),
    y: length(group, 'height', outer.y, outer.units) / (y || 1000),
    units: false,
  };
}

/** A length of the shape's CSS-like style, in EMU. */
function length(shape: XmlElement, name: string, scale: number, units: boolean): number {
  const style = attribute(shape, 'style') ?? '';
  const found = new RegExp(`(?:^|;)\\s*${name}\\s*:\\s*([\\d.]+)\\s*([a-z]*)`, 'i').exec(style);
  if (!found) return 0;
  const value = Number(found[1]);
  const unit = found[2]?.toLowerCase() ?? '';
  return units || unit !== '' ? value * (emuPerUnit[unit] ?? emuPerPixel) : value * scale;
}

/** A part of the picture in 1/100,000; VML has it as a plain number, or in 1/65,536 followed by `f`. */
function fraction(text: string | undefined): number {
  const value = numberFrom(text, 0);
  return Math.round((text?.endsWith('f') ? value / 65_536 : value) * 100_000);
}
