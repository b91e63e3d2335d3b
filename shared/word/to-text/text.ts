import type { Limits } from '../../formats/limits.ts';
import { mainPartName, readPart, relationshipsOf } from '../../formats/office/package.ts';
import { readTheme } from '../../formats/office/theme.ts';
import { isOn, readXml } from '../../formats/office/xml.ts';
import type { SafeZip } from '../../formats/safety/zip.ts';
import { RejectDocument } from '../../journey/errors.ts';
import { beyondText, type Findings, noFindings } from '../model/findings.ts';
import { readLooks } from '../model/looks.ts';
import { shownMargins } from '../model/margins.ts';
import { type ListCounter, readNumbering } from '../model/numbering.ts';
import { plainBlock } from '../model/paragraph.ts';
import { partOf } from '../model/relationships.ts';
import { type DocumentContext, type Section, StoryReader } from '../model/story.ts';
import { Stretches } from '../model/stretches.ts';
import { readStyles } from '../model/styles.ts';
import { pageBackdrop } from '../model/visibility.ts';
import { LinkTargets, ruleStyle, type StoryBlock } from '../model/wml.ts';
import { wordToText } from './mammoth.ts';
import { type MarkKind, Marks, type Note, NotesReader } from './notes.ts';

/** A docx as text, and what it contains. */
export interface DocxText {
  /** Empty when text cannot carry what the document holds (`beyondText`). */
  text: string;
  findings: Findings;
}

/**
 * The whole text of a docx in reading order: body, then footnotes, endnotes, comments, headers and
 * footers under labels of their own. Tracked changes count as accepted. Linear in the size of the XML.
 *
 * mammoth converts. What it would lose (list numbers, headers, footers, text in wrappers it does not
 * know) is given to it as plain paragraphs. See decision 0010.
 *
 * @param zip an opened package whose XML was checked (`openXmlPackage`)
 * @throws RejectDocument `normalize.corrupt` when a part is missing or damaged, and those of
 *   `wordToText`
 */
export async function readDocx(zip: SafeZip, limits: Limits): Promise<DocxText> {
  const links = new LinkTargets();
  const prepared = new Stretches(links);
  const findings = await prepare(zip, limits, prepared, links);
  // A document that becomes a PDF needs no text.
  if (beyondText(findings).length > 0) return { text: '', findings };
  return { text: await wordToText(prepared, links, limits), findings };
}

/** Puts the document's parts into `prepared`: the body, then the others, each after a line. */
async function prepare(
  zip: SafeZip,
  limits: Limits,
  prepared: Stretches,
  links: LinkTargets,
): Promise<Findings> {
  const opened = await openDocument(zip, limits, links);
  const sections = await readBody(opened, prepared);
  const headerIds = shownMargins(sections, await hasEvenPages(opened));
  const append = (title: string, blocks: StoryBlock[]) => {
    if (blocks.length === 0) return;
    if (!prepared.isEmpty) prepared.push({ kind: 'paragraph', style: ruleStyle, pieces: [] });
    prepared.push(plainBlock(title));
    for (const block of blocks) prepared.push(block);
  };
  const titles = { footnote: 'Footnotes:', endnote: 'Endnotes:', comment: 'Comments:' } as const;
  for (const kind of ['footnote', 'endnote', 'comment'] as const) {
    append(
      titles[kind],
      opened.marks.list(kind, await readNotes(opened, kind), opened.context.findings),
    );
  }
  for (const [title, blocks] of await readMargins(opened, headerIds)) append(title, blocks);
  return opened.context.findings;
}

/** A document and what all its stories share. */
interface OpenedDocument {
  zip: SafeZip;
  limits: Limits;
  mainName: string;
  /** Those of the main part. */
  relationships: Relationships;
  context: DocumentContext;
  newCounter: () => ListCounter;
  marks: Marks;
}

type Relationships = Awaited<ReturnType<typeof relationshipsOf>>;

