import { RejectDocument } from '../errors.ts';
import { type Block, joinBlocks } from './docx-blocks.ts';
import { type Findings, noFindings } from './docx-findings.ts';
import { readNumbering } from './docx-numbering.ts';
import { type DocumentContext, StoryReader } from './docx-story.ts';
import { readStyles } from './docx-styles.ts';
import type { Limits } from './limits.ts';
import { mainPartName, readPart, relationshipsOf } from './ooxml-package.ts';
import { type Attributes, readXml } from './ooxml-xml.ts';
import type { SafeZip } from './zip-safety.ts';

/** A docx as text, and what was met on the way. */
export interface DocxText {
  text: string;
  findings: Findings;
}

type MarkKind = 'footnote' | 'endnote' | 'comment';

/** A footnote, endnote or comment of the document. */
interface Note {
  blocks: Block[];
  /** Who and when, for comments. */
  by: string;
}

/**
 * The whole text of a docx in reading order: body, then footnotes, endnotes, comments, headers and
 * footers under labels of their own. Tracked changes count as accepted, except that what was
 * deleted is left out. Linear in the size of the XML.
 *
 * Own code and not mammoth, which loses list numbers, headers, footers and text in unknown
 * wrappers, recurses with the document's depth and takes some eight times as long; see
 * `docs/decisions`.
 *
 * @param zip an opened package whose XML was checked (`openXmlPackage`)
 * @throws RejectDocument `normalize.corrupt` when a part is missing or damaged
 */
export async function readDocx(zip: SafeZip, limits: Limits): Promise<DocxText> {
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
    hasTitle: false,
  };

  const body: Block[] = [];
  const main = new StoryReader(context, relationships, newCounter(), { blocks: body });
  const bytes = await readPart(zip, mainName, limits);
  if (bytes) readXml(bytes, mainName, main);
  main.finish();
  if (!main.isDocument) {
    throw new RejectDocument({
      code: 'normalize.corrupt',
      message: `${mainName} inside the file is not a Word document.`,
    });
  }

  const readStory = async (name: string): Promise<Block[]> => {
    const blocks: Block[] = [];
    const xml = await readPart(zip, name, limits);
    if (!xml) return blocks;
    const own = await relationshipsOf(zip, name, limits);
    const story = new StoryReader(context, own, newCounter(), { blocks });
    readXml(xml, name, story);
    story.finish();
    return blocks;
  };
  const readNotes = async (kind: MarkKind): Promise<Map<string, Note>> => {
    const name = related(`${kind}s`);
    const xml = name === undefined ? undefined : await readPart(zip, name, limits);
    if (name === undefined || xml === undefined) return new Map();
    const own = await relationshipsOf(zip, name, limits);
    const reader = new NotesReader(kind, context, own, newCounter(), { blocks: [] });
    readXml(xml, name, reader);
    return reader.notes;
  };

  const sections = [joinBlocks(body)];
  const titles = { footnote: 'Footnotes', endnote: 'Endnotes', comment: 'Comments' } as const;
  for (const kind of ['footnote', 'endnote', 'comment'] as const) {
    const lines = marks.list(kind, await readNotes(kind));
    if (lines.length > 0) sections.push(`${titles[kind]}:\n\n${lines.join('\n')}`);
  }
  sections.push(...(await marginals(main.headerIds, relationships, readStory)));

  return { text: sections.filter((section) => section !== '').join('\n\n---\n\n'), findings };
}

/** Headers and footers, each text once however many sections and page kinds show it. */
async function marginals(
  ids: string[],
  relationships: Awaited<ReturnType<typeof relationshipsOf>>,
  readStory: (name: string) => Promise<Block[]>,
): Promise<string[]> {
  const seenParts = new Set<string>();
  const seenTexts = new Set<string>();
  const sections: string[] = [];
  for (const id of ids) {
    const relationship = relationships.get(id);
    if (!relationship || relationship.external || seenParts.has(relationship.target)) continue;
    seenParts.add(relationship.target);
    const text = joinBlocks(await readStory(relationship.target));
    const section = `${relationship.type === 'footer' ? 'Footer' : 'Header'}:\n\n${text}`;
    if (text === '' || seenTexts.has(section)) continue;
    seenTexts.add(section);
    sections.push(section);
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
  list(kind: MarkKind, notes: Map<string, Note>): string[] {
    const numbers = this.#numbers[kind];
    const lines: string[] = [];
    for (const [id, number] of numbers) {
      const note = notes.get(id);
      if (note) lines.push(`${mark(kind, number)}: ${noteText(note)}`);
    }
    for (const [id, note] of notes) {
      const text = noteText(note);
      if (!numbers.has(id) && text !== '') lines.push(`(without a reference): ${text}`);
    }
    return lines;
  }
}

function noteText({ by, blocks }: Note): string {
  return `${by}${joinBlocks(blocks).replace(/\n+/g, '\n    ')}`;
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
    this.divert(note);
  }

  override close(name: string): void {
    if (name === this.#element) this.divertBack();
    else super.close(name);
  }
}
