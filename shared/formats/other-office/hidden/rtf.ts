import {
  type Backdrop,
  type Colour,
  type HiddenWords,
  isLost,
  unreadablePoints,
  white,
} from '../../safety/visibility.ts';

/** The formatting of a group (Rich Text Format 1.9.1, "Font (Character) Formatting Properties"). */
interface Group {
  isHidden: boolean;
  halfPoints: number;
  colour: number;
  /** Behind the letters, and behind the paragraph: indexes of colours, 0 for none. */
  highlight: number;
  shade: number;
  /** A pattern, or a drawing, which is not read, may be behind the text. */
  isPainted: boolean;
  inTable: boolean;
  /** Its text is not text of the document. */
  isOther: boolean;
  /** It marks the place of an index or contents entry: cut, but no hidden text. */
  isEntry: boolean;
  /** Characters after `\u` for programs without Unicode. */
  fallback: number;
}

const usual: Group = {
  isHidden: false,
  halfPoints: 24,
  colour: 0,
  highlight: 0,
  shade: 0,
  isPainted: false,
  inTable: false,
  isOther: false,
  isEntry: false,
  fallback: 1,
};

const otherDestinations = new Set(
  (
    'fonttbl colortbl stylesheet info pict object generator themedata colorschememapping latentstyles ' +
    'listtable listoverridetable rsidtbl datastore xmlnstbl filetbl fldinst bkmkstart bkmkend sp'
  ).split(' '),
);

/** Control words, control symbols, brackets, line ends (which mean nothing), and text. */
const tokens = /\\([a-z]+)(-?\d+)? ?|\\'([0-9a-f]{2})|\\([^a-z])|([{}])|([\r\n]+)|([^\\{}\r\n]+)/gi;

/**
 * An RTF file without its hidden text: `\v`, tiny, in the colour of what is behind it.
 * Long because it is one pass over the tokens, whose state every branch reads and changes.
 * @param rtf the bytes as Latin-1
 * @returns undefined when nothing is hidden
 */
export function cutRtf(rtf: string, words: HiddenWords): string | undefined {
  const colours = coloursOf(rtf);
  const page: Backdrop = /\\\*\\background|\\viewbksp1/.test(rtf) ? 'unknown' : white;
  const kept: string[] = [];
  let from = 0;
  const groups: Group[] = [];
  let group = { ...usual };
  let isTableShaded = false;
  let isIgnorable = false;
  let skip = 0;
  let next = 0;

  const backdrop = (): Backdrop => {
    if (group.highlight > 0) return colours[group.highlight] ?? 'unknown';
    if (group.isPainted || (group.inTable && isTableShaded)) return 'unknown';
    return group.shade > 0 ? (colours[group.shade] ?? 'unknown') : page;
  };
  const isHidden = () => {
    if (group.isOther) return false;
    if (group.isHidden || group.isEntry || group.halfPoints <= 2 * unreadablePoints) return true;
    const colour = colours[group.colour];
    return colour !== undefined && isLost(colour, backdrop());
  };
  const text = (start: number, end: number, shown: string) => {
    if (!isHidden()) {
      if (!group.isOther) words.interrupt();
      return;
    }
    if (shown.trim() === '') return;
    if (!group.isEntry) words.add(shown);
    kept.push(rtf.slice(from, start));
    from = end;
  };
  const control = (word: string, value: number | undefined) => {
    if (otherDestinations.has(word)) group.isOther = true;
    else if (isIgnorable && word !== 'shpinst') group.isOther = true;
    if (/^(?:xe|tcn?)$/.test(word)) group.isEntry = true;
    if (word === 'trowd') isTableShaded = false;
    if (/^cl(?:cbpat|shdng|cfpat|bg)/.test(word)) isTableShaded = true;
    if (word === 'shptxt') Object.assign(group, { isOther: false, isPainted: true });
    if (word === 'par' || word === 'cell' || word === 'line') words.interrupt();
    apply(group, word, value);
  };

  tokens.lastIndex = 0;
  for (let found = tokens.exec(rtf); found; found = tokens.exec(rtf)) {
    const [all, word, number, hex, symbol, bracket, , plain] = found;
    const start = found.index;
    next = start + all.length;
    if (bracket === '{') {
      groups.push({ ...group });
    } else if (bracket === '}') {
      group = groups.pop() ?? { ...usual };
    } else if (word !== undefined) {
      const value = number === undefined ? undefined : Number(number);
      if (word === 'bin') tokens.lastIndex = next + Math.max(0, value ?? 0);
      else if (word === 'u' && value !== undefined) {
        text(start, next, String.fromCharCode(value & 0xffff));
        skip = group.fallback;
        continue;
      } else control(word, value);
    } else if (hex !== undefined) {
      text(start, next, skip > 0 ? '' : String.fromCharCode(Number.parseInt(hex, 16)));
      if (skip > 0 && isHidden()) {
        kept.push(rtf.slice(from, start));
        from = next;
      }
      skip = Math.max(0, skip - 1);
      continue;
    } else if (plain !== undefined) {
      text(start, next, plain.slice(skip));
      if (isHidden() && from < next && skip > 0) {
        kept.push(rtf.slice(from, start));
        from = next;
      }
    }
    isIgnorable = symbol === '*';
    skip = 0;
  }
  if (kept.length === 0) return undefined;
  kept.push(rtf.slice(from));
  return kept.join('');
}

function apply(group: Group, word: string, value: number | undefined): void {
  switch (word) {
    case 'plain':
      Object.assign(group, { isHidden: false, halfPoints: 24, colour: 0, highlight: 0 });
      break;
    case 'pard':
      Object.assign(group, { shade: 0, inTable: false });
      break;
    case 'intbl':
      group.inTable = true;
      break;
    case 'v':
      group.isHidden = value !== 0;
      break;
    case 'fs':
      group.halfPoints = value ?? 24;
      break;
    case 'cf':
      group.colour = value ?? 0;
      break;
    case 'highlight':
    case 'cb':
    case 'chcbpat':
      group.highlight = value ?? 0;
      break;
    case 'cbpat':
      group.shade = value ?? 0;
      break;
    case 'shading':
    case 'chshdng':
    case 'outl':
    case 'shad':
    case 'embo':
    case 'impr':
      group.isPainted = value !== 0;
      break;
    case 'uc':
      group.fallback = value ?? 1;
      break;
  }
}

/** The colour table; entries without a colour are automatic. */
function coloursOf(rtf: string): (Colour | undefined)[] {
  const table = /\{\\colortbl\b([^{}]*)\}/.exec(rtf)?.[1] ?? '';
  return table.split(';').map((entry) => {
    const channels = ['red', 'green', 'blue'].map(
      (name) => new RegExp(`\\\\${name}(\\d+)`).exec(entry)?.[1],
    );
    if (channels.some((channel) => channel === undefined)) return undefined;
    return channels.reduce((mixed, channel) => mixed * 256 + Math.min(255, Number(channel)), 0);
  });
}
