import { emuPerTwip } from './blocks.ts';
import { readChunk } from './chunks.ts';
import {
  cleanStyles,
  headingStyles,
  hiddenStyles,
  pageStarts,
  turnRightToLeft,
} from './document-styles.ts';
import { settleDrawings } from './drawings.ts';
import { type Facts, noFacts } from './facts.ts';
import { substituteFonts } from './fonts.ts';
import { hasArabic, languageOf } from './language.ts';
import { settleMath } from './math.ts';
import { markNotes, shownNotes, takeComments } from './notes.ts';
import { labelWriter, stylesOf } from './numbering.ts';
import {
  type DocxPackage,
  openPackage,
  type Relationships,
  type WrittenPart,
  writePackage,
} from './package.ts';
import { largestArea, sectionsOf, settlePages } from './paging.ts';
import { textSegments } from './segments.ts';
import { settle, settleFields } from './settle.ts';
import { drawingSource, MediaWriter } from './story-source.ts';
import {
  attribute,
  child,
  descendants,
  elements,
  isElement,
  isOn,
  localName,
  mapChildren,
  numberFrom,
  rootOf,
  setChildren,
  textOf,
  writeXml,
  type XmlDocument,
  type XmlElement,
} from './xml.ts';

/** A docx that the browser's renderer shows in full, and what it should then show. */
export interface Prepared {
  docx: Uint8Array;
  facts: Facts;
  /** Texts of body and notes by paragraph, in the pieces of `textSegments`. */
  paragraphs: string[][];
  /** Outline level, 1 to 6, by paragraph style id. */
  headings: Record<string, number>;
  title: string | undefined;
  /** BCP 47 tag that decides between the shapes of Chinese, Japanese and Korean signs. */
  language: string;
  /** There is text in Arabic letters. */
  arabic: boolean;
  /** Size of the first page in points. */
  page: { width: number; height: number };
}

/**
 * Rewrites a docx into what docx-preview 0.4 shows without loss: see the single passes. Only the
 * parts it needs are written, under their usual names; nothing in the result points outwards save
 * web links of the text.
 * @throws Error when the bytes are no docx
 */
export async function prepareDocx(bytes: Uint8Array): Promise<Prepared> {
  const source = await openSource(bytes);
  const { document, root, body, facts, relationships } = source;
  await importChunks(source);
  setChildren(root, [body]);
  settle(body, facts);
  settleFields(body, 'body');
  const hidden = hiddenStyles(source.styles);
  const paragraphs = textSegments(body, hidden);

  const parts: WrittenPart[] = [];
  const links: Relationships = new Map();
  const story = await storyPass(source, new MediaWriter(parts));
  await story(body, relationships, links);
  for (const type of ['footnotes', 'endnotes'] as const) {
    const part = partOf(relationships, type);
    const notes = part === undefined ? undefined : await source.pkg.xml(part);
    const top = notes && rootOf(notes);
    if (part === undefined || !notes || !top) continue;
    setChildren(top, shownNotes(top));
    settleStory(top, facts, 'body');
    paragraphs.push(...textSegments(top, hidden));
    // docx-preview looks pictures of notes up in the document's relationships.
    await story(top, await source.pkg.relationships(part), links);
    addPart(parts, links, type, `word/${type}.xml`, writeXml(notes));
  }

  await appendComments(source);
  markNotes(body);
  settlePages(body, pageStarts(source.styles));
  await writeMargins(source, story, parts, links);
  await writeLooks(source, parts, links);
  keepWebLinks(body, relationships, links);
  parts.push({ name: 'word/document.xml', content: writeXml(document), relationships: links });

  const texts = paragraphs.flat();
  const size = child(sectionsOf(body)[0], 'pgSz');
  return {
    docx: await writePackage(parts),
    facts,
    paragraphs,
    headings: headingStyles(body, stylesOf(source.stylesBytes).headingOf),
    title: await titleOf(source.pkg),
    language: languageOf(texts),
    arabic: hasArabic(texts),
    page: {
      width: numberFrom(attribute(size, 'w'), 12_240) / 20,
      height: numberFrom(attribute(size, 'h'), 15_840) / 20,
    },
  };
}

/** The docx as the passes work on it. */
interface Source {
  pkg: DocxPackage;
  document: XmlDocument;
  root: XmlElement;
  body: XmlElement;
  relationships: Relationships;
  styles: XmlDocument | undefined;
  stylesBytes: Uint8Array | undefined;
  fontTable: XmlElement | undefined;
  facts: Facts;
}

