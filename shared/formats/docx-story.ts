import { hex as dingbat } from 'dingbat-to-unicode';
import {
  type Block,
  type Cell,
  nestedTableBlocks,
  spanOf,
  type Table,
  tableBlocks,
} from './docx-blocks.ts';
import type { Findings } from './docx-findings.ts';
import type { ListCounter } from './docx-numbering.ts';
import { isOn, type Styles } from './docx-styles.ts';
import type { Relationship } from './ooxml-package.ts';
import type { Attributes, XmlHandlers } from './ooxml-xml.ts';

/** What the stories of one document share. */
export interface DocumentContext {
  styles: Styles;
  findings: Findings;
  /** Mark in the text for a reference to a note or comment, by its kind and id. */
  markFor(kind: 'footnote' | 'endnote' | 'comment', id: string): string;
  hasPart(name: string): boolean;
  /** Whether a paragraph with style Title was met: headings then start a level below it. */
  hasTitle: boolean;
}

/** Where a run of blocks goes: the story itself, a note, a cell, a text box. */
interface Container {
  blocks: Block[];
}

interface Paragraph {
  text: string;
  styleId?: string | undefined;
  numId?: string;
  level?: number;
  outline?: number;
  /** Its mark is deleted: its text joins the next paragraph (ECMA-376 part 1, 17.13.5.15). */
  joinsNext: boolean;
  /** Text boxes anchored in it. */
  after: Block[];
  /** Where the text of the last struck-through run ends. */
  struckEnd: number;
  links: { start: number; target: string | undefined }[];
}

interface Run {
  struck: boolean;
  superscript: boolean;
  font?: string | undefined;
}

interface Field {
  instruction: string;
  /** Between `separate` and `end`, where the result stands. */
  inResult: boolean;
  checked?: boolean;
  choices: string[];
  choice: number;
  linkStart?: { paragraph: Paragraph; at: number } | undefined;
}

interface Shape {
  hasTextBox: boolean;
  isLine: boolean;
  isPicture: boolean;
  isTextOnly: boolean;
}

interface OpenTable extends Table {
  row?: Cell[] | undefined;
  cell?: (Cell & Container) | undefined;
  rowDeleted: boolean;
}

/** Subtrees with nothing of the current document in them: what was, and how things look. */
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

const vmlShapes = new Set([
  'v:shape',
  'v:rect',
  'v:roundrect',
  'v:oval',
  'v:polyline',
  'v:curve',
  'v:arc',
  'v:line',
]);

/**
 * Reads one story, the text of a part in reading order, from XML events into blocks, and counts
 * what text cannot carry. Everything that holds `w:t` is kept unless Word would not show it;
 * unknown wrappers (content controls, smart tags, custom XML) are looked through.
 */
export class StoryReader implements XmlHandlers {
  /** Headers and footers that sections refer to, in document order. */
  readonly headerIds: string[] = [];
  /** Whether the root was that of a Word document. */
  isDocument = false;

  readonly #context: DocumentContext;
  readonly #relationships: Map<string, Relationship>;
  readonly #counter: ListCounter;
  readonly #containers: Container[] = [];
  readonly #paragraphs: Paragraph[] = [];
  readonly #tables: (OpenTable | undefined)[] = [];
  readonly #fields: Field[] = [];
  readonly #shapes: Shape[] = [];
  readonly #alternatives: { chosen: boolean }[] = [];
  #skip = 0;
  #inParagraphProperties = false;
  #inRowProperties = false;
  readonly #runs: Run[] = [];
  #collecting: 'text' | 'instruction' | undefined;
  #carried = '';

  constructor(
    context: DocumentContext,
    relationships: Map<string, Relationship>,
    counter: ListCounter,
    root: Container,
  ) {
    this.#context = context;
    this.#relationships = relationships;
    this.#counter = counter;
    this.#containers.push(root);
  }

  /** Sends what follows to another container, such as the next note. */
  protected divert(to: Container): void {
    this.#containers.push(to);
  }

  /** Back to the container before the last `divert`. */
  protected divertBack(): void {
    this.finish();
    this.#containers.pop();
  }

  /** To be called at the end: nothing follows that a deleted paragraph mark could join. */
  finish(): void {
    if (this.#carried.trim() !== '') {
      this.#containers.at(-1)?.blocks.push({ text: this.#carried.trim(), isListItem: false });
    }
    this.#carried = '';
  }

