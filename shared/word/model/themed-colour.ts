import type { Theme } from '../../formats/office/theme.ts';
import type { Attributes } from '../../formats/office/xml.ts';
import { type Colour, hexColour } from '../../formats/safety/visibility.ts';

/**
 * A colour as `w:color`, `w:shd` or the like write it (ECMA-376 part 1, 17.3.2.6): a theme colour
 * counts before the value, which is only what the writing program last saw.
 * @param prefix `theme` for `w:color`, `themeFill` for the fill of `w:shd`
 * @returns undefined for `auto` and for none
 */
export function themedColour(
  theme: Theme,
  attributes: Attributes,
  value: string | undefined,
  prefix: 'theme' | 'themeFill',
): Colour | 'unknown' | undefined {
  const name = attributes[prefix === 'theme' ? 'w:themeColor' : 'w:themeFill'];
  if (name === undefined || name === 'none') return hexColour(value);
  const base = theme.get(name);
  if (base === undefined) return hexColour(value) ?? 'unknown';
  const tint = portion(attributes[`w:${prefix}Tint`]);
  const shade = portion(attributes[`w:${prefix}Shade`]);
  return [16, 8, 0].reduce((mixed, shift) => {
    const channel = (base >> shift) & 0xff;
    const changed = (channel * tint + 255 * (1 - tint)) * shade;
    return mixed | (Math.round(changed) << shift);
  }, 0);
}

/** A share of 255 in hexadecimal; the whole when it is missing. */
function portion(text: string | undefined): number {
  const value = Number.parseInt(text ?? '', 16);
  return Number.isFinite(value) ? Math.min(255, value) / 255 : 1;
}