async function openSource(bytes: Uint8Array): Promise<Source> {
  const pkg = await openPackage(bytes);
  const document = await pkg.xml(pkg.main);
  const root = document && rootOf(document);
  const body = child(root, 'body');
  if (!document || !root || !body) throw new Error('The document part has no body');
  // Some programs write several bodies; readers show them one after the other.
  for (const other of elements(root, 'body').slice(1)) {
    setChildren(body, [...body.children, ...other.children]);
  }
  const relationships = await pkg.relationships(pkg.main);
  const styles = partOf(relationships, 'styles');
  const fontTable = partOf(relationships, 'fontTable');
  const fonts = fontTable === undefined ? undefined : await pkg.xml(fontTable);
  return {
    pkg,
    document,
    root,
    body,
    relationships,
    styles: styles === undefined ? undefined : await pkg.xml(styles),
    stylesBytes: styles === undefined ? undefined : await pkg.bytes(styles),
    fontTable: fonts && rootOf(fonts),
    facts: noFacts(),
  };
}

function partOf(relationships: Relationships, type: string): string | undefined {
  for (const found of relationships.values()) {
    if (found.type === type && !found.external) return found.target;
  }
  return undefined;
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

/** A story beside the body: settled, and without links, which docx-preview looks up wrongly. */
function settleStory(story: XmlElement, facts: Facts, where: 'body' | 'margin'): void {
  settle(story, facts);
  settleFields(story, where);
  unlink(story);
}

function unlink(story: XmlElement): void {
  mapChildren(story, (node) => {
    if (!isElement(node)) return [node];
    unlink(node);
    return localName(node) === 'hyperlink' ? node.children : [node];
  });
}

type StoryPass = (story: XmlElement, from: Relationships, to: Relationships) => Promise<void>;

/** The passes that every settled story goes through. */
async function storyPass(source: Source, media: MediaWriter): Promise<StoryPass> {
  const { pkg, relationships, facts, fontTable } = source;
  const numbering = partOf(relationships, 'numbering');
  const writeLabels = labelWriter(
    stylesOf(source.stylesBytes),
    numbering === undefined ? undefined : await pkg.bytes(numbering),
    numbering === undefined ? undefined : await pkg.xml(numbering),
  );
  const twips = largestArea(source.body);
  const area = { width: twips.width * emuPerTwip, height: twips.height * emuPerTwip };
  return async (story, from, to) => {
    settleMath(story);
    settleDrawings(story, await drawingSource({ pkg, from, to, media, facts, area }));
    writeLabels(story);
    substituteFonts(story, fontTable);
    turnRightToLeft(story);
  };
}

async function importChunks({ body, pkg, relationships, facts }: Source): Promise<void> {
  for (const chunk of descendants(body, 'altChunk')) {
    const blocks = await readChunk(pkg, relationships, attribute(chunk, 'id'));
    if (blocks) facts.chunks++;
    else facts.chunksUnread++;
    const parent = chunk.parent;
    if (parent && isElement(parent)) {
      mapChildren(parent, (node) => (node === chunk ? (blocks ?? []) : [node]));
    }
  }
}

/** Sets the comments behind the text, before the last section's properties. */
async function appendComments({ body, pkg, relationships, facts }: Source): Promise<void> {
  const part = partOf(relationships, 'comments');
  const xml = part === undefined ? undefined : await pkg.xml(part);
  const comments = takeComments(body, xml && rootOf(xml));
  facts.comments = comments.length;
  const last = elements(body, 'sectPr').at(-1);
  const end = last ? body.children.indexOf(last) : body.children.length;
  setChildren(body, [...body.children.slice(0, end), ...comments, ...body.children.slice(end)]);
}

/** Writes each header and footer that a section refers to. */
async function writeMargins(
  { pkg, body, relationships, facts }: Source,
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
    settleStory(top, facts, 'margin');
    await story(top, await pkg.relationships(found.target), own);
    const name = `word/${type}${links.size + 1}.xml`;
    parts.push({ name, content: writeXml(part), relationships: own });
    links.set(id, { type, target: name, external: false });
  }
}

async function writeLooks(
  { pkg, relationships, styles, fontTable }: Source,
  parts: WrittenPart[],
  links: Relationships,
): Promise<void> {
  const settings = partOf(relationships, 'settings');
  const settingsXml = settings === undefined ? undefined : await pkg.xml(settings);
  const even = isOn(settingsXml && rootOf(settingsXml), 'evenAndOddHeaders');
  addPart(
    parts,
    links,
    'settings',
    'word/settings.xml',
    `<settings>${even ? '<evenAndOddHeaders val="1"/>' : ''}</settings>`,
  );
  const top = styles && rootOf(styles);
  if (styles && top) {
    substituteFonts(top, fontTable);
    cleanStyles(top);
    addPart(parts, links, 'styles', 'word/styles.xml', writeXml(styles));
  }
  const theme = partOf(relationships, 'theme');
  const themeXml = theme === undefined ? undefined : await pkg.xml(theme);
  if (themeXml) addPart(parts, links, 'theme', 'word/theme.xml', writeXml(themeXml));
}

/** Links to the web stay links in the PDF; other schemes could start programs. */
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