  open(name: string, attributes: Attributes): void {
    if (this.#skip > 0 || skipped.has(name)) {
      if (this.#skip === 0) this.#enterSkipped(name);
      this.#skip += 1;
      return;
    }
    switch (name) {
      case 'w:document':
        this.isDocument = true;
        break;
      case 'w:p':
        this.#openParagraph();
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
        this.#tables.push({ rows: [], rowDeleted: false });
        break;
      case 'w:tr':
        this.#openRow();
        break;
      case 'w:trPr':
        this.#inRowProperties = true;
        break;
      case 'w:tc':
        this.#openCell();
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
        this.#openAlternative();
        break;
      case 'w:headerReference':
      case 'w:footerReference':
        this.headerIds.push(attributes['r:id'] ?? '');
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
        this.#closeLink();
        break;
      case 'w:tbl':
        this.#closeTable();
        break;
      case 'w:tr':
        this.#closeRow();
        break;
      case 'w:trPr':
        this.#inRowProperties = false;
        break;
      case 'w:tc':
        this.#closeCell();
        break;
      case 'w:txbxContent':
        this.#closeTextBox();
        break;
      case 'mc:AlternateContent':
        this.#alternatives.pop();
        break;
      default:
        if (name === 'wps:wsp' || vmlShapes.has(name)) this.#closeShape();
    }
  }

  text(text: string): void {
    if (this.#skip > 0 || this.#collecting === undefined) return;
    if (this.#collecting === 'text') this.#addText(text);
    else {
      const field = this.#fields.at(-1);
      if (field && field.instruction.length < 10_000) field.instruction += text;
    }
  }

  #enterSkipped(name: string): void {
    const { findings } = this.#context;
    if (name === 'w:del') {
      findings.deletions += 1;
      // In a paragraph's or row's properties it says that the mark or the row itself is deleted.
      const paragraph = this.#paragraphs.at(-1);
      if (this.#inParagraphProperties && paragraph) paragraph.joinsNext = true;
      const table = this.#tables.at(-1);
      if (this.#inRowProperties && table) table.rowDeleted = true;
    } else if (name === 'w:moveFrom') {
      findings.deletions += 1;
      const paragraph = this.#paragraphs.at(-1);
      if (this.#inParagraphProperties && paragraph) paragraph.joinsNext = true;
    }
  }

  #openOther(name: string, attributes: Attributes): void {
    if (this.#inParagraphProperties) this.#paragraphProperty(name, attributes);
    else if (!this.#runContent(name, attributes)) this.#structure(name, attributes);
  }

  #paragraphProperty(name: string, attributes: Attributes): void {
    const paragraph = this.#paragraphs.at(-1);
    const value = attributes['w:val'];
    if (!paragraph || value === undefined) return;
    if (name === 'w:pStyle') paragraph.styleId = value;
    else if (name === 'w:numId') paragraph.numId = value;
    else if (name === 'w:ilvl') paragraph.level = Number(value) || 0;
    else if (name === 'w:outlineLvl') paragraph.outline = Number(value);
  }

  /** What stands in a run. Returns false for what can also stand elsewhere. */
  #runContent(name: string, attributes: Attributes): boolean {
    const run = this.#runs.at(-1);
    if (!run) return false;
    const value = attributes['w:val'];
    switch (name) {
      case 'w:strike':
      case 'w:dstrike':
        run.struck = isOn(value);
        return true;
      case 'w:vanish':
        if (isOn(value)) this.#context.findings.hiddenRuns += 1;
        return true;
      case 'w:vertAlign':
        run.superscript = value === 'superscript';
        return true;
      case 'w:rFonts':
        run.font = attributes['w:ascii'] ?? attributes['w:hAnsi'];
        return true;
      case 'w:tab':
      case 'w:ptab':
        this.#append('\t');
        return true;
      case 'w:br':
      case 'w:cr':
        if (attributes['w:type'] === undefined || attributes['w:type'] === 'textWrapping') {
          this.#append('\n');
        } else this.#append(' ');
        return true;
      case 'w:noBreakHyphen':
        this.#append('-');
        return true;
      case 'w:sym':
        this.#append(symbol(attributes['w:font'], attributes['w:char'] ?? ''));
        return true;
      case 'w:footnoteReference':
        this.#append(this.#context.markFor('footnote', attributes['w:id'] ?? ''));
        return true;
      case 'w:endnoteReference':
        this.#append(this.#context.markFor('endnote', attributes['w:id'] ?? ''));
        return true;
      case 'w:commentReference':
        this.#append(this.#context.markFor('comment', attributes['w:id'] ?? ''));
        return true;
      case 'w:fldChar':
        this.#fieldCharacter(attributes['w:fldCharType']);
        return true;
      default:
        return false;
    }
  }

  #structure(name: string, attributes: Attributes): void {
    const { findings } = this.#context;
    const field = this.#fields.at(-1);
    switch (name) {
      case 'w:hyperlink':
        this.#openLink(attributes);
        break;
      case 'w:gridSpan': {
        const cell = this.#tables.at(-1)?.cell;
        if (cell) cell.span = spanOf(attributes['w:val']);
        break;
      }
      case 'w:gridBefore': {
        const blank = Number(attributes['w:val']) > 0 ? spanOf(attributes['w:val']) : 0;
        if (blank > 0) {
          this.#tables.at(-1)?.row?.push({ blocks: [], span: blank, continues: true });
        }
        break;
      }
      case 'w:vMerge': {
        const cell = this.#tables.at(-1)?.cell;
        if (cell) cell.continues = attributes['w:val'] !== 'restart';
        break;
      }
      case 'w:default':
      case 'w:checked':
        if (field) field.checked = isOn(attributes['w:val']);
        break;
      case 'w:listEntry':
        field?.choices.push(attributes['w:val'] ?? '');
        break;
      case 'w:result':
        if (field) field.choice = Number(attributes['w:val']) || 0;
        break;
      case 'a:blip':
        this.#picture(attributes['r:embed'] ?? '', attributes['r:link']);
        break;
      case 'v:imagedata':
        this.#picture(attributes['r:id'] ?? '', attributes['r:href'] ?? attributes.src);
        break;
      case 'c:chart':
      case 'cx:chart':
        findings.charts += 1;
        break;
      case 'dgm:relIds':
        findings.diagrams += 1;
        break;
      case 'm:oMath':
        findings.equations += 1;
        break;
      case 'w:ruby':
        findings.ruby += 1;
        break;
      case 'w14:contentPart':
        findings.ink += 1;
        break;
      case 'o:OLEObject':
        if (attributes.Type !== 'Link') findings.embedded += 1;
        break;
      case 'w:altChunk':
        findings.imported += 1;
        break;
      default:
        this.#shapePart(name, attributes);
    }
  }

  #shapePart(name: string, attributes: Attributes): void {
    if (name === 'wps:wsp' || vmlShapes.has(name)) {
      this.#shapes.push({
        hasTextBox: false,
        isLine: name === 'v:line' || isOn(attributes['o:hr'] ?? '0'),
        isPicture: false,
        isTextOnly: false,
      });
      return;
    }
    const shape = this.#shapes.at(-1);
    if (!shape) return;
    if (name === 'wps:cNvCnPr') shape.isLine = true;
    else if (name === 'a:prstGeom' && /line|connector/i.test(attributes.prst ?? '')) {
      shape.isLine = true;
    } else if (name === 'v:textpath') {
      // WordArt, nearly always a watermark: its text is all there is to it.
      const text = attributes.string?.trim();
      if (text) {
        shape.isTextOnly = true;
        this.#paragraphs.at(-1)?.after.push({ text, isListItem: false });
      }
    }
  }

