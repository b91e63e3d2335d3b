import { RejectDocument } from '../../journey/errors.ts';
import { groupsOf } from './pieces.ts';
import {
  continuedStyle,
  documentPart,
  isItemStyle,
  type LinkTargets,
  type ParagraphBlock,
  type StoryBlock,
  writeParagraph,
  writeTable,
} from './wml.ts';

/**
 * mammoth builds a tree about a hundred times the size of its XML. So it gets a document in stretches
 * of about this many characters, and memory stays flat however long the document is.
 */
const stretch = 256 * 1024;

/**
 * Characters of XML in a single table row above which the document is refused: a row cannot be
 * split, and rows that Word writes are far smaller.
 */
const longestRow = 8 * 1024 * 1024;

interface Stretch {
  /** A `document.xml`. */
  xml: string;
  /** It begins with rows of the table that the stretch before it ended with. */
  isWithinTable: boolean;
  endsWithinTable: boolean;
}

/**
 * A document as a series of shorter documents, split between paragraphs and between rows (and within
 * a paragraph that is longer than a stretch). What is pushed is written at once and kept as a few long
 * strings.
 */
export class Stretches {
  readonly #links: LinkTargets;
  #finished: Stretch[] = [];
  #parts: string[] = [];
  #rows: string[] = [];
  #length = 0;
  #isWithinTable = false;
  #longestRow = 0;

  constructor(links: LinkTargets) {
    this.#links = links;
  }

  get isEmpty(): boolean {
    return this.#finished.length === 0 && this.#length === 0;
  }

  push(block: StoryBlock): void {
    if (block.kind === 'paragraph') {
      // The paragraphs of a list item stay together, those of a list if possible.
      const isFree = block.style === undefined || !isItemStyle(block.style);
      const isBreak = isFree || (block.style !== continuedStyle && this.#length > 2 * stretch);
      if (this.#length > stretch && isBreak) this.#finish(false);
      this.#paragraph(block);
      return;
    }
    for (const [at, row] of block.rows.entries()) {
      if (this.#length > stretch) this.#finish(at > 0);
      this.#rows.push(row);
      this.#length += row.length;
      this.#longestRow = Math.max(this.#longestRow, row.length);
    }
    this.#closeTable();
  }

  /**
   * All that was pushed.
   * @throws RejectDocument `normalize.too_complex`
   */
  take(): Stretch[] {
    if (this.#longestRow > longestRow) {
      throw new RejectDocument({
        code: 'normalize.too_complex',
        message: `A table row of the document takes ${this.#longestRow} characters of XML; at most ${longestRow} can be converted.`,
      });
    }
    if (this.#length > 0) this.#finish(false);
    const finished = this.#finished;
    this.#finished = [];
    return finished;
  }

  #paragraph(block: ParagraphBlock): void {
    const [first = [], ...more] = groupsOf(block.pieces, stretch);
    const paragraphs = [
      { ...block, pieces: first },
      ...more.map((pieces): ParagraphBlock => ({ kind: 'paragraph', pieces })),
    ];
    for (const [at, paragraph] of paragraphs.entries()) {
      if (at > 0) this.#finish(false);
      const xml = writeParagraph(paragraph, this.#links);
      this.#parts.push(xml);
      this.#length += xml.length;
    }
  }

  #closeTable(): void {
    if (this.#rows.length > 0) this.#parts.push(writeTable(this.#rows));
    this.#rows = [];
  }

  #finish(endsWithinTable: boolean): void {
    this.#closeTable();
    const xml = documentPart(this.#parts);
    this.#finished.push({ xml, isWithinTable: this.#isWithinTable, endsWithinTable });
    this.#isWithinTable = endsWithinTable;
    this.#parts = [];
    this.#length = 0;
  }
}
