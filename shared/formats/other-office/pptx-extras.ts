import type { Limits } from '../limits.ts';
import { chartBlocks } from '../office/chart.ts';
import type { MarkdownBlock } from '../office/markdown-blocks.ts';
import { mainPartName, readPart, relationshipsOf } from '../office/package.ts';
import { readXml } from '../office/xml.ts';
import type { SafeZip } from '../safety/zip.ts';
import type { SlideAdditions } from './ast-text.ts';

/** What officeparser does not read in a pptx. */
export interface PptxExtras {
  /** Text of diagrams (SmartArt) and data of charts, by slide number. */
  additions: SlideAdditions;
  slides: number;
  /** Numbers of the hidden slides. */
  hidden: number[];
  /** Charts of a newer kind (chartex), which are not read. */
  charts: number;
  /** Embedded sounds, videos and files. */
  embedded: number;
}

/**
 * Reads what the slides of a presentation refer to, in the order in which they are shown.
 * @throws RejectDocument `normalize.corrupt`
 */
export async function readPptxExtras(zip: SafeZip, limits: Limits): Promise<PptxExtras> {
  const mainName = await mainPartName(zip, 'ppt/presentation.xml', limits);
  const relationships = await relationshipsOf(zip, mainName, limits);
  const extras: PptxExtras = {
    additions: new Map(),
    slides: 0,
    hidden: [],
    charts: 0,
    embedded: 0,
  };
  const main = await readPart(zip, mainName, limits);
  const ids: string[] = [];
  // PowerPoint shows each slide once; a list that repeats one a million times is an attack.
  const seen = new Set<string>();
  if (main) {
    readXml(main, mainName, {
      open(name, attributes) {
        if (name === 'p:sldId') ids.push(attributes['r:id'] ?? '');
      },
      close() {},
    });
  }
  for (const id of ids) {
    const partName = relationships.get(id)?.target ?? '';
    if (seen.has(partName)) continue;
    seen.add(partName);
    const slide = await readPart(zip, partName, limits);
    if (!slide) continue;
    extras.slides += 1;
    if (isHidden(slide, partName)) extras.hidden.push(extras.slides);
    extras.additions.set(extras.slides, await readSlideExtras(zip, partName, limits, extras));
  }
  return extras;
}

function isHidden(slide: Buffer, partName: string): boolean {
  let hidden = false;
  readXml(slide, partName, {
    open(name, attributes) {
      if (name === 'p:sld') hidden = attributes.show === '0' || attributes.show === 'false';
    },
    close() {},
  });
  return hidden;
}

const filesWithin = new Set(['oleObject', 'package', 'media', 'video', 'audio']);

async function readSlideExtras(
  zip: SafeZip,
  partName: string,
  limits: Limits,
  extras: PptxExtras,
): Promise<MarkdownBlock[]> {
  const blocks: MarkdownBlock[] = [];
  for (const { type, target, external } of (
    await relationshipsOf(zip, partName, limits)
  ).values()) {
    if (external) continue;
    const isDiagram = type === 'diagramData';
    const isChart = type === 'chart';
    if (filesWithin.has(type)) extras.embedded += 1;
    if (type === 'chartEx') extras.charts += 1;
    if (!isDiagram && !isChart) continue;
    const bytes = await readPart(zip, target, limits);
    if (!bytes) continue;
    blocks.push(...(isChart ? chartBlocks(bytes, target) : diagramBlocks(bytes, target)));
  }
  return blocks;
}

/** The texts of a diagram's points, in the order of its data (ECMA-376 part 1, 21.4). */
function diagramBlocks(bytes: Buffer, partName: string): MarkdownBlock[] {
  const blocks: MarkdownBlock[] = [];
  let paragraph: string | undefined;
  let collecting = false;
  readXml(bytes, partName, {
    open(name) {
      if (name === 'a:p') paragraph = '';
      else if (name === 'a:t') collecting = true;
      else if (name === 'a:br' && paragraph !== undefined) paragraph += ' ';
    },
    close(name) {
      if (name === 'a:t') collecting = false;
      else if (name === 'a:p') {
        const text = paragraph?.trim() ?? '';
        if (text !== '') blocks.push({ text: `- ${text}`, isListItem: true });
        paragraph = undefined;
      }
    },
    text(text) {
      if (collecting && paragraph !== undefined) paragraph += text;
    },
  });
  return blocks.length > 0 ? [{ text: 'Diagram:', isListItem: false }, ...blocks] : [];
}
