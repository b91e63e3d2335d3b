import type { Evidence } from '../journey/record.ts';
import { QuotedText } from './quotes.ts';
import type { FieldsReply } from './reply.ts';

/** The text that went to Claude: as one, or by pages where it is a PDF's text layer. */
export type SentText = { kind: 'text'; text: string } | { kind: 'pages'; pages: readonly string[] };

/** With so few characters in all, a PDF has no text layer: it is a scan. */
const leastCharacters = 25;

/**
 * The evidence of a reply: where in the text that went to Claude each quote stands. Every value has evidence; one
 * without a quote is not grounded.
 * @param sent without it, nothing can be checked: a picture, or a scan
 */
export function grounded({ data, evidence }: FieldsReply, sent: SentText | undefined): Evidence[] {
  const place = sent && placeFinder(sent);
  const given = evidence
    .filter(({ path }) => pointsInto(data, path))
    .map(({ path, quote }) => ({ path, quote, ...(place ? place(quote) : uncheckable) }));
  const covered = new Set(given.map(({ path }) => path));
  const bare = valuesOf(data).filter((path) => !isCovered(path, covered));
  return [...given, ...bare.map((path) => ({ path, quote: '', grounded: place ? false : null }))];
}

const uncheckable = { grounded: null };

type Grounding = Omit<Evidence, 'path' | 'quote'>;

function placeFinder(sent: SentText): ((quote: string) => Grounding) | undefined {
  if (sent.kind === 'text') {
    const text = new QuotedText(sent.text);
    return (quote) => groundingOf(text, quote, (start, end) => ({ type: 'char', start, end }));
  }
  const { pages } = sent;
  const text = new QuotedText(pages.join('\n'));
  if (text.text.replace(/\s/g, '').length < leastCharacters) return undefined;
  const starts: number[] = [];
  let next = 0;
  for (const page of pages) {
    starts.push(next);
    next += page.length + 1;
  }
  const pageAt = (at: number): number => {
    const after = starts.findIndex((start) => start > at);
    return after < 0 ? pages.length : after;
  };
  return (quote) =>
    groundingOf(text, quote, (start, end) => ({
      type: 'page',
      start: pageAt(start),
      end: pageAt(end - 1) + 1,
    }));
}

function groundingOf(
  text: QuotedText,
  quote: string,
  locate: (start: number, end: number) => NonNullable<Evidence['location']>,
): Grounding {
  const found = text.find(quote);
  if (!found) return { grounded: false };
  const { match, start, end, occurrences } = found;
  return {
    grounded: true,
    match,
    ...(occurrences > 1 ? { occurrences } : {}),
    location: locate(start, end),
  };
}

const escaped = (name: string): string => name.replaceAll('~', '~0').replaceAll('/', '~1');

/** The JSON Pointers of all values that say something: neither null, nor an empty text, list or object. */
function valuesOf(value: unknown, path = ''): string[] {
  if (value === null || value === '') return [];
  if (typeof value !== 'object') return [path];
  return Object.entries(value).flatMap(([name, inner]) =>
    valuesOf(inner, `${path}/${escaped(name)}`),
  );
}

/** A quote for a list or an object stands for all values in it. */
function isCovered(path: string, covered: ReadonlySet<string>): boolean {
  for (let at = path; ; at = at.slice(0, at.lastIndexOf('/'))) {
    if (covered.has(at)) return true;
    if (at === '') return false;
  }
}

function pointsInto(data: unknown, path: string): boolean {
  if (path !== '' && !path.startsWith('/')) return false;
  let value = data;
  for (const part of path.split('/').slice(1)) {
    const name = part.replaceAll('~1', '/').replaceAll('~0', '~');
    if (typeof value !== 'object' || value === null || !Object.hasOwn(value, name)) return false;
    value = (value as Record<string, unknown>)[name];
  }
  return true;
}
