import type { DocumentRecord } from '../journey/record.ts';

type Summary = NonNullable<DocumentRecord['summary']>;
type Checked = NonNullable<Summary['checked']>;

/**
 * How many of a summary's citations by character stand where they say. Whether the API counts UTF-16 units or code points
 * is written nowhere: both are tried, and the one that holds more often is told where they differ.
 * @returns `undefined` when there is none to check
 */
export function checkCitations(
  citations: Summary['citations'],
  text: string | undefined,
): Checked | undefined {
  const places = citations.flatMap(({ citedText, location }) =>
    location.type === 'char' ? [{ citedText, ...location }] : [],
  );
  if (places.length === 0 || text === undefined) return undefined;
  const units = places.filter(({ citedText, start, end }) => text.slice(start, end) === citedText);
  const offset = offsetsOf(
    text,
    places.flatMap(({ start, end }) => [start, end]),
  );
  const points = places.filter(
    ({ citedText, start, end }) => text.slice(offset(start), offset(end)) === citedText,
  );
  const verified = Math.max(units.length, points.length);
  const count = places.length;
  if (units.length === points.length) return { count, verified };
  return { count, verified, unit: units.length > points.length ? 'utf16' : 'codePoint' };
}

/** From code points to UTF-16 units, for the given places; a place beyond the end is the end. */
function offsetsOf(text: string, wanted: readonly number[]): (point: number) => number {
  const known = new Map<number, number>();
  let point = 0;
  let unit = 0;
  for (const next of [...new Set(wanted)].sort((a, b) => a - b)) {
    for (; point < next && unit < text.length; point += 1) {
      unit += (text.codePointAt(unit) ?? 0) > 0xffff ? 2 : 1;
    }
    known.set(next, unit);
  }
  return (at) => known.get(at) ?? text.length;
}
