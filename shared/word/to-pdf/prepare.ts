import { partOf } from '../model/relationships.ts';
import { readChunk } from './chunks.ts';
import { cleanStyles, headingStyles, pageStarts } from './document-styles.ts';
import type { Facts } from './facts.ts';
import { resolveFields } from './fields.ts';
import { substituteFonts, type Typefaces } from './fonts.ts';
import { type Hiding, hidingOf } from './hidden.ts';
import { hasArabic, languageOf } from './language.ts';
import { markNotes, shownNotes, takeComments } from './notes.ts';
import { stylesOf } from './numbering.ts';
import {
  type DocxPackage,
  openPackage,
  type Relationships,
  type WrittenPart,
  writePackage,
} from './package.ts';
import { placePageBreaks } from './page-breaks.ts';
import { firstPage, sectionsOf } from './sections.ts';
import { textSegments } from './segments.ts';
import { simplify } from './simplify.ts';
import { readSource, type Source } from './source.ts';
import { type StoryPass, simplifyStory, storyPass } from './story-pass.ts';
import { MediaWriter } from './story-source.ts';
import {
  attribute,
  descendants,
  elements,
  isElement,
  isPropertyOn,
  localName,
  mapChildren,
  rootOf,
  setChildren,
  textOf,
  writeXml,
  type XmlElement,
} from './xml.ts';

/** A docx that docx-preview shows in full, and what it should then show. */
export interface Prepared {
  docx: Uint8Array;
  facts: Facts;
  /** Text of body and notes by paragraph, in the pieces of `textSegments`. */
  paragraphs: string[][];
  /** Outline level, 1 to 6, by paragraph style id. */
  headings: Record<string, number>;
  title: string | undefined;
  /** BCP 47 tag, which selects the Chinese, Japanese or Korean shapes of characters. */
  language: string;
  /** Whether there is text in Arabic letters. */
  arabic: boolean;
  /** Size of the first page in points. */
  page: { width: number; height: number };
}

/**
 * Rewrites a docx into what docx-preview 0.4 shows without loss: see the single passes. Only the
 * parts it needs are written, under their usual names. Apart from web links in the text, nothing in
 * the result refers to anything outside it.
 * @param file path of a docx that the normalize step let through
 * @throws Error when the file is not a docx
 */
export async function prepareDocx(file: string, typefaces: Typefaces): Promise<Prepared> {
  const pkg = await openPackage(file);
  try {
    return await prepare(await readSource(pkg, typefaces));
  } finally {
    pkg.close();
  }
}

async function prepare(source: Source): Promise<Prepared> {
  const { document, root, body, facts, relationships } = source;
  const hiding = await hidingOf(source.pkg, relationships, facts);
  hiding.hide(body);
  await importChunks(source);
  setChildren(root, [body]);
  simplify(body, facts);
  resolveFields(body, 'body');
  const paragraphs = textSegments(body);

  const parts: WrittenPart[] = [];
  const links: Relationships = new Map();
  const story = await storyPass(source, new MediaWriter(parts));
  await story(body, relationships, links);
  for (const type of ['footnotes', 'endnotes'] as const) {
    const part = partOf(relationships, type);
    const notes = part === undefined ? undefined : await source.pkg.xml(part);
    const top = notes && rootOf(notes);
    if (part === undefined || !notes || !top) continue;
    hiding.hideNotes(type === 'footnotes' ? 'footnote' : 'endnote', top);
    setChildren(top, shownNotes(top));
    hiding.hide(top);
    simplifyStory(top, facts, 'body');
    paragraphs.push(...textSegments(top));
    // docx-preview looks up the pictures of notes in the document's relationships.
    await story(top, await source.pkg.relationships(part), links);
    addPart(parts, links, type, `word/${type}.xml`, writeXml(notes));
  }

  await appendComments(source, hiding);
  markNotes(body);
  placePageBreaks(body, pageStarts(source.styles));
  await writeMargins(source, hiding, story, parts, links);
  await writeLooks(source, parts, links);
  keepWebLinks(body, relationships, links);
  parts.push({ name: 'word/document.xml', content: writeXml(document), relationships: links });

  const texts = paragraphs.flat();
  return {
    docx: writePackage(parts),
    facts,
    paragraphs,
    headings: headingStyles(body, stylesOf(source.stylesBytes).headingOf),
    title: await titleOf(source.pkg),
    language: languageOf(texts),
    arabic: hasArabic(texts),
    page: firstPage(body),
  };
}

