import { type BoxLook, boxXml, pictureXml, runXml } from './blocks.ts';
import { type Facts, lostReasons } from './facts.ts';
import { emuPerPoint } from './units.ts';
import {
  child,
  fragment,
  is,
  isElement,
  setChildren,
  type XmlElement,
  type XmlNode,
} from './xml.ts';

/** What the drawings of a story refer to, by relationship id. */
export interface DrawingSource {
  facts: Facts;
  /** Largest width and height of a picture, in EMU: the area inside the page margins. */
  area: { width: number; height: number };
  /** The id of the picture in the written docx, or why it cannot be shown. */
  picture(id: string | undefined): { id: string } | { because: string };
  /** A chart's or diagram's content as WordprocessingML blocks. */
  chart(id: string | undefined): string | undefined;
  diagram(id: string | undefined): string | undefined;
}

/** What a drawing becomes: nodes in its run, and blocks after its paragraph. */
export interface Drawn {
  inline: XmlNode[];
  blocks: XmlNode[];
}

/** Where one drawing is drawn. */
export interface Canvas {
  source: DrawingSource;
  drawn: Drawn;
  /** Draws the drawings inside a text box. */
  drawInside(content: XmlElement): void;
}

/** Draws a text box: its content, which may contain drawings, in a frame of its width. */
export function drawBox(
  content: XmlElement,
  look: BoxLook,
  { source, drawn, drawInside }: Canvas,
): void {
  source.facts.textBoxes++;
  drawInside(content);
  const box = fragment(boxXml({ ...look, width: Math.min(look.width, source.area.width) }));
  const cell = box[0] && isElement(box[0]) ? child(box[0], 'tr', 'tc') : undefined;
  if (cell) setChildren(cell, content.children);
  drawn.blocks.push(...box);
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

/** Draws a picture, or puts its description in its place. */
export function drawImage(image: Image, { source, drawn }: Canvas): void {
  source.facts.imagesFound++;
  let because: string = lostReasons.missing;
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

/** Nodes that show text inside a run. */
export function textOfRun(text: string): XmlNode[] {
  const [run] = fragment(runXml(text));
  return run && isElement(run) ? run.children.filter((node) => is(node, 't')) : [];
}

/** EMU: a picture without a size is still a dot. */
const smallest = emuPerPoint;

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
