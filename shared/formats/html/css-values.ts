import type { Colour } from '../safety/visibility.ts';

/** Values of CSS, as far as they decide whether text is seen. */

/** A colour; `clear` is fully transparent, `unknown` anything that cannot be told. */
export type CssColour = Colour | 'clear' | 'unknown';

/** The sixteen basic colours, and the near-white ones (CSS Color 4, 6.1). */
const named: Record<string, Colour> = {
  white: 0xffffff,
  black: 0x000000,
  silver: 0xc0c0c0,
  gray: 0x808080,
  grey: 0x808080,
  red: 0xff0000,
  maroon: 0x800000,
  yellow: 0xffff00,
  olive: 0x808000,
  lime: 0x00ff00,
  green: 0x008000,
  aqua: 0x00ffff,
  cyan: 0x00ffff,
  teal: 0x008080,
  blue: 0x0000ff,
  navy: 0x000080,
  fuchsia: 0xff00ff,
  magenta: 0xff00ff,
  purple: 0x800080,
  snow: 0xfffafa,
  ivory: 0xfffff0,
  ghostwhite: 0xf8f8ff,
  whitesmoke: 0xf5f5f5,
  floralwhite: 0xfffaf0,
  mintcream: 0xf5fffa,
  azure: 0xf0ffff,
};

/** Reads a `<color>`. */
export function colourOf(value: string): CssColour {
  const text = value.trim().toLowerCase();
  if (text === 'transparent') return 'clear';
  const known = named[text];
  if (known !== undefined) return known;
  const hex = /^#([0-9a-f]{3,8})$/.exec(text)?.[1];
  if (hex !== undefined) return hexOf(hex);
  const [, name, inner = ''] = /^(rgb|hsl)a?\(([^()]*)\)$/.exec(text) ?? [];
  if (name === undefined) return 'unknown';
  const [a = '', b = '', c = '', alpha = '1'] = inner.split(/[\s,/]+/).filter(Boolean);
  if (shareOf(alpha, 1) < leastAlpha) return 'clear';
  if (shareOf(alpha, 1) < 1) return 'unknown';
  if (name === 'rgb') return pack(shareOf(a, 255), shareOf(b, 255), shareOf(c, 255));
  // Without saturation it is a grey; other hues are not needed to tell white from black.
  const light = shareOf(c, 100);
  const isGrey = shareOf(b, 100) === 0 || light === 0 || light === 1;
  return isGrey ? pack(light, light, light) : 'unknown';
}

const leastAlpha = 0.05;

function hexOf(hex: string): CssColour {
  const long = hex.length <= 4 ? [...hex].map((digit) => digit + digit).join('') : hex;
  if (long.length !== 6 && long.length !== 8) return 'unknown';
  const alpha = long.length === 8 ? Number.parseInt(long.slice(6), 16) / 255 : 1;
  if (alpha < leastAlpha) return 'clear';
  return alpha < 1 ? 'unknown' : Number.parseInt(long.slice(0, 6), 16);
}

/** A number as a share of `whole`, or a percentage; between 0 and 1, NaN for anything else. */
function shareOf(text: string, whole: number): number {
  const value = Number.parseFloat(text) / (text.endsWith('%') ? 100 : whole);
  return Math.min(1, Math.max(0, value));
}

function pack(...shares: number[]): CssColour {
  if (shares.some(Number.isNaN)) return 'unknown';
  return shares.reduce((packed, share) => packed * 256 + Math.round(share * 255), 0);
}

const pointsOf: Record<string, number> = {
  pt: 1,
  px: 0.75,
  pc: 12,
  in: 72,
  cm: 72 / 2.54,
  mm: 72 / 25.4,
  q: 72 / 101.6,
  rem: 12,
};

/**
 * A length in points.
 * @param em what `em` and `%` refer to, in points
 * @returns undefined for what cannot be told: keywords, the window's size, calculations
 */
export function lengthOf(value: string | undefined, em: number): number | undefined {
  const [, digits, unit = ''] =
    /^([-+]?(?:\d+\.?\d*|\.\d+))([a-z]*|%)$/.exec(value?.trim().toLowerCase() ?? '') ?? [];
  if (digits === undefined) return undefined;
  const amount = Number(digits);
  if (amount === 0) return 0;
  if (unit === '%') return (amount / 100) * em;
  if (unit === 'em') return amount * em;
  const points = pointsOf[unit];
  return points === undefined ? undefined : amount * points;
}
