/** What of a run's formatting changes what its text says. */
export interface Run {
  struck: boolean;
  superscript: boolean;
  font?: string | undefined;
}

/** A stretch of a paragraph's text in one formatting; `\n` is a line break. */
export interface Piece {
  text: string;
  struck: boolean;
  superscript: boolean;
  /** Where it leads, when it is a link. */
  link: string | undefined;
}

/** The pieces without white space at either end; empty when nothing else is there. */
export function trimmed(pieces: Piece[]): Piece[] {
  let from = 0;
  let to = pieces.length;
  while (from < to && pieces[from]?.text.trim() === '') from += 1;
  while (to > from && pieces[to - 1]?.text.trim() === '') to -= 1;
  const kept = pieces.slice(from, to);
  const first = kept[0];
  if (first) kept[0] = { ...first, text: first.text.trimStart() };
  const last = kept.at(-1);
  if (last) kept[kept.length - 1] = { ...last, text: last.text.trimEnd() };
  return kept;
}

/** A piece without formatting. */
export function plain(text: string): Piece {
  return { text, struck: false, superscript: false, link: undefined };
}
