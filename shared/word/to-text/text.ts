import type { Limits } from '../../formats/limits.ts';
import { mainPartName, readPart, relationshipsOf } from '../../formats/office/package.ts';
import { type Attributes, readXml } from '../../formats/office/xml.ts';
import type { SafeZip } from '../../formats/safety/zip.ts';
import { RejectDocument } from '../../journey/errors.ts';
import { beyondText, type Findings, noFindings } from '../model/findings.ts';
import { readNumbering } from '../model/numbering.ts';
import { plainBlock } from '../model/paragraph.ts';
import { plainPiece } from '../model/pieces.ts';
import { type DocumentContext, StoryReader } from '../model/story.ts';
import { Stretches } from '../model/stretches.ts';
import { readStyles } from '../model/styles.ts';
import {
  continuedStyle,
  LinkTargets,
  listStyle,
  type ParagraphBlock,
  ruleStyle,
  type StoryBlock,
} from '../model/wml.ts';
import { wordToText } from './mammoth.ts';

/** A docx as text, and what was met on the way. */
export interface DocxText {
  /** Empty when text cannot carry what the document holds (`beyondText`). */
  text: string;
  findings: Findings;
}

type MarkKind = 'footnote' | 'endnote' | 'comment';

/** A footnote, endnote or comment of the document. */
interface Note {
  blocks: StoryBlock[];
  /** Who and when, for comments. */
  by: string;
}

/**
 * The whole text of a docx in reading order: body, then footnotes, endnotes, comments, headers and
 * footers under labels of their own. Tracked changes count as accepted, except that what was
 * deleted is left out. Linear in the size of the XML.
 *
 * mammoth converts; what it would lose (list numbers, headers, footers, text in wrappers it does not
 * know) is put before it as plain paragraphs. See `docs/decisions`.
 *
 * @param zip an opened package whose XML was checked (`openXmlPackage`)
 * @throws RejectDocument `normalize.corrupt` when a part is missing or damaged, and those of
 *   `wordToText`
 */
export async function readDocx(zip: SafeZip, limits: Limits): Promise<DocxText> {
  const links = new LinkTargets();
  const prepared = new Stretches(links);
  const findings = await prepare(zip, limits, prepared, links);
  // What goes on as PDF needs no text.
  if (beyondText(findings).length > 0) return { text: '', findings };
  return { text: await wordToText(prepared, links, limits), findings };
}

/** Puts the document's parts into `prepared`, those that follow the body below lines of their own. */
async function prepare(
  zip: SafeZip,
  limits: Limits,
  prepared: Stretches,
  links: LinkTargets,
): Promise<Findings> {
  const mainName = await mainPartName(zip, 'word/document.xml', limits);
  const relationships = await relationshipsOf(zip, mainName, limits);
  const related = (type: string) =>
    [...relationships.values()].find((each) => each.type === type && !each.external)?.target;
  const part = async (type: string) => {
    const name = related(type);
    return name === undefined ? undefined : readPart(zip, name, limits);
  };

  const styles = readStyles(await part('styles'));
  const newCounter = readNumbering(await part('numbering'), styles);
  const marks = new Marks();
  const findings = noFindings();
  const context: DocumentContext = {
    styles,
    findings,
    markFor: (kind, id) => marks.next(kind, id),
    hasPart: (name) => zip.find(name) !== undefined,
    links,
    hasTitle: false,
  };

  const main = new StoryReader(context, relationships, newCounter(), prepared);
  const bytes = await readPart(zip, mainName, limits);
  if (bytes) readXml(bytes, mainName, main);
  main.finish();
  if (!main.isDocument) {
    throw new RejectDocument({
      code: 'normalize.corrupt',
      message: `${mainName} inside the file is not a Word document.`,
    });
  }

  const readStory = async (name: string): Promise<StoryBlock[]> => {
    const blocks: StoryBlock[] = [];
    const xml = await readPart(zip, name, limits);
    if (!xml) return blocks;
    const own = await relationshipsOf(zip, name, limits);
    const story = new StoryReader(context, own, newCounter(), blocks);
    readXml(xml, name, story);
    story.finish();
    return blocks;
  };
  const readNotes = async (kind: MarkKind): Promise<Map<string, Note>> => {
    const name = related(`${kind}s`);
    const xml = name === undefined ? undefined : await readPart(zip, name, limits);
    if (name === undefined || xml === undefined) return new Map();
    const own = await relationshipsOf(zip, name, limits);
    const reader = new NotesReader(kind, context, own, newCounter(), [], true);
    readXml(xml, name, reader);
    return reader.notes;
  };

  const append = (title: string, blocks: StoryBlock[]) => {
    if (blocks.length === 0) return;
    if (!prepared.isEmpty) prepared.push({ kind: 'paragraph', style: ruleStyle, pieces: [] });
    prepared.push(plainBlock(title));
    for (const block of blocks) prepared.push(block);
  };
  const titles = { footnote: 'Footnotes:', endnote: 'Endnotes:', comment: 'Comments:' } as const;
  for (const kind of ['footnote', 'endnote', 'comment'] as const) {
    append(titles[kind], marks.list(kind, await readNotes(kind)));
  }
  for (const [title, blocks] of await marginals(main.headerIds, relationships, readStory)) {
    append(title, blocks);
  }
  return findings;
}

