import { partOf } from '../model/relationships.ts';
import { turnRightToLeft } from './document-styles.ts';
import { placeDrawings } from './drawings.ts';
import type { Facts } from './facts.ts';
import { resolveFields } from './fields.ts';
import { substituteFonts } from './fonts.ts';
import { simplifyMath } from './math.ts';
import { labelWriter, stylesOf } from './numbering.ts';
import type { Relationships } from './package.ts';
import { largestArea } from './sections.ts';
import { simplify } from './simplify.ts';
import type { Source } from './source.ts';
import { drawingSource, type MediaWriter } from './story-source.ts';
import { emuPerTwip } from './units.ts';
import { isElement, localName, mapChildren, type XmlElement } from './xml.ts';

/** Simplifies a story other than the body, and removes its links, which docx-preview resolves wrongly. */
export function simplifyStory(story: XmlElement, facts: Facts, where: 'body' | 'margin'): void {
  simplify(story, facts);
  resolveFields(story, where);
  unlink(story);
}

function unlink(story: XmlElement): void {
  mapChildren(story, (node) => {
    if (!isElement(node)) return [node];
    unlink(node);
    return localName(node) === 'hyperlink' ? node.children : [node];
  });
}

/** Takes a story, the relationships of its part, and those of the part it is written to. */
export type StoryPass = (
  story: XmlElement,
  from: Relationships,
  to: Relationships,
) => Promise<void>;

/** Returns the passes that every simplified story goes through. */
export async function storyPass(source: Source, media: MediaWriter): Promise<StoryPass> {
  const { pkg, relationships, facts, fontTable, typefaces } = source;
  const numbering = partOf(relationships, 'numbering');
  const writeLabels = labelWriter(
    stylesOf(source.stylesBytes),
    numbering === undefined ? undefined : await pkg.bytes(numbering),
    numbering === undefined ? undefined : await pkg.xml(numbering),
  );
  const twips = largestArea(source.body);
  const area = { width: twips.width * emuPerTwip, height: twips.height * emuPerTwip };
  return async (story, from, to) => {
    simplifyMath(story);
    placeDrawings(story, await drawingSource({ pkg, from, to, media, facts, area }));
    writeLabels(story);
    substituteFonts(story, fontTable, typefaces);
    turnRightToLeft(story);
  };
}
