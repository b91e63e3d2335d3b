import { type Attributes, isOn } from '../../formats/office/xml.ts';
import type { Paragraph } from './paragraph.ts';

interface Field {
  instruction: string;
  /** Its result has begun. */
  isSeparated?: boolean;
  checked?: boolean;
  choices: string[];
  choice: number;
  /** The paragraph in which its result starts, when that is a link. */
  linkIn?: Paragraph;
}

const longestInstruction = 10_000;

/**
 * Complex fields (ECMA-376 part 1, 17.16.18): their instructions are not text, their results are.
 * Links get their target; form fields whose state is in their properties show it.
 */
export class FieldReader {
  readonly #open: Field[] = [];

  /** A `w:fldChar`. */
  character(type: string | undefined, paragraph: Paragraph | undefined): void {
    const field = this.#open.at(-1);
    if (type === 'begin') {
      this.#open.push({ instruction: '', choices: [], choice: 0 });
    } else if (type === 'separate' && field) {
      field.isSeparated = true;
      if (!paragraph) return;
      const target = /^\s*HYPERLINK\s+"([^"]+)"/i.exec(field.instruction)?.[1];
      if (target === undefined) return;
      field.linkIn = paragraph;
      paragraph.openLink(target);
    } else if (type === 'end' && field) {
      this.#open.pop();
      if (paragraph) finish(field, paragraph);
    }
  }

  /** Whether text is the result of a field within the instruction of another, and so no text of the document. */
  get isInInstruction(): boolean {
    const [inner, ...outer] = this.#open.toReversed();
    return inner?.isSeparated === true && outer.some(({ isSeparated }) => !isSeparated);
  }

  /** Text of a `w:instrText`. */
  instruction(text: string): void {
    const field = this.#open.at(-1);
    if (field && field.instruction.length < longestInstruction) field.instruction += text;
  }

  /** An element of `w:ffData`; false for any other. */
  property(name: string, attributes: Attributes): boolean {
    const field = this.#open.at(-1);
    const value = attributes['w:val'];
    if (!field) return false;
    if (name === 'w:default' || name === 'w:checked') field.checked = isOn(value);
    else if (name === 'w:listEntry') field.choices.push(value ?? '');
    else if (name === 'w:result') field.choice = Number(value) || 0;
    else return false;
    return true;
  }
}

function finish({ instruction, checked, choices, choice, linkIn }: Field, paragraph: Paragraph) {
  if (/^\s*FORMCHECKBOX\b/i.test(instruction)) paragraph.append(checked ? '☒' : '☐');
  if (/^\s*FORMDROPDOWN\b/i.test(instruction)) paragraph.append(choices[choice] ?? '');
  // A link over several paragraphs ends with the first.
  if (linkIn === paragraph) paragraph.closeLink();
}