function addPart(
  parts: WrittenPart[],
  links: Relationships,
  type: string,
  name: string,
  content: string,
): void {
  parts.push({ name, content, relationships: new Map() });
  links.set(`rId-${type}`, { type, target: name, external: false });
}

async function importChunks({ body, pkg, relationships, facts }: Source): Promise<void> {
  for (const chunk of descendants(body, 'altChunk')) {
    const read = await readChunk(pkg, relationships, attribute(chunk, 'id'));
    if (read) facts.chunks++;
    else facts.chunksUnread++;
    facts.hiddenWords += read?.hiddenWords ?? 0;
    const parent = chunk.parent;
    if (parent && isElement(parent)) {
      mapChildren(parent, (node) => (node === chunk ? (read?.blocks ?? []) : [node]));
    }
  }
}

/** Puts the comments after the text, before the last section's properties. */
async function appendComments(
  { body, pkg, relationships, facts }: Source,
  hiding: Hiding,
): Promise<void> {
  const part = partOf(relationships, 'comments');
  const xml = part === undefined ? undefined : await pkg.xml(part);
  const top = xml && rootOf(xml);
  if (top) {
    hiding.hideNotes('comment', top);
    hiding.hide(top);
  }
  const comments = takeComments(body, top);
  facts.comments = comments.length;
  const last = elements(body, 'sectPr').at(-1);
  const end = last ? body.children.indexOf(last) : body.children.length;
  setChildren(body, [...body.children.slice(0, end), ...comments, ...body.children.slice(end)]);
}

/** Writes each header and footer that a section refers to. */
async function writeMargins(
  { pkg, body, relationships, facts }: Source,
  hiding: Hiding,
  story: StoryPass,
  parts: WrittenPart[],
  links: Relationships,
): Promise<void> {
  for (const reference of sectionsOf(body).flatMap((section) => elements(section))) {
    const type = localName(reference).replace('Reference', '');
    if (type !== 'header' && type !== 'footer') continue;
    const id = attribute(reference, 'id');
    const found = id === undefined ? undefined : relationships.get(id);
    if (id === undefined || !found || found.external || links.has(id)) continue;
    const part = await pkg.xml(found.target);
    const top = part && rootOf(part);
    if (!part || !top) continue;
    const own: Relationships = new Map();
    hiding.hide(top);
    simplifyStory(top, facts, 'margin');
    await story(top, await pkg.relationships(found.target), own);
    const name = `word/${type}${links.size + 1}.xml`;
    parts.push({ name, content: writeXml(part), relationships: own });
    links.set(id, { type, target: name, external: false });
  }
}

async function writeLooks(
  { pkg, relationships, styles, fontTable, typefaces }: Source,
  parts: WrittenPart[],
  links: Relationships,
): Promise<void> {
  const settings = partOf(relationships, 'settings');
  const settingsXml = settings === undefined ? undefined : await pkg.xml(settings);
  const even = isPropertyOn(settingsXml && rootOf(settingsXml), 'evenAndOddHeaders');
  addPart(
    parts,
    links,
    'settings',
    'word/settings.xml',
    `<settings>${even ? '<evenAndOddHeaders val="1"/>' : ''}</settings>`,
  );
  const top = styles && rootOf(styles);
  if (styles && top) {
    substituteFonts(top, fontTable, typefaces);
    cleanStyles(top);
    addPart(parts, links, 'styles', 'word/styles.xml', writeXml(styles));
  }
  const theme = partOf(relationships, 'theme');
  const themeXml = theme === undefined ? undefined : await pkg.xml(theme);
  if (themeXml) addPart(parts, links, 'theme', 'word/theme.xml', writeXml(themeXml));
}

/** Web and mail links stay links in the PDF; other schemes could start programs. */
function keepWebLinks(body: XmlElement, from: Relationships, to: Relationships): void {
  for (const link of descendants(body, 'hyperlink')) {
    const id = attribute(link, 'id');
    const found = id === undefined ? undefined : from.get(id);
    if (id === undefined || !found?.external || to.has(id)) continue;
    if (/^(https?|mailto):/i.test(found.target)) to.set(id, found);
  }
}

async function titleOf(pkg: DocxPackage): Promise<string | undefined> {
  const part = partOf(await pkg.relationships(''), 'core-properties');
  const properties = part === undefined ? undefined : await pkg.xml(part);
  const title = properties && descendants(properties, 'title')[0];
  return (title && textOf(title).trim()) || undefined;
}
