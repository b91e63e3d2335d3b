/**
 * Recognises rows that are already in the form to write: RFC 4180 with commas, line feeds and quotes
 * only around cells that need them. Such rows, the bulk of most files, are copied without being
 * split into cells; Papa reads all others.
 */

export interface StrictRows {
  text: string;
  /** Offset after each row's line feed. */
  ends: number[];
  /** Cells of each row. */
  counts: number[];
}

export interface StrictScan extends StrictRows {
  /** Whether it stopped at a row that is not strict; an incomplete row does not count. */
  isStopped: boolean;
  /** A quoted cell holds a line feed. */
  hasLineFeeds: boolean;
  /** Quoted cells that need no quotes. */
  needless: number;
}

const comma = 0x2c;
const lineFeed = 0x0a;
const quote = 0x22;

/** Scans complete rows from the start of `text`. */
export function scanStrictRows(text: string): StrictScan {
  const scan: StrictScan = {
    text,
    ends: [],
    counts: [],
    isStopped: false,
    hasLineFeeds: false,
    needless: 0,
  };
  const next = new Positions(text);
  let at = 0;
  let cells = 1;
  while (at < text.length) {
    const end = text.charCodeAt(at) === quote ? quotedEnd(scan, next, at) : plainEnd(next, at);
    if (end < 0) {
      scan.isStopped = end === notStrict;
      break;
    }
    at = end + 1;
    if (text.charCodeAt(end) === comma) {
      cells += 1;
    } else {
      scan.ends.push(at);
      scan.counts.push(cells);
      cells = 1;
    }
  }
  return scan;
}

const incomplete = -1;
const notStrict = -2;

/** The positions of the next comma, line feed and quote, each searched for once. */
class Positions {
  readonly #text: string;
  #comma = -1;
  #lineFeed = -1;
  #quote = -1;

  constructor(text: string) {
    this.#text = text;
  }

  comma(from: number): number {
    if (this.#comma < from) this.#comma = this.#find(',', from);
    return this.#comma;
  }

  lineFeed(from: number): number {
    if (this.#lineFeed < from) this.#lineFeed = this.#find('\n', from);
    return this.#lineFeed;
  }

  quote(from: number): number {
    if (this.#quote < from) this.#quote = this.#find('"', from);
    return this.#quote;
  }

  #find(what: string, from: number): number {
    const at = this.#text.indexOf(what, from);
    return at < 0 ? Number.MAX_SAFE_INTEGER : at;
  }
}

/** The position of the comma or line feed after an unquoted cell, or why there is none. */
function plainEnd(next: Positions, at: number): number {
  const end = Math.min(next.comma(at), next.lineFeed(at));
  if (next.quote(at) < end) return notStrict;
  return end === Number.MAX_SAFE_INTEGER ? incomplete : end;
}

/** Like `plainEnd`, for a cell that begins with a quote. */
function quotedEnd(scan: StrictScan, next: Positions, at: number): number {
  const { text } = scan;
  let hasQuotes = false;
  let close = next.quote(at + 1);
  while (text.charCodeAt(close + 1) === quote) {
    hasQuotes = true;
    close = next.quote(close + 2);
  }
  // At the end of the text it may be the first half of an escaped quote.
  if (close >= text.length - 1) return incomplete;
  const after = text.charCodeAt(close + 1);
  if (after !== comma && after !== lineFeed) return notStrict;
  const hasLineFeed = next.lineFeed(at) < close;
  if (hasLineFeed) scan.hasLineFeeds = true;
  else if (!hasQuotes && next.comma(at) > close) scan.needless += 1;
  return close + 1;
}
