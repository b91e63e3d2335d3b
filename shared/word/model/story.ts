import type { Relationship } from '../../formats/office/package.ts';
import { type Attributes, isOn, type XmlHandlers } from '../../formats/office/xml.ts';
import type { Backdrop } from '../../formats/safety/visibility.ts';
import { DrawingReader } from './drawings.ts';
import { FieldReader } from './fields.ts';
import type { Findings } from './findings.ts';
import type { Looks } from './looks.ts';
import type { ListCounter } from './numbering.ts';
import { type Outline, Paragraph, paragraphBlock, symbol } from './paragraph.ts';
import { type Piece, type Run, trimmed } from './pieces.ts';
import { TableReader } from './tables.ts';
import { Visibility } from './visibility.ts';
import type { LinkTargets, StoryBlock } from './wml.ts';

/** What the stories of one document share. */
export interface DocumentContext extends Outline {
  findings: Findings;
  /** The looks of its styles, and what is behind the text of its pages. */
  looks: Looks;
  page: Backdrop;
  /** The mark in the text for a reference to a note or comment; none if the reference is hidden. */
  markFor(kind: 'footnote' | 'endnote' | 'comment', id: string, isHidden: boolean): string;
  hasPart(name: string): boolean;
  links: LinkTargets;
}

/** What a section says about its headers and footers. */
export interface Section {
  /** Relationship ids by what they are for, such as `headerReference first`. */
  references: Map<string, string>;
  /** Whether its first page has a header and footer of its own. */
  isFirstPageOther: boolean;
}

/** Where blocks go: the document itself, or an array for a note, a cell, a text box. */
export interface BlockSink {
  push(block: StoryBlock): unknown;
}

/** Subtrees that are not part of the current text: earlier states, and looks. */
const skipped = new Set([
  'w:del',
  'w:moveFrom',
  'w:pPrChange',
  'w:rPrChange',
  'w:sectPrChange',
  'w:tblPrChange',
  'w:tblGridChange',
  'w:trPrChange',
  'w:tcPrChange',
  'w:tblPrExChange',
  'w:numberingChange',
  'w:sdtEndPr',
  'w:tblGrid',
]);

/**
 * Prepares one story, the text of a part in reading order, for mammoth, and counts what text cannot
 * carry. Every `w:t` is kept unless Word would not show it, also inside unknown wrappers (content
 * controls, smart tags, custom XML). One class, because every event may need the state of any other.
 */
export class StoryReader implements XmlHandlers {
  /** The sections so far, the last one open, with the headers and footers they refer to. */
  readonly sections: Section[] = [{ references: new Map(), isFirstPageOther: false }];
  /** Whether the root element was `w:document`. */
  isDocument = false;

  readonly #context: DocumentContext;
  readonly #relationships: Map<string, Relationship>;
  readonly #counter: ListCounter;
  readonly #drawings: DrawingReader;
  readonly #fields = new FieldReader();
  readonly #tables: TableReader;
  readonly #visibility: Visibility;
  readonly #sinks: BlockSink[] = [];
  readonly #boxes: StoryBlock[][] = [];
  readonly #paragraphs: Paragraph[] = [];
  readonly #runs: Run[] = [];
  readonly #alternatives: { chosen: boolean }[] = [];
  #skip = 0;
  #inParagraphProperties = false;
  #inRowProperties = false;
  #collecting: 'text' | 'instruction' | undefined;
  #carried: Piece[] = [];

  constructor(
    context: DocumentContext,
    relationships: Map<string, Relationship>,
    counter: ListCounter,
    root: BlockSink,
    isNote = false,
  ) {
    this.#context = context;
    this.#relationships = relationships;
    this.#counter = counter;
    this.#tables = new TableReader(context.links, isNote);
    this.#visibility = new Visibility(context.looks, context.page);
    this.#drawings = new DrawingReader(context.findings, relationships, context.hasPart);
    this.#sinks.push(root);
  }

  /** Sends what follows to another container, such as the next note. */
  protected divert(to: BlockSink): void {
    this.#sinks.push(to);
  }

  /** Returns to the container before the last `divert`. */
  protected divertBack(): void {
    this.finish();
    this.#sinks.pop();
  }

