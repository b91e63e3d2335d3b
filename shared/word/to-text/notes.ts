import type { Attributes } from '../../formats/office/xml.ts';
import type { Findings } from '../model/findings.ts';
import { plainPiece } from '../model/pieces.ts';
import { StoryReader } from '../model/story.ts';
import { continuedStyle, listStyle, type ParagraphBlock, type StoryBlock } from '../model/wml.ts';

/** What has marks in the text. */
export type MarkKind = 'footnote' | 'endnote' | 'comment';

/** A footnote, endnote or comment of the document. */
export interface Note {
  blocks: StoryBlock[];
  /** Who and when, for comments. */
  by: string;
}

/** Numbers notes and comments in the order of their references in the text. */
export class Marks {
  readonly #numbers: Record<MarkKind, Map<string, number>> = {
    footnote: new Map(),
    endnote: new Map(),
    comment: new Map(),
  };
  /** Notes of which a reference is hidden: with no other reference, they are hidden too. */
  readonly #hidden = new Set<string>();

  /**
   * The mark of a note; the same again for a second reference to it. Empty when the reference is
   * hidden.
   */
  next(kind: MarkKind, id: string, isHidden: boolean): string {
    if (isHidden) {
      this.#hidden.add(`${kind} ${id}`);
      return '';
    }
    const numbers = this.#numbers[kind];
    const number = numbers.get(id) ?? numbers.size + 1;
    numbers.set(id, number);
    return mark(kind, number);
  }

  /** Notes in the order of their marks, then those without a reference. */
  list(kind: MarkKind, notes: Map<string, Note>, findings: Findings): ParagraphBlock[] {
    const numbers = this.#numbers[kind];
    const items: ParagraphBlock[] = [];
    for (const [id, number] of numbers) {
      const note = notes.get(id);
      if (note) items.push(...noteItem(`${mark(kind, number)}:`, note));
    }
    for (const [id, note] of notes) {
      if (numbers.has(id)) continue;
      if (this.#hidden.has(`${kind} ${id}`)) {
        findings.hidden.add(wordsOf(note));
        findings.hidden.interrupt();
        continue;
      }
      const item = noteItem('(without a reference):', note);
      if (kind !== 'comment' && item.length > 0) findings.looseNotes += 1;
      items.push(...item);
    }
    return items;
  }
}

function wordsOf({ blocks }: Note): string {
  return blocks
    .flatMap((block) => (block.kind === 'paragraph' ? block.pieces : []))
    .map(({ text }) => text)
    .join(' ');
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
export class NotesReader extends StoryReader {
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
