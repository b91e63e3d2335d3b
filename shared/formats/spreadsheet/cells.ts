/** Cells and ranges of a sheet, counted from 0. */

/** One cell of a row to write. */
export interface RowCell {
  /** Column, 0 for A. */
  column: number;
  text: string;
  isNumber: boolean;
  /** Its own style hides its text. */
  isHidden?: boolean;
}

/** The first and last of some columns. */
export type ColumnRange = [first: number, last: number];

/** A merged range, counted from 0, both ends included. */
export interface Merge {
  top: number;
  bottom: number;
  left: number;
  right: number;
}

/** Parses a range such as `B2:D5`; undefined if it is not one. */
export function parseRange(ref: string): Merge | undefined {
  const match = /^\$?([A-Z]{1,3})\$?(\d{1,7})(?::\$?([A-Z]{1,3})\$?(\d{1,7}))?$/.exec(ref);
  if (!match) return undefined;
  const [, left = '', top = '', right = left, bottom = top] = match;
  return {
    left: columnOf(left),
    right: columnOf(right),
    top: Number(top) - 1,
    bottom: Number(bottom) - 1,
  };
}

/** 0 for A, 26 for AA. */
export function columnOf(letters: string): number {
  let column = 0;
  for (let at = 0; at < letters.length; at++) column = column * 26 + letters.charCodeAt(at) - 64;
  return column - 1;
}

/** A for 0, AA for 26. */
export function columnName(column: number): string {
  let letters = '';
  for (let rest = column + 1; rest > 0; rest = Math.floor((rest - 1) / 26)) {
    letters = String.fromCharCode(65 + ((rest - 1) % 26)) + letters;
  }
  return letters;
}
