import { isRelevant } from './block.ts';
import { lengthOf } from './values.ts';

/** Conditions of `@media` and `@supports`: true or false for every reader, or undefined. */
export type Truth = boolean | undefined;

/** Points of the narrowest and the widest windows that pages are read in. */
const narrowest = 240;
const widest = 6_000;

export function not(value: Truth): Truth {
  return value === undefined ? undefined : !value;
}

export function every(values: Iterable<Truth>): Truth {
  let result: Truth = true;
  for (const value of values) {
    if (value === false) return false;
    if (value === undefined) result = undefined;
  }
  return result;
}

export function some(values: Iterable<Truth>): Truth {
  let result: Truth = false;
  for (const value of values) {
    if (value === true) return true;
    if (value === undefined) result = undefined;
  }
  return result;
}

/** Whether the rules in `@media` apply to a page on a screen. */
export function isMediaMet(query: string): Truth {
  const text = query.trim();
  if (text === '') return true;
  return some(text.split(',').map((each) => mediaQuery(each.trim())));
}

function mediaQuery(query: string): Truth {
  const [, negation, type, rest = ''] =
    /^(?:(not|only)\s+)?([a-z]+)(?:\s+and\s+(.*))?$/.exec(query) ?? [];
  if (type === undefined) return condition(query, mediaFeature);
  const isScreen = type === 'screen' || type === 'all';
  const met = every([isScreen, rest === '' ? true : condition(rest, mediaFeature)]);
  return negation === 'not' ? not(met) : met;
}

function mediaFeature(feature: string): Truth {
  const range = feature
    .trim()
    .replace(/^width\s*>=?\s*/, 'min-width:')
    .replace(/^width\s*<=?\s*/, 'max-width:');
  const [, bound, amount] = /^(min|max)-(?:device-)?width\s*:\s*(.+)$/.exec(range) ?? [];
  if (bound === undefined) return undefined;
  const points = lengthOf(amount, 12);
  if (points === undefined) return undefined;
  if (bound === 'min') return points <= narrowest ? true : points > widest ? false : undefined;
  return points >= widest ? true : points < narrowest / 2 ? false : undefined;
}

/** Whether the rules in `@supports` apply; what every browser knows is supported. */
export function isSupported(query: string): Truth {
  return condition(query.trim(), (declaration) => {
    const [, property = '', value = ''] = /^([a-z-]+)\s*:\s*(.+)$/.exec(declaration.trim()) ?? [];
    if (property.startsWith('--')) return true;
    return isRelevant(property) && /^(?!-)[\w#%. -]+$/.test(value) && isPlainValue(property, value)
      ? true
      : undefined;
  });
}

const everyBrowsers: Record<string, RegExp> = {
  display: /^(?:block|inline|inline-block|none|flex|inline-flex|grid|inline-grid|table|contents)$/,
  position: /^(?:static|relative|absolute|fixed|sticky)$/,
  visibility: /^(?:visible|hidden)$/,
  overflow: /^(?:visible|hidden|auto|scroll|clip)$/,
};

/** Whether a value is one that browsers have known for ten years. */
function isPlainValue(property: string, value: string): boolean {
  const usual = everyBrowsers[property];
  if (usual) return usual.test(value);
  return /^(?:color|background-color)$/.test(property)
    ? /^(?:#[0-9a-f]{3,6}|red|green|blue|black|white|transparent)$/.test(value)
    : /^(?:0|[\d.]+(?:px|em|rem|%|pt)?)$/.test(value);
}

/** Parts joined by `and` or by `or`, perhaps `not`, each in parentheses. */
function condition(query: string, leaf: (text: string) => Truth, depth = 0): Truth {
  if (depth > 10) return undefined;
  const text = query.trim();
  if (/^not\s*\(/.test(text)) return not(condition(text.slice(3), leaf, depth + 1));
  const parts: string[] = [];
  let rest = text;
  let joint: string | undefined;
  while (rest !== '') {
    const end = rest.startsWith('(') ? endOf(rest) : -1;
    if (end < 0) return undefined;
    parts.push(rest.slice(1, end));
    rest = rest.slice(end + 1).trim();
    const found = /^(and|or)\s*(?=\()/.exec(rest);
    if (rest !== '' && (!found || (joint ?? found[1]) !== found[1])) return undefined;
    joint = found?.[1];
    rest = rest.slice(found?.[0].length ?? 0);
    if (parts.length > 20) return undefined;
  }
  const values = parts.map((part) =>
    /^\s*(?:\(|not\s*\()/.test(part) ? condition(part, leaf, depth + 1) : leaf(part),
  );
  return parts.length > 1 && /\)\s*or\s*\(/.test(text) ? some(values) : every(values);
}

/** Where the parenthesis at the start is closed. */
function endOf(text: string): number {
  let open = 0;
  for (const { 0: mark, index } of text.matchAll(/[()]/g)) {
    open += mark === '(' ? 1 : -1;
    if (open === 0) return index;
  }
  return -1;
}