  /** Call it at the end of the story: writes the text that waited for a paragraph to join. */
  finish(): void {
    const pieces = trimmed(this.#carried);
    if (pieces.length > 0) this.#sinks.at(-1)?.push({ kind: 'paragraph', pieces });
    this.#carried = [];
  }

  /** Begins an element. Long because it is a table: what each element of a story means. */
  open(name: string, attributes: Attributes): void {
    if (this.#skip > 0 || skipped.has(name)) {
      if (this.#skip === 0) this.#enterSkipped(name);
      this.#skip += 1;
      return;
    }
    this.#visibility.open(name, attributes);
    switch (name) {
      case 'w:document':
        this.isDocument = true;
        break;
      case 'w:p':
        this.#paragraphs.push(
          new Paragraph(this.#carried, this.#context.styles.defaultParagraphStyle),
        );
        this.#carried = [];
        break;
      case 'w:pPr':
        this.#inParagraphProperties = true;
        break;
      case 'w:r':
        this.#runs.push({ struck: false, superscript: false });
        break;
      case 'w:t':
      case 'm:t':
      case 'a:t':
        this.#collecting = 'text';
        break;
      case 'w:instrText':
        this.#collecting = 'instruction';
        break;
      case 'w:tbl':
        this.#tables.begin();
        break;
      case 'w:tr':
        this.#tables.beginRow();
        break;
      case 'w:trPr':
        this.#inRowProperties = true;
        break;
      case 'w:tc':
        this.#sinks.push(this.#tables.beginCell().blocks);
        break;
      case 'w:txbxContent':
        this.#openTextBox();
        break;
      case 'w:ins':
        this.#context.findings.insertions += 1;
        break;
      case 'mc:AlternateContent':
        this.#alternatives.push({ chosen: false });
        break;
      case 'mc:Choice':
      case 'mc:Fallback':
        this.#openAlternative(attributes.Requires);
        break;
      case 'w:headerReference':
      case 'w:footerReference':
        this.#section.references.set(
          `${name} ${attributes['w:type'] ?? 'default'}`,
          attributes['r:id'] ?? '',
        );
        break;
      case 'w:titlePg':
        this.#section.isFirstPageOther = isOn(attributes['w:val']);
        break;
      case 'w:hyperlink':
        this.#openLink(attributes['r:id'] ?? '');
        break;
      default:
        this.#openOther(name, attributes);
    }
  }

  close(name: string): void {
    if (this.#skip > 0) {
      this.#skip -= 1;
      return;
    }
    this.#closeVisible(name);
    this.#visibility.close(name);
  }

  #closeVisible(name: string): void {
    switch (name) {
      case 'w:p':
        this.#closeParagraph();
        break;
      case 'w:pPr':
        this.#inParagraphProperties = false;
        break;
      case 'w:r':
        this.#runs.pop();
        break;
      case 'w:t':
      case 'm:t':
      case 'a:t':
      case 'w:instrText':
        this.#collecting = undefined;
        break;
      case 'w:hyperlink':
        this.#paragraphs.at(-1)?.closeLink();
        break;
      case 'w:tbl':
        this.#put(this.#tables.end());
        break;
      case 'w:tr':
        this.#tables.endRow();
        break;
      case 'w:trPr':
        this.#inRowProperties = false;
        break;
      case 'w:tc':
        this.divertBack();
        this.#tables.endCell();
        break;
      case 'w:txbxContent':
        this.#closeTextBox();
        break;
      case 'mc:AlternateContent':
        this.#alternatives.pop();
        break;
      case 'w:sectPr':
        this.sections.push({ references: new Map(), isFirstPageOther: false });
        break;
      default:
        this.#drawings.close(name);
    }
  }