  #closeShape(): void {
    const shape = this.#shapes.pop();
    if (!shape) return;
    const { findings } = this.#context;
    if (shape.hasTextBox) findings.textBoxes += 1;
    else if (!shape.isLine && !shape.isPicture && !shape.isTextOnly) findings.shapes += 1;
  }

  #picture(id: string, linked: string | undefined): void {
    const { findings } = this.#context;
    const shape = this.#shapes.at(-1);
    if (shape) shape.isPicture = true;
    const held = this.#relationships.get(id);
    if (held && !held.external && this.#context.hasPart(held.target)) {
      findings.pictures += 1;
      if (/\.(emf|wmf|emz|wmz)$/i.test(held.target)) findings.metafiles += 1;
    } else if (id !== '' || linked !== undefined) {
      findings.absentPictures += 1;
      this.#append('[picture]');
    }
  }

  #openAlternative(): void {
    const alternative = this.#alternatives.at(-1);
    if (!alternative) return;
    if (alternative.chosen) this.#skip = 1;
    alternative.chosen = true;
  }

  #openParagraph(): void {
    this.#paragraphs.push({
      text: this.#carried,
      styleId: this.#context.styles.defaultParagraphStyle,
      joinsNext: false,
      after: [],
      struckEnd: -1,
      links: [],
    });
    this.#carried = '';
  }

  #closeParagraph(): void {
    const paragraph = this.#paragraphs.pop();
    if (!paragraph) return;
    if (paragraph.joinsNext) this.#carried = paragraph.text;
    const blocks = this.#containers.at(-1)?.blocks ?? [];
    const block = paragraph.joinsNext ? undefined : this.#paragraphBlock(paragraph);
    if (block) blocks.push(block);
    for (const after of paragraph.after) blocks.push(after);
  }

  #paragraphBlock(paragraph: Paragraph): Block | undefined {
    const { styles } = this.#context;
    const { styleId } = paragraph;
    const byStyle = styleId === undefined ? undefined : styles.numberingOf(styleId);
    const numId = paragraph.numId ?? byStyle?.numId;
    const label =
      numId === undefined || numId === '0'
        ? undefined
        : this.#counter.next(numId, paragraph.level ?? byStyle?.level, byStyle?.styleId);
    const text = paragraph.text.trim();
    if (text === '') return undefined;

    const heading = this.#headingOf(paragraph);
    if (heading !== undefined) {
      const number = label?.text ? `${label.text} ` : '';
      return {
        text: `${'#'.repeat(heading)} ${number}${text.replace(/\s*\n\s*/g, ' ')}`,
        isListItem: false,
      };
    }
    if (!label) return { text, isListItem: false };
    const indent = '  '.repeat(Math.min(label.level, 8));
    const mark = label.kind === 'bullet' ? '- ' : label.text === '' ? '' : `${label.text} `;
    const hanging = `\n${indent}  `;
    return { text: `${indent}${mark}${text.replaceAll('\n', hanging)}`, isListItem: true };
  }

  #headingOf({ outline, styleId }: Paragraph): number | undefined {
    if (this.#tables.at(-1)) return undefined;
    if (outline !== undefined && outline < 9) return this.#depthOf(outline + 1);
    const heading = styleId === undefined ? undefined : this.#context.styles.headingOf(styleId);
    if (heading === 'title') {
      this.#context.hasTitle = true;
      return 1;
    }
    return heading === undefined ? undefined : this.#depthOf(heading);
  }

  #depthOf(heading: number): number {
    return Math.min(6, heading + (this.#context.hasTitle ? 1 : 0));
  }

  #addText(text: string): void {
    const run = this.#runs.at(-1);
    const paragraph = this.#paragraphs.at(-1);
    if (!paragraph) return;
    const shown = /[\uf020-\uf0ff]/.test(text) ? privateUse(text, run?.font) : text;
    if (run?.struck && shown.trim() !== '') {
      const goesOn = paragraph.struckEnd === paragraph.text.length;
      if (goesOn) paragraph.text = paragraph.text.slice(0, -2);
      this.#append(goesOn ? `${shown}~~` : `~~${shown}~~`);
      paragraph.struckEnd = paragraph.text.length;
      return;
    }
    // 10⁶ must not become 106; letters and ordinals read well without a mark.
    if (run?.superscript && /^[-−+]?\d+$/.test(shown) && /\d$/.test(paragraph.text)) {
      this.#append('^');
    }
    this.#append(shown);
  }

  #append(text: string): void {
    const paragraph = this.#paragraphs.at(-1);
    if (paragraph) paragraph.text += text;
  }

  #openLink(attributes: Attributes): void {
    const paragraph = this.#paragraphs.at(-1);
    const relationship = this.#relationships.get(attributes['r:id'] ?? '');
    const target = relationship?.external ? relationship.target : undefined;
    paragraph?.links.push({ start: paragraph.text.length, target });
  }

  #closeLink(): void {
    const paragraph = this.#paragraphs.at(-1);
    const link = paragraph?.links.pop();
    if (paragraph && link?.target !== undefined) linkFrom(paragraph, link.start, link.target);
  }

  #fieldCharacter(type: string | undefined): void {
    const paragraph = this.#paragraphs.at(-1);
    const field = this.#fields.at(-1);
    if (type === 'begin') {
      this.#fields.push({ instruction: '', inResult: false, choices: [], choice: 0 });
    } else if (type === 'separate' && field) {
      field.inResult = true;
      if (paragraph) field.linkStart = { paragraph, at: paragraph.text.length };
    } else if (type === 'end' && field) {
      this.#fields.pop();
      this.#endField(field, paragraph);
    }
  }

  #endField(field: Field, paragraph: Paragraph | undefined): void {
    if (/^\s*FORMCHECKBOX\b/i.test(field.instruction)) this.#append(field.checked ? '☒' : '☐');
    if (/^\s*FORMDROPDOWN\b/i.test(field.instruction)) {
      this.#append(field.choices[field.choice] ?? '');
    }
    const link = /^\s*HYPERLINK\s+"([^"]+)"/i.exec(field.instruction)?.[1];
    if (link && paragraph && field.linkStart?.paragraph === paragraph) {
      linkFrom(paragraph, field.linkStart.at, link);
    }
  }

  #openRow(): void {
    const table = this.#tables.at(-1);
    if (!table) return;
    table.row = [];
    table.rowDeleted = false;
  }

  #closeRow(): void {
    const table = this.#tables.at(-1);
    if (!table?.row) return;
    if (!table.rowDeleted) {
      table.rows.push(table.row);
      this.#context.findings.tableRows += 1;
    }
    table.row = undefined;
  }

  #openCell(): void {
    const table = this.#tables.at(-1);
    const cell = { blocks: [], span: 1, continues: false };
    if (table) table.cell = cell;
    this.#containers.push(cell);
  }

  #closeCell(): void {
    this.finish();
    this.#containers.pop();
    const table = this.#tables.at(-1);
    if (!table?.cell) return;
    table.row?.push(table.cell);
    table.cell = undefined;
  }

  #closeTable(): void {
    const table = this.#tables.pop();
    if (!table) return;
    const isNested = this.#tables.at(-1)?.cell !== undefined;
    const blocks = isNested ? nestedTableBlocks(table) : tableBlocks(table);
    const container = this.#containers.at(-1);
    for (const block of blocks) container?.blocks.push(block);
  }

  #openTextBox(): void {
    this.#containers.push({ blocks: [] });
    // A table in a text box within a cell is not nested in that cell's table.
    this.#tables.push(undefined);
  }

  #closeTextBox(): void {
    this.#tables.pop();
    this.finish();
    const box = this.#containers.pop();
    const paragraph = this.#paragraphs.at(-1);
    if (!box || box.blocks.length === 0) return;
    const shape = this.#shapes.at(-1);
    if (shape) shape.hasTextBox = true;
    else this.#context.findings.textBoxes += 1;
    for (const block of box.blocks) paragraph?.after.push(block);
  }
}

