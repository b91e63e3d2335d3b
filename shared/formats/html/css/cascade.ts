import { type Block, type Declarations, readBlock, settled } from './block.ts';
import type { Rule } from './style-sheet.ts';
import { shareOf } from './values.ts';

/** Which declaration of each property wins, and what the variables in it stand for. */

/** A value that begins a chain of variables may not become longer than this. */
const longestValue = 2_000;
const deepest = 20;
/** Below this share of its strength nothing is seen. */
export const faintest = 0.05;

type Applied = { rule: Rule; isCertain: boolean }[];

const knownBlocks = new Map<string, Block>();

function inlineBlock(style: string): Block {
  const known = knownBlocks.get(style);
  if (known) return known;
  const block = readBlock(style);
  if (knownBlocks.size > 2_000) knownBlocks.clear();
  if (style.length < 2_000) knownBlocks.set(style, block);
  return block;
}

/** The strongest declarations (CSS Cascade 5, 6), over `own`, which the browser itself gives. */
export function cascade(own: Declarations, applied: Applied, style: string): Declarations {
  const inline = style === '' ? undefined : inlineBlock(style);
  for (const { rule, isCertain } of applied) put(own, rule.normal, isCertain);
  if (inline) put(own, inline.normal, true);
  // Of important declarations those of the first layer are the strongest.
  const important = applied.filter(({ rule }) => rule.important.size > 0);
  important.sort((a, b) => byLayer(b.rule, a.rule) || applied.indexOf(a) - applied.indexOf(b));
  for (const { rule, isCertain } of important) put(own, rule.important, isCertain);
  if (inline) put(own, inline.important, true);
  return own;
}

function byLayer(a: Rule, b: Rule): number {
  for (const [at, number] of a.layer.entries()) {
    const other = b.layer[at] ?? 0;
    if (number !== other) return number < other ? -1 : 1;
  }
  return 0;
}

function put(own: Declarations, declarations: Declarations, isCertain: boolean): void {
  for (const [property, value] of declarations) {
    if (isCertain) own.set(property, value);
    else if (!hides(property, value)) own.set(property, 'unknown');
  }
}

/** Whether a value can hide text; where a rule only may apply, these are passed over. */
function hides(property: string, value: string): boolean {
  switch (property) {
    case 'display':
    case 'content-visibility':
      return value === 'none' || value === 'hidden';
    case 'visibility':
      return value !== 'visible';
    case 'opacity':
      return shareOf(value) < faintest;
    default:
      return false;
  }
}

/**
 * Puts the values of variables in, and returns those of the element.
 * @param inherited the variables of the element around
 */
export function resolve(styles: Declarations, inherited: Declarations): Declarations {
  let variables = inherited;
  for (const [property, value] of styles) {
    if (!property.startsWith('--')) continue;
    if (variables === inherited) variables = new Map(inherited);
    if (/^(?:inherit|unset|revert|revert-layer)$/.test(value)) continue;
    if (value === 'initial') variables.delete(property);
    else variables.set(property, value);
  }
  for (const [property, value] of styles) {
    if (property.startsWith('--') || !/var\(/.test(value)) continue;
    const result = settled(property, value, (text) => substitute(text, variables, 0));
    // Without a valid value the property is as if it was not set.
    if (result === undefined) styles.set(property, 'unset');
    else styles.set(property, result);
  }
  return variables;
}

/** A value with what its variables stand for; undefined where one stands for nothing. */
function substitute(text: string, variables: Declarations, depth: number): string | undefined {
  if (depth > deepest || text.length > longestValue) return 'unknown';
  const start = text.search(/(?<![\w-])var\(/);
  if (start < 0) return text;
  let end = start + 4;
  for (let open = 1; end < text.length && open > 0; end += 1) {
    if (text[end] === '(') open += 1;
    else if (text[end] === ')') open -= 1;
  }
  const inner = text.slice(start + 4, text[end - 1] === ')' ? end - 1 : end);
  const comma = inner.indexOf(',');
  const name = (comma < 0 ? inner : inner.slice(0, comma)).trim();
  const known = variables.get(name);
  const found = known === undefined ? undefined : substitute(known, variables, depth + 1);
  const value =
    found ?? (comma < 0 ? undefined : substitute(inner.slice(comma + 1), variables, depth + 1));
  if (value === undefined) return undefined;
  if (value === 'unknown') return 'unknown';
  return substitute(
    `${text.slice(0, start)}${value.trim()}${text.slice(end)}`,
    variables,
    depth + 1,
  );
}
