/** The formatting of a run that changes what its text says. */
export interface Run {
  struck: boolean;
  superscript: boolean;
  font?: string | undefined;
}

/** Part of a paragraph's text in one formatting; `\n` is a line break. */
export interface Piece {
  text: string;
  struck: boolean;
  superscript: boolean;
  /** The target, when it is a link. */
  link: string | undefined;
}

/** The pieces without white space at either end; empty when there is nothing else. */
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
export function plainPiece(text: string): Piece {
  return { text, struck: false, superscript: false, link: undefined };
}

/** Roughly what the formatting of a piece takes in XML, in characters. */
const pieceOverhead = 100;

/**
 * The pieces in groups of at most about `most` characters of XML, split at white space where there
 * is some. Nearly every paragraph is one group.
 */
export function groupsOf(pieces: Piece[], most: number): Piece[][] {
  const groups: Piece[][] = [];
  let group: Piece[] = [];
  let length = 0;
  for (const piece of pieces) {
    let { text } = piece;
    while (length + text.length + pieceOverhead > most) {
      const room = most - length - pieceOverhead;
      if (room > 0) {
        const end = endWithin(text, room);
        group.push({ ...piece, text: text.slice(0, end) });
        text = text.slice(end);
      }
      groups.push(group);
      group = [];
      length = 0;
    }
    if (text === '') continue;
    group.push({ ...piece, text });
    length += text.length + pieceOverhead;
  }
  if (group.length > 0 || groups.length === 0) groups.push(group);
  return groups;
}

/** Where to split a text that is longer than `room`: after its last white space, if it has any. */
function endWithin(text: string, room: number): number {
  for (let end = room; end > room / 2; end--) if (/\s/.test(text[end - 1] ?? '')) return end;
  // Not within a surrogate pair.
  return /[\ud800-\udbff]/.test(text[room - 1] ?? '') ? room + 1 : room;
}