function linkFrom(paragraph: Paragraph, start: number, target: string): void {
  const text = paragraph.text.slice(start).trim();
  const bare = target.replace(/^mailto:/i, '');
  if (text === '' || text === target || text === bare || text.includes('\n')) return;
  paragraph.text = `${paragraph.text.slice(0, start)}[${paragraph.text.slice(start)}](${target})`;
}

/** A character of a symbol font (ECMA-376 part 1, 17.3.3.30) as Unicode, else nothing. */
function symbol(font: string | undefined, code: string): string {
  const short = /^f0([0-9a-f]{2})$/i.exec(code)?.[1];
  const found = font && (dingbat(font, code) ?? (short && dingbat(font, short)));
  if (found) return found.string;
  const value = Number.parseInt(code, 16);
  const isPrivate = value >= 0xe000 && value <= 0xf8ff;
  return Number.isNaN(value) || value < 32 || isPrivate ? '' : String.fromCodePoint(value);
}

/** Text typed in a symbol font stands in the private use area, offset by F000. */
function privateUse(text: string, font: string | undefined): string {
  return text.replace(/[\uf020-\uf0ff]/g, (character) => {
    const code = (character.charCodeAt(0) & 0xff).toString(16).toUpperCase().padStart(2, '0');
    return (font && dingbat(font, code)?.string) ?? character;
  });
}
