import { calc } from '@csstools/css-calc';
import { color, serializeRGB } from '@csstools/css-color-parser';
import { parseComponentValue } from '@csstools/css-parser-algorithms';
import { tokenize } from '@csstools/css-tokenizer';
import type { Colour } from '../../safety/visibility.ts';

/** Values of CSS, as far as they decide whether text is seen. */

/** A colour; `clear` is fully transparent, `unknown` anything that cannot be told. */
export type CssColour = Colour | 'clear' | 'unknown';

const leastAlpha = 0.05;
/** No colour that people write is longer: a bound on the time that reading one takes. */
const longestValue = 300;
/** Colours of the system, for a page that says nothing about dark windows. */
const ofSystem: Record<string, Colour> = { canvas: 0xffffff, canvastext: 0x000000 };

const knownColours = new Map<string, CssColour | undefined>();

/** Reads a `<color>`. */
export function colourOf(value: string): CssColour {
  return validColour(value) ?? 'unknown';
}

/**
 * Reads the colour of letters. A part of them that shows through is no help where they have the colour
 * of what is behind: so only what is fully transparent counts as such.
 */
export function inkOf(value: string): CssColour {
  const found = colourOf(value);
  if (found !== 'unknown' || value.length > longestValue || value.includes('unknown')) return found;
  return colourOf(`rgb(from ${value} r g b / 1)`);
}

/** Reads a `<color>`; undefined for what is none, which browsers pass over. */
export function validColour(value: string): CssColour | undefined {
  const text = value.trim().toLowerCase();
  if (text === '' || text.length > longestValue) return undefined;
  if (knownColours.has(text)) return knownColours.get(text);
  if (knownColours.size > 5_000) knownColours.clear();
  const found = ofSystem[text] ?? readColour(text);
  knownColours.set(text, found);
  return found;
}

function readColour(text: string): CssColour | undefined {
  const [, light, dark] = /^light-dark\((.+),\s*([^,]+|[\w-]+\(.*\))\)$/.exec(text) ?? [];
  if (light !== undefined && dark !== undefined) {
    return colourOf(light) === colourOf(dark) ? colourOf(light) : 'unknown';
  }
  // Deep nesting is no colour that a person wrote.
  if (text.split('(').length > 10) return 'unknown';
  const component = parseComponentValue(tokenize({ css: text }));
  const read = component && color(component);
  if (!read) return undefined;
  if (typeof read.alpha !== 'number') return 'unknown';
  const alpha = read.alpha;
  if (alpha < leastAlpha) return 'clear';
  if (alpha < 1) return 'unknown';
  const [, ...channels] = /^rgba?\((\d+), (\d+), (\d+)/.exec(serializeRGB(read).toString()) ?? [];
  if (channels.length < 3) return 'unknown';
  return channels.reduce((packed, channel) => packed * 256 + Number(channel), 0);
}

const pointsOf: Record<string, number> = {
  pt: 1,
  px: 0.75,
  pc: 12,
  in: 72,
  cm: 72 / 2.54,
  mm: 72 / 25.4,
  q: 72 / 101.6,
};
/** Browsers' own size of text. */
export const usualPoints = 12;

/**
 * A length in points.
 * @param em what `em` and `%` refer to, in points
 * @param rem the size of the page's text
 * @returns undefined for what cannot be told: keywords, the window's size
 */
export function lengthOf(
  value: string | undefined,
  em: number,
  rem = usualPoints,
): number | undefined {
  const written = value?.trim().toLowerCase() ?? '';
  const text = written.includes('(') ? solved(inPoints(written, em, rem)) : written;
  const [, digits, unit = ''] =
    /^([-+]?(?:\d+\.?\d*|\.\d+)(?:e[-+]?\d+)?)([a-z]*|%)$/.exec(text) ?? [];
  if (digits === undefined) return undefined;
  const amount = Number(digits);
  if (amount === 0) return 0;
  if (unit === '%') return (amount / 100) * em;
  if (unit === 'em') return amount * em;
  if (unit === 'ex' || unit === 'ch') return (amount * em) / 2;
  if (unit === 'rem') return amount * rem;
  // However wide the window is.
  if (/^[sld]?v(?:w|h|i|b|min|max)$/.test(unit) && Math.abs(amount) < 0.03) return amount * 60;
  const points = pointsOf[unit];
  return points === undefined ? undefined : amount * points;
}

/** The relative lengths in a calculation as points. */
function inPoints(text: string, em: number, rem: number): string {
  return text.replace(/([\d.]+)(rem|em|ex|ch)\b/g, (_, amount: string, unit: string) => {
    const whole = unit === 'rem' ? rem : unit === 'em' ? em : em / 2;
    return `${Number(amount) * whole}pt`;
  });
}

/** A number or a percentage, as a share of one; NaN for anything else. */
export function shareOf(value: string): number {
  const text = solved(value.trim());
  if (!/^[-+]?(?:\d+\.?\d*|\.\d+)(?:e[-+]?\d+)?%?$/.test(text)) return Number.NaN;
  return Number.parseFloat(text) / (text.endsWith('%') ? 100 : 1);
}

/** A calculation, if it is one and can be done without knowing the window. */
function solved(text: string): string {
  if (!text.includes('(') || text.length > longestValue) return text;
  return text.split('(').length > 10 ? text : calc(text);
}
