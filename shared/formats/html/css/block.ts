import { type DeclarationItem, itemsOf } from './syntax.ts';
import { colourOf, shareOf, validColour } from './values.ts';

/** Declarations of CSS: of a rule, or of a `style` attribute. */

/** Property names, in lower case, to values. */
export type Declarations = Map<string, string>;

/** What a `style` attribute or the block of a rule says; important declarations apart. */
export interface Block {
  normal: Declarations;
  important: Declarations;
}

/** The properties that decide whether text is seen. */
const relevant = new Set(
  (
    'display visibility opacity color background-color background-image font-size position left top ' +
    'right bottom text-indent letter-spacing margin-left margin-top clip clip-path width height ' +
    'max-width max-height line-height overflow transform scale translate rotate zoom filter ' +
    'mix-blend-mode text-shadow -webkit-text-stroke -webkit-text-stroke-width ' +
    '-webkit-text-security background-clip content-visibility -webkit-text-fill-color ' +
    'animation-name color-scheme mask-image font-size-adjust padding min-height'
  ).split(' '),
);

/** Other names of the same, in a page that is written from left to right. */
const aliases: Record<string, string> = {
  'inline-size': 'width',
  'block-size': 'height',
  'max-inline-size': 'max-width',
  'max-block-size': 'max-height',
  'margin-inline-start': 'margin-left',
  'margin-block-start': 'margin-top',
  'inset-inline-start': 'left',
  'inset-block-start': 'top',
  'overflow-x': 'overflow',
  'overflow-y': 'overflow',
  '-webkit-background-clip': 'background-clip',
  '-webkit-transform': 'transform',
  '-webkit-filter': 'filter',
  '-webkit-clip-path': 'clip-path',
  'padding-top': 'padding',
  'padding-bottom': 'padding',
  'padding-block': 'padding',
  mask: 'mask-image',
  '-webkit-mask': 'mask-image',
  '-webkit-mask-image': 'mask-image',
  '-webkit-animation-name': 'animation-name',
};

/** The longhands of shorthands, as far as they are relevant. */
const shorthands: Record<string, readonly string[]> = {
  background: ['background-image', 'background-color', 'background-clip'],
  font: ['font-size', 'line-height'],
  margin: ['margin-left', 'margin-top'],
  'margin-inline': ['margin-left'],
  'margin-block': ['margin-top'],
  inset: ['left', 'top', 'right', 'bottom'],
  'inset-inline': ['left', 'right'],
  'inset-block': ['top', 'bottom'],
  animation: ['animation-name'],
  '-webkit-animation': ['animation-name'],
  all: [...relevant],
};

/** Characters of a block that are read: a bound on the time that it takes. */
const longestBlock = 20_000;
/** What stands for a longhand until the variables in its shorthand are known. */
const pendingMark = '\0';

/** Reads the text of a `style` attribute. */
export function readBlock(text: string): Block {
  const block: Block = { normal: new Map(), important: new Map() };
  if (text.trim() === '') return block;
  for (const item of itemsOf(text.slice(0, longestBlock), true)) {
    if (item.kind === 'declaration') declare(block, item);
  }
  return block;
}

export function isRelevant(property: string): boolean {
  return relevant.has(property);
}

/** Takes one declaration into a block, if it is relevant and a browser takes it. */
export function declare(block: Block, { name, value, isImportant }: DeclarationItem): void {
  const property = aliases[name] ?? name;
  const isVariable = property.startsWith('--');
  const longhands = shorthands[property];
  if (!isVariable && !longhands && !relevant.has(property)) return;
  const into = isImportant ? block.important : block.normal;
  if (longhands && value.includes('var(')) {
    for (const each of longhands) into.set(each, `${pendingMark}${property} ${value}`);
  } else if (longhands) {
    if (value === '') return;
    for (const [each, part] of expand(property, value)) into.set(each, part);
  } else if (isVariable || value.includes('var(') || isValid(property, value)) {
    into.set(property, value);
  }
}

/** The value of a property once the variables in it are put in; undefined if a browser drops it. */
export function settled(
  property: string,
  written: string,
  put: (value: string) => string | undefined,
) {
  if (!written.startsWith(pendingMark)) {
    const value = put(written);
    return value === undefined || isValid(property, value) ? value : undefined;
  }
  const space = written.indexOf(' ');
  const value = put(written.slice(space + 1));
  return value === undefined ? value : expand(written.slice(1, space), value).get(property);
}