/** Headers and footers, each text once however many sections and page kinds show it. */
async function marginals(
  ids: string[],
  relationships: Awaited<ReturnType<typeof relationshipsOf>>,
  readStory: (name: string) => Promise<StoryBlock[]>,
): Promise<[title: string, blocks: StoryBlock[]][]> {
  const seenParts = new Set<string>();
  const seenTexts = new Set<string>();
  const sections: [string, StoryBlock[]][] = [];
  for (const id of ids) {
    const relationship = relationships.get(id);
    if (!relationship || relationship.external || seenParts.has(relationship.target)) continue;
    seenParts.add(relationship.target);
    const blocks = await readStory(relationship.target);
    const title = relationship.type === 'footer' ? 'Footer:' : 'Header:';
    const key = title + JSON.stringify(blocks);
    if (blocks.length === 0 || seenTexts.has(key)) continue;
    seenTexts.add(key);
    sections.push([title, blocks]);
  }
  return sections;
}

/** Numbers notes and comments in the order their references stand in the text. */
class Marks {
  readonly #numbers: Record<MarkKind, Map<string, number>> = {
    footnote: new Map(),
    endnote: new Map(),
    comment: new Map(),
  };

  /** The mark of a note; the same again for a second reference to it. */
  next(kind: MarkKind, id: string): string {
    const numbers = this.#numbers[kind];
    const number = numbers.get(id) ?? numbers.size + 1;
    numbers.set(id, number);
    return mark(kind, number);
  }

  /** Notes in the order of their marks, then those that nothing in the text refers to. */
  list(kind: MarkKind, notes: Map<string, Note>): ParagraphBlock[] {
    const numbers = this.#numbers[kind];
    const items: ParagraphBlock[] = [];
    for (const [id, number] of numbers) {
      const note = notes.get(id);
      if (note) items.push(...noteItem(`${mark(kind, number)}:`, note));
    }
    for (const [id, note] of notes) {
      if (!numbers.has(id)) items.push(...noteItem('(without a reference):', note));
    }
    return items;
  }
}

/** A note as a list item whose marker is its mark. */
function noteItem(label: string, { by, blocks }: Note): ParagraphBlock[] {
  const paragraphs: ParagraphBlock[] = [];
  for (const block of blocks) {
    if (block.kind !== 'paragraph') continue;
    const lead = (paragraphs.length === 0 ? by : '') + (block.label ? `${block.label} ` : '');
    const pieces = lead === '' ? block.pieces : [plainPiece(lead), ...block.pieces];
    paragraphs.push(
      paragraphs.length === 0
        ? { kind: 'paragraph', style: listStyle(0), label, pieces }
        : { kind: 'paragraph', style: continuedStyle, pieces },
    );
  }
  if (paragraphs.length === 0 && by !== '') {
    paragraphs.push({ kind: 'paragraph', style: listStyle(0), label, pieces: [plainPiece(by)] });
  }
  return paragraphs;
}

function mark(kind: MarkKind, number: number): string {
  if (kind === 'comment') return `[comment ${number}]`;
  return kind === 'endnote' ? `[^e${number}]` : `[^${number}]`;
}

/** Reads footnotes.xml, endnotes.xml or comments.xml: many small stories in one part. */
class NotesReader extends StoryReader {
  readonly notes = new Map<string, Note>();
  readonly #element: string;

  constructor(kind: MarkKind, ...rest: ConstructorParameters<typeof StoryReader>) {
    super(...rest);
    this.#element = `w:${kind}`;
  }

  override open(name: string, attributes: Attributes): void {
    if (name !== this.#element) {
      super.open(name, attributes);
      return;
    }
    const author = attributes['w:author'];
    const day = attributes['w:date']?.slice(0, 10);
    const by = [author, day].filter((each) => each).join(', ');
    const note: Note = { blocks: [], by: by === '' ? '' : `${by}: ` };
    const isSeparator = /separator|notice/i.test(attributes['w:type'] ?? '');
    if (!isSeparator) this.notes.set(attributes['w:id'] ?? '', note);
    this.divert(note.blocks);
  }

  override close(name: string): void {
    if (name === this.#element) this.divertBack();
    else super.close(name);
  }
}
