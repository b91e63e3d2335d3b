import type { Limits } from '../limits.ts';
import { readTheme, type Theme } from '../office/theme.ts';
import { readXml } from '../office/xml.ts';
import { type Backdrop, hexColour, isLost, unreadablePoints, white } from '../safety/visibility.ts';
import type { SafeZip, ZipEntry } from '../safety/zip.ts';

/**
 * How a style shows its cells. `on-plain`: not at all on a white sheet, but styles of tables,
 * conditions and pictures may paint something behind it.
 */
export type Showing = 'shown' | 'hidden' | 'on-plain';

/** Theme colours by their index in a spreadsheet (ECMA-376 part 1, 18.8.3). */
const themeNames = ['lt1', 'dk1', 'lt2', 'dk2', 'accent1', 'accent2', 'accent3', 'accent4'];
/** The two entries of the palette that matter (18.8.27). */
const palette: Record<string, number> = { 0: 0, 8: 0, 1: white, 9: white };

interface Font {
  size: number | undefined;
  colour: Backdrop | undefined;
}

/** Reads how each style of the cells shows them; without styles all are shown. */
export async function readShowings(
  zip: SafeZip,
  styles: ZipEntry | undefined,
  theme: ZipEntry | undefined,
  limits: Limits,
): Promise<Showing[]> {
  if (!styles) return [];
  const colours = readTheme(theme && (await zip.read(theme, limits.maxXmlBytes)));
  return showingsIn(await zip.read(styles, limits.maxXmlBytes), styles.name, colours);
}

function showingsIn(bytes: Buffer, partName: string, theme: Theme): Showing[] {
  const fonts: Font[] = [];
  const fills: (Backdrop | 'none')[] = [];
  const codes = new Map<string, string>();
  const showings: Showing[] = [];
  let within = '';
  readXml(bytes, partName, {
    open(name, attributes) {
      const font = fonts.at(-1);
      if (/^s:(?:fonts|fills|cellXfs|cellStyleXfs|dxfs|borders)$/.test(name)) within = name;
      else if (name === 's:numFmt') {
        codes.set(attributes.numFmtId ?? '', attributes.formatCode ?? '');
      } else if (within === 's:fonts') {
        if (name === 's:font') fonts.push({ size: undefined, colour: undefined });
        else if (name === 's:sz' && font) font.size = Number(attributes.val);
        else if (name === 's:color' && font) font.colour = colourOf(attributes, theme);
      } else if (within === 's:fills') {
        if (name === 's:fill') fills.push('none');
        else if (name === 's:patternFill' && attributes.patternType !== 'none') {
          fills[fills.length - 1] = 'unknown';
        } else if (name === 's:gradientFill') fills[fills.length - 1] = 'unknown';
        else if (name === 's:fgColor' && fills.at(-1) === 'unknown') {
          fills[fills.length - 1] = colourOf(attributes, theme) ?? 'unknown';
        }
      } else if (within === 's:cellXfs' && name === 's:xf') {
        const code = codes.get(attributes.numFmtId ?? '') ?? '';
        const written = fonts[Number(attributes.fontId ?? 0)];
        showings.push(showingOf(written, fills[Number(attributes.fillId ?? 0)] ?? 'none', code));
      }
    },
    close(name) {
      if (name === within) within = '';
    },
  });
  return showings;
}

function showingOf(font: Font | undefined, fill: Backdrop | 'none', code: string): Showing {
  // Empty sections for positive and negative numbers, zero and text (18.8.30) show nothing.
  if (/^;;;\s*$/.test(code)) return 'hidden';
  if (font?.size !== undefined && font.size <= unreadablePoints) return 'hidden';
  const colour = font?.colour;
  if (colour === undefined || colour === 'unknown') return 'shown';
  if (fill === 'none') return isLost(colour, white) ? 'on-plain' : 'shown';
  return isLost(colour, fill) ? 'on-plain' : 'shown';
}

/** Undefined for the automatic colour. */
function colourOf(attributes: Record<string, string>, theme: Theme): Backdrop | undefined {
  const { rgb, theme: index, indexed, tint, auto } = attributes;
  if (auto !== undefined || indexed === '64' || indexed === '65') return undefined;
  if (tint !== undefined && Number(tint) !== 0) return 'unknown';
  // The first two digits, for transparency, are not used.
  if (rgb !== undefined) return hexColour(rgb.slice(-6)) ?? 'unknown';
  if (index !== undefined) return theme.get(themeNames[Number(index)] ?? '') ?? 'unknown';
  return palette[indexed ?? ''] ?? 'unknown';
}

/** Whether a worksheet part has nothing that may paint its cells besides their own styles. */
export function isPlainSheet(part: Buffer): boolean {
  const end = part.lastIndexOf('sheetData');
  const after = part.subarray(Math.max(0, end)).toString('latin1');
  return !/<(?:\w+:)?(?:conditionalFormatting|tablePart|drawing|picture|x14:conditionalFormatting)\b/.test(
    after,
  );
}
