import type { Limits } from '../limits.ts';
import { chartBlocks } from '../office/chart.ts';
import type { Block } from '../office/markdown-blocks.ts';
import { mainPartName, readPart, relationshipsOf } from '../office/package.ts';
import { readXml } from '../office/xml.ts';
import type { SafeZip } from '../safety/zip.ts';
import type { SlideAdditions } from './ast-text.ts';

/** What officeparser does not read of a pptx. */
export interface SlidesBeside {
  /** Text of diagrams (SmartArt) and data of charts, for each slide by its number. */
  additions: SlideAdditions;
  slides: number;
  /** Numbers of slides that are not shown. */
  hidden: number[];
  charts: number;
  /** Sound, film and files within the presentation. */
  embedded: number;
}

/**
 * Reads what hangs on the slides of a presentation, in the order they are shown.
 * @throws RejectDocument `normalize.corrupt`
 */
export async function readSlides(zip: SafeZip, limits: Limits): Promise<SlidesBeside> {
  const mainName = await mainPartName(zip, 'ppt/presentation.xml', limits);
  const relationships = await relationshipsOf(zip, mainName, limits);
  const beside: SlidesBeside = {
    additions: new Map(),
    slides: 0,
    hidden: [],
    charts: 0,
    embedded: 0,
  };
  const main = await readPart(zip, mainName, limits);
  const ids: string[] = [];
  // PowerPoint shows no slide twice; a list that repeats one a million times is an attack.
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
    beside.slides += 1;
    if (isHidden(slide, partName)) beside.hidden.push(beside.slides);
    beside.additions.set(beside.slides, await readBeside(zip, partName, limits, beside));
  }
  return beside;
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

async function readBeside(
  zip: SafeZip,
  partName: string,
  limits: Limits,
  beside: SlidesBeside,
): Promise<Block[]> {
  const blocks: Block[] = [];
  for (const { type, target, external } of (
    await relationshipsOf(zip, partName, limits)
  ).values()) {
    if (external) continue;
    const isDiagram = type === 'diagramData';
    const isChart = type === 'chart';
    if (filesWithin.has(type)) beside.embedded += 1;
    if (type === 'chartEx') beside.charts += 1;
    if (!isDiagram && !isChart) continue;
    const bytes = await readPart(zip, target, limits);
    if (!bytes) continue;
    blocks.push(...(isChart ? chartBlocks(bytes, target) : diagramBlocks(bytes, target)));
  }
  return blocks;
}

/** The texts of a diagram's points, in the order of its data (ECMA-376 part 1, 21.4). */
function diagramBlocks(bytes: Buffer, partName: string): Block[] {
  const blocks: Block[] = [];
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