  text(text: string): void {
    if (this.#skip > 0) return;
    const isText = this.#collecting === 'text' && !this.#fields.isInInstruction;
    if (isText) this.#addText(text);
    else if (this.#collecting === 'instruction') this.#fields.instruction(text);
  }

  get #section(): Section {
    return this.sections.at(-1) as Section;
  }

  #addText(text: string): void {
    const { hidden } = this.#context.findings;
    if (this.#visibility.isHidden) hidden.add(text);
    else {
      hidden.interrupt();
      this.#paragraphs.at(-1)?.add(text, this.#runs.at(-1));
    }
  }

  #enterSkipped(name: string): void {
    if (name !== 'w:del' && name !== 'w:moveFrom') return;
    this.#context.findings.deletions += 1;
    // In a paragraph's or row's properties it says that the mark or the row itself is deleted.
    const paragraph = this.#paragraphs.at(-1);
    if (this.#inParagraphProperties && paragraph) paragraph.joinsNext = true;
    if (this.#inRowProperties && name === 'w:del') this.#tables.deleteRow();
  }

  #openOther(name: string, attributes: Attributes): void {
    const paragraph = this.#paragraphs.at(-1);
    if (this.#inParagraphProperties) paragraph?.property(name, attributes);
    else if (!this.#runContent(name, attributes)) {
      if (this.#fields.property(name, attributes)) return;
      if (this.#tables.property(name, attributes)) return;
      if (!this.#visibility.isAbsent) this.#drawings.open(name, attributes, paragraph);
    }
  }

  /** Content of a run. Returns false for what can also be elsewhere. */
  #runContent(name: string, attributes: Attributes): boolean {
    const run = this.#runs.at(-1);
    if (!run) return false;
    const value = attributes['w:val'];
    const id = attributes['w:id'] ?? '';
    switch (name) {
      case 'w:strike':
      case 'w:dstrike':
        run.struck = isOn(value);
        return true;
      case 'w:vertAlign':
        run.superscript = value === 'superscript';
        return true;
      case 'w:rFonts':
        run.font = attributes['w:ascii'] ?? attributes['w:hAnsi'];
        return true;
      case 'w:tab':
      case 'w:ptab':
        return this.#append('\t');
      case 'w:br': {
        const type = attributes['w:type'];
        return this.#append(type === undefined || type === 'textWrapping' ? '\n' : ' ');
      }
      case 'w:cr':
        return this.#append('\n');
      case 'w:noBreakHyphen':
        return this.#append('-');
      case 'w:sym':
        return this.#append(symbol(attributes['w:font'], attributes['w:char'] ?? ''));
      case 'w:footnoteReference':
        return this.#append(this.#mark('footnote', id));
      case 'w:endnoteReference':
        return this.#append(this.#mark('endnote', id));
      case 'w:commentReference':
        return this.#append(this.#mark('comment', id));
      case 'w:fldChar':
        this.#fields.character(attributes['w:fldCharType'], this.#paragraphs.at(-1));
        return true;
      default:
        return false;
    }
  }

  #append(text: string): true {
    if (!this.#visibility.isHidden) this.#paragraphs.at(-1)?.append(text);
    else if (/\s/.test(text)) this.#context.findings.hidden.interrupt();
    return true;
  }

  #mark(kind: 'footnote' | 'endnote' | 'comment', id: string): string {
    return this.#context.markFor(kind, id, this.#visibility.isAbsent);
  }

  #openLink(id: string): void {
    const relationship = this.#relationships.get(id);
    const target = relationship?.external ? relationship.target : undefined;
    this.#paragraphs.at(-1)?.openLink(target);
  }

  /** The first of the alternatives for different readers is taken, as current Word does; emoji of its own (`symEx`) are not read. */
  #openAlternative(requires = ''): void {
    const alternative = this.#alternatives.at(-1);
    if (!alternative) return;
    if (alternative.chosen || /\bw16se\b/.test(requires)) this.#skip = 1;
    else alternative.chosen = true;
  }

  #closeParagraph(): void {
    const paragraph = this.#paragraphs.pop();
    this.#context.findings.hidden.interrupt();
    if (!paragraph) return;
    if (paragraph.joinsNext) this.#carried = paragraph.pieces;
    else {
      const { isInTable } = this.#tables;
      const block = paragraphBlock(paragraph, this.#context, this.#counter, isInTable);
      if (block) this.#put([block]);
    }
    this.#put(paragraph.after);
  }

  #openTextBox(): void {
    const box: StoryBlock[] = [];
    this.#boxes.push(box);
    this.#sinks.push(box);
    this.#tables.beginBox();
  }

  #closeTextBox(): void {
    this.finish();
    this.#tables.endBox();
    this.#sinks.pop();
    const box = this.#boxes.pop();
    if (!box || box.length === 0) return;
    this.#drawings.textBox();
    for (const block of box) this.#paragraphs.at(-1)?.after.push(block);
  }

  #put(blocks: StoryBlock[]): void {
    const sink = this.#sinks.at(-1);
    for (const block of blocks) sink?.push(block);
  }
}
