import { SSF } from '@e965/xlsx';

/** The text of a cell from its number and its number format (ECMA-376 part 1, 18.8.30). */

/** Turns numbers of one format into text. */
export type NumberText = (value: number) => string;

/**
 * - Dates and times as ISO 8601, whatever the format's order of day and month.
 * - Percentages with their sign, at full precision.
 * - Formats with words, units or currencies as Excel shows them.
 * - All others as the bare number, without grouping or rounding, to the 15 digits that Excel keeps.
 * @param format a format code, or the number of a built-in one
 * @param date1904 whether days count from 1904-01-01
 */
export function numberTextFor(format: string | number, date1904: boolean): NumberText {
  if (typeof format === 'number' && isEastAsianDate(format))
    return dateText('yyyy-mm-dd', date1904);
  const given = typeof format === 'number' ? (SSF.get_table()[format] ?? 'General') : format;
  // A language alone is no currency: `[$-409]`, and `[$-x-sysdate]`.
  const code = given.replace(/\[\$-[^\]]*\]/g, '');
  if (isDate(code)) {
    return /\[[hms]+\]/i.test(code) ? shown(code, date1904) : dateText(code, date1904);
  }
  const bare = code.replace(/"[^"]*"|\\.|_./g, '');
  if (bare.includes('%')) return (value) => `${plainNumber(value * 100)}%`;
  if (/^0{2,}$/.test(code)) return (value) => String(Math.round(value)).padStart(code.length, '0');
  if (isMask(code)) return shown(code, date1904);
  const hasWords = /"[^"]*[^\s"-][^"]*"|\[\$[^-\]]|\p{Sc}|\\[^\s\-().]/u.test(code);
  return hasWords ? shown(code, date1904) : plainNumber;
}

/**
 * Dates by number alone: Chinese, Japanese and Korean versions of Excel write no code for them, and what they show differs
 * (18.8.30).
 */
const isEastAsianDate = (id: number): boolean => (id >= 27 && id <= 36) || (id >= 50 && id <= 58);

/** Whether a format cuts the digits of a number into groups, as of a telephone number: `000\\-00\\-0000`. */
function isMask(code: string): boolean {
  const sections = code.split(';').map((section) => section.replace(/\[[<>=]+\d+\]/, ''));
  return sections.every((section) => {
    const bare = section.replace(/"[ ()./-]*"|\\[ ()./-]|_./g, '-');
    // Where the first digit may be left out, it is a grouping of thousands.
    return /^[-() ]*0[-() 0#]*$/.test(bare) && /[0#][-() ]+[0#]/.test(bare);
  });
}

/** Half away from zero by decimal digits, as Excel does; the nearest binary fraction of 1.005 is below it. */
function rounded(value: number, code: string): number {
  const bare = code.replace(/"[^"]*"|\\.|_.|\[[^\]]*\]/g, '').split(';')[0] ?? '';
  if (/[%eE/]|,(?![#0?])|General/.test(bare) || !/[0#?]/.test(bare)) return value;
  const digits = /\.([0#?]*)/.exec(bare)?.[1]?.length ?? 0;
  const text = Math.abs(value).toPrecision(15);
  if (text.includes('e')) return value;
  const whole = Math.round(Number(`${text}e${digits}`));
  return Math.sign(value) * Number(`${whole}e-${digits}`);
}

/** A number without the noise of binary fractions: 0.1 + 0.2 is 0.3. */
export function plainNumber(value: number): string {
  if (Number.isInteger(value) && Math.abs(value) < 1e21) return String(value);
  return String(Number(value.toPrecision(15)));
}

function isDate(code: string): boolean {
  try {
    return SSF.is_date(code);
  } catch {
    return false;
  }
}

/** As Excel shows it, without the spaces that only align columns. */
function shown(code: string, date1904: boolean): NumberText {
  return (value) => {
    try {
      const text = SSF.format(code, isDate(code) ? value : rounded(value, code), { date1904 })
        .replace(/\s+/g, ' ')
        .trim();
      return text === '' ? plainNumber(value) : text;
    } catch {
      return plainNumber(value);
    }
  };
}

function dateText(code: string, date1904: boolean): NumberText {
  const showsSeconds = /s/i.test(code.replace(/"[^"]*"|\\.|\[[^\]]*\]/g, ''));
  const showsDay = /[yd]|m{3,}/i.test(code.replace(/"[^"]*"|\\.|\[[^\]]*\]/g, ''));
  return (value) => {
    const parts = SSF.parse_date_code(value, { date1904 });
    if (!parts) return plainNumber(value);
    const { y, m, d, H, M, S, u } = parts;
    const fraction = showsSeconds && u >= 0.0005 && u < 0.9995 ? u.toFixed(3).slice(1) : '';
    const seconds = S === 0 && fraction === '' ? '' : `:${two(S)}${fraction}`;
    const time = `${two(H)}:${two(M)}${seconds}`;
    if (!showsDay && value >= 0 && value < 1) return time;
    const day = `${String(y).padStart(4, '0')}-${two(m)}-${two(d)}`;
    return H + M + S === 0 && fraction === '' ? day : `${day} ${time}`;
  };
}

/** A date (in UTC) as ISO 8601; '' for an invalid one. */
export function isoDate(date: Date): string {
  if (Number.isNaN(date.getTime())) return '';
  const text = date.toISOString();
  const time = text.slice(11, 19);
  if (time === '00:00:00') return text.slice(0, 10);
  return `${text.slice(0, 10)} ${time.endsWith(':00') ? time.slice(0, 5) : time}`;
}

function two(value: number): string {
  return String(Math.floor(value)).padStart(2, '0');
}