async function openDocument(
  zip: SafeZip,
  limits: Limits,
  links: LinkTargets,
): Promise<OpenedDocument> {
  const mainName = await mainPartName(zip, 'word/document.xml', limits);
  const relationships = await relationshipsOf(zip, mainName, limits);
  const part = async (type: string) => {
    const name = partOf(relationships, type);
    return name === undefined ? undefined : readPart(zip, name, limits);
  };
  const stylesPart = await part('styles');
  const styles = readStyles(stylesPart);
  const newCounter = readNumbering(await part('numbering'), styles);
  const marks = new Marks();
  const context: DocumentContext = {
    styles,
    findings: noFindings(),
    looks: readLooks(stylesPart, readTheme(await part('theme'))),
    page: pageBackdrop(await pageParts(zip, mainName, relationships, limits)),
    markFor: (kind, id, isHidden) => marks.next(kind, id, isHidden),
    hasPart: (name) => zip.find(name) !== undefined,
    links,
    hasTitle: false,
  };
  return { zip, limits, mainName, relationships, context, newCounter, marks };
}

/** The parts that can hold something behind the text of the pages. */
async function pageParts(
  zip: SafeZip,
  mainName: string,
  relationships: Relationships,
  limits: Limits,
): Promise<Buffer[]> {
  const margins = [...relationships.values()]
    .filter(({ type, external }) => !external && (type === 'header' || type === 'footer'))
    .map(({ target }) => target);
  const parts: Buffer[] = [];
  for (const name of [mainName, ...new Set(margins)]) {
    const part = await readPart(zip, name, limits);
    if (part) parts.push(part);
  }
  return parts;
}

/** Reads the body, and returns what its sections say. */
async function readBody(opened: OpenedDocument, prepared: Stretches): Promise<Section[]> {
  const { zip, limits, mainName, relationships, context, newCounter } = opened;
  const body = new StoryReader(context, relationships, newCounter(), prepared);
  const xml = await readPart(zip, mainName, limits);
  if (xml) readXml(xml, mainName, body);
  body.finish();
  if (!body.isDocument) {
    throw new RejectDocument({
      code: 'normalize.corrupt',
      message: `${mainName} inside the file is not a Word document.`,
    });
  }
  return body.sections;
}

async function readNotes(opened: OpenedDocument, kind: MarkKind): Promise<Map<string, Note>> {
  const { zip, limits, context, newCounter } = opened;
  const name = partOf(opened.relationships, `${kind}s`);
  const xml = name === undefined ? undefined : await readPart(zip, name, limits);
  if (name === undefined || xml === undefined) return new Map();
  const own = await relationshipsOf(zip, name, limits);
  const reader = new NotesReader(kind, context, own, newCounter(), [], true);
  readXml(xml, name, reader);
  return reader.notes;
}

async function readStory(opened: OpenedDocument, name: string): Promise<StoryBlock[]> {
  const { zip, limits, context, newCounter } = opened;
  const blocks: StoryBlock[] = [];
  const xml = await readPart(zip, name, limits);
  if (!xml) return blocks;
  const own = await relationshipsOf(zip, name, limits);
  const story = new StoryReader(context, own, newCounter(), blocks);
  readXml(xml, name, story);
  story.finish();
  return blocks;
}

/** Whether even pages have headers and footers of their own (ECMA-376 part 1, 17.10.1). */
async function hasEvenPages({ zip, relationships, limits }: OpenedDocument): Promise<boolean> {
  const name = partOf(relationships, 'settings');
  const xml = name === undefined ? undefined : await readPart(zip, name, limits);
  let has = false;
  if (xml && name !== undefined) {
    readXml(xml, name, {
      open(element, attributes) {
        if (element === 'w:evenAndOddHeaders') has = isOn(attributes['w:val']);
      },
      close() {},
    });
  }
  return has;
}

/** Headers and footers, each text once, however many sections and kinds of page show it. */
async function readMargins(
  opened: OpenedDocument,
  ids: string[],
): Promise<[title: string, blocks: StoryBlock[]][]> {
  const seenParts = new Set<string>();
  const seenTexts = new Set<string>();
  const sections: [string, StoryBlock[]][] = [];
  for (const id of ids) {
    const relationship = opened.relationships.get(id);
    if (!relationship || relationship.external || seenParts.has(relationship.target)) continue;
    seenParts.add(relationship.target);
    const blocks = await readStory(opened, relationship.target);
    const title = relationship.type === 'footer' ? 'Footer:' : 'Header:';
    const key = title + JSON.stringify(blocks);
    if (blocks.length === 0 || seenTexts.has(key)) continue;
    seenTexts.add(key);
    sections.push([title, blocks]);
  }
  return sections;
}