const ofAny = /^(?:inherit|initial|unset|revert|revert-layer|unknown)$/;

/** Whether browsers take a value; those of which it is hard to tell count as taken. */
function isValid(property: string, value: string): boolean {
  if (value === '') return false;
  if (ofAny.test(value)) return true;
  switch (property) {
    case 'display':
      return /^(?:none|contents|(?:(?:inline|block|flow|flow-root|list-item|run-in|flex|grid|ruby|math|table)(?:-\w+)*\s*)+|-(?:webkit|moz|ms)-[\w-]+)$/.test(
        value,
      );
    case 'visibility':
      return /^(?:visible|hidden|collapse)$/.test(value);
    case 'opacity':
      return !Number.isNaN(shareOf(value)) || value.includes('(');
    case 'color':
    case 'background-color':
    case '-webkit-text-fill-color':
      return value.includes('(') || isColour(value);
    case 'font-size':
      return /^(?:[-+]?[\d.]|[\w-]+\(|(?:xx?-|xxx-)?(?:small|large)|medium|smaller|larger|math)/.test(
        value,
      );
    default:
      return true;
  }
}

function isColour(value: string): boolean {
  // Names of colours of the system are not all known; they are one word, too.
  return (
    validColour(value) !== undefined ||
    /^(?:currentcolor|[a-z]+text|[a-z]+face|field|mark|highlight|-webkit-\w+)$/.test(value)
  );
}

function expand(shorthand: string, value: string): Declarations {
  const parts = new Map<string, string>();
  const words = value.match(/(?:[^\s()]|\([^()]*(?:\([^()]*\)[^()]*)*\))+/g) ?? [];
  const [first = '', second = first, third = first, fourth = second] = words;
  switch (shorthand) {
    case 'background':
      if (ofAny.test(value)) for (const each of shorthands.background ?? []) parts.set(each, value);
      else readBackground(value, words, parts);
      break;
    case 'font':
      readFont(value, parts);
      break;
    case 'margin':
      parts.set('margin-top', first).set('margin-left', fourth);
      break;
    case 'margin-inline':
      parts.set('margin-left', first);
      break;
    case 'margin-block':
      parts.set('margin-top', first);
      break;
    case 'inset':
      parts.set('top', first).set('right', second).set('bottom', third).set('left', fourth);
      break;
    case 'inset-inline':
      parts.set('left', first).set('right', second);
      break;
    case 'inset-block':
      parts.set('top', first).set('bottom', second);
      break;
    case 'animation':
    case '-webkit-animation':
      parts.set('animation-name', /^(?:none|unset|initial)$/.test(value) ? 'none' : 'unknown');
      break;
    default:
      for (const each of relevant) parts.set(each, value);
  }
  return parts;
}

function readBackground(value: string, words: string[], parts: Declarations): void {
  const paints = /url\(|gradient\(|image|element\(|unknown/.test(value);
  parts.set('background-image', paints ? 'unknown' : 'none');
  parts.set('background-clip', words.includes('text') ? 'text' : 'border-box');
  const other =
    /^(?:none|no-repeat|repeat(?:-[xy])?|space|round|scroll|fixed|local|center|left|right|top|bottom|cover|contain|text|(?:border|padding|content)-box|\/|auto|[-+]?[\d.].*|calc\(.*|url\(.*|[\w-]*gradient\(.*|,)$/;
  const colours = words.filter((word) => !other.test(word));
  if (paints && colours.length !== 1) parts.set('background-color', 'unknown');
  else if (colours.length === 0) parts.set('background-color', 'transparent');
  else if (
    colours.length === 1 &&
    (paints || colours[0] === 'currentcolor' || colourOf(colours[0] ?? '') !== 'unknown')
  )
    parts.set('background-color', colours[0] ?? '');
  else parts.set('background-color', 'unknown');
}

function readFont(value: string, parts: Declarations): void {
  if (ofAny.test(value)) {
    parts.set('font-size', value);
    return;
  }
  const found =
    /(?:^|\s)((?:[\d.]+(?:[a-z]+|%)?)|(?:calc|min|max|clamp)\([^/]*\))(?:\s*\/\s*([\d.]+[a-z%]*)|\s)\s*\S/.exec(
      value.replace(/(?:^|\s)(?:[1-9]00|1000)(?=\s)/g, ' '),
    );
  parts.set('font-size', found?.[1] ?? 'unknown');
  parts.set('line-height', found?.[2] ?? 'normal');
}
