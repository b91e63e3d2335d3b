import { Parser } from 'htmlparser2';
import { startOf } from './inline.ts';

/** A list that is open: its element, the number of the next item, and how it is counted and written. */
export interface OpenList {
  tag: string;
  next: number;
  step: 1 | -1;
  type: string;
}

/**
 * A list that begins.
 * @param reversed how many items each reversed list of the page has, in the order of the page; one is taken
 */
export function listOf(
  tag: string,
  attributes: Record<string, string>,
  reversed: number[],
): OpenList {
  const { start, type = '1' } = attributes;
  const isReversed = tag === 'ol' && attributes.reversed !== undefined;
  const items = isReversed ? reversed.shift() : undefined;
  const next = start === undefined && items !== undefined ? items : startOf(start);
  return { tag, next, step: isReversed ? -1 : 1, type };
}

/**
 * The marker of the next item of a list.
 * @param ofWord whether `data-label` is the marker
 */
export function markerOf(
  list: OpenList | undefined,
  { value, 'data-label': label }: Record<string, string>,
  ofWord: boolean,
): string {
  if (ofWord && label !== undefined) return label === '' ? '' : `${label} `;
  if (list?.tag !== 'ol') return '- ';
  const given = Number(value);
  if (value !== undefined && Number.isInteger(given)) list.next = given;
  const marker = `${labelOf(list.next, list.type)} `;
  list.next += list.step;
  return marker;
}

/** The label of an item of an ordered list (WHATWG HTML, 4.4.5): `3.`, `c.`, `III.`; numbers that a type has not are plain. */
function labelOf(number: number, type: string): string {
  switch (type) {
    case 'a':
      return `${lettersOf(number) ?? number}.`;
    case 'A':
      return `${lettersOf(number)?.toUpperCase() ?? number}.`;
    case 'i':
      return `${romanOf(number)?.toLowerCase() ?? number}.`;
    case 'I':
      return `${romanOf(number) ?? number}.`;
    default:
      return `${number}.`;
  }
}

/** a to z, aa, ab and so on; `undefined` below 1. */
function lettersOf(number: number): string | undefined {
  if (number < 1) return undefined;
  let letters = '';
  for (let left = number; left > 0; left = Math.floor((left - 1) / 26)) {
    letters = String.fromCharCode(97 + ((left - 1) % 26)) + letters;
  }
  return letters;
}

const numerals: readonly (readonly [number, string])[] = [
  [1000, 'M'],
  [900, 'CM'],
  [500, 'D'],
  [400, 'CD'],
  [100, 'C'],
  [90, 'XC'],
  [50, 'L'],
  [40, 'XL'],
  [10, 'X'],
  [9, 'IX'],
  [5, 'V'],
  [4, 'IV'],
  [1, 'I'],
];

/** From 1 to 3,999, as browsers count. */
function romanOf(number: number): string | undefined {
  if (number < 1 || number > 3_999) return undefined;
  let left = number;
  let roman = '';
  for (const [value, numeral] of numerals) {
    for (; left >= value; left -= value) roman += numeral;
  }
  return roman;
}

/** Counts the items of reversed lists, which begin with that number: the page is read for it before it is converted. */
export class ReversedLists {
  readonly #counts: number[] = [];
  /** Of each list that is open, its place in the counts; `undefined` where it is not reversed. */
  readonly #open: (number | undefined)[] = [];
  readonly #parser = new Parser({
    onopentag: (name, attributes) => {
      if (name === 'ol' || name === 'ul' || name === 'menu') {
        const isReversed = name === 'ol' && attributes.reversed !== undefined;
        this.#open.push(isReversed ? this.#counts.push(0) - 1 : undefined);
      } else if (name === 'li') {
        const at = this.#open.at(-1);
        if (at !== undefined) this.#counts[at] = (this.#counts[at] ?? 0) + 1;
      }
    },
    onclosetag: (name) => {
      if (name === 'ol' || name === 'ul' || name === 'menu') this.#open.pop();
    },
  });

  write(chunk: string): void {
    this.#parser.write(chunk);
  }

  /** The number of items of each reversed list, in the order in which they begin. */
  end(): number[] {
    this.#parser.end();
    return this.#counts;
  }
}
