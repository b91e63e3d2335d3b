import type { DocumentExtract } from './extract.ts';
import { type Filling, fillSchema } from './fill-schema.ts';
import type { Schema } from './schema-rules.ts';

/**
 * Fills a schema that asks for `data` and, as `evidence`, for a quote for each value of it: values that stand in the
 * document, with the passages they are taken from, letter for letter.
 */

type Quote = { shown: string; cited: string };

/** Whether a checked schema asks for data and quotes. */
export function asksForEvidence({ properties }: Schema): boolean {
  const { data, evidence } = (properties ?? {}) as Record<string, Schema | undefined>;
  const items = evidence?.items as Schema | undefined;
  const { path, quote } = (items?.properties ?? {}) as Record<string, unknown>;
  return data !== undefined && path !== undefined && quote !== undefined;
}

/** `schema` must have passed `checkSchema`, and ask for evidence. */
export function fillWithEvidence(
  schema: Schema,
  filling: Filling,
  extracts: readonly DocumentExtract[],
): { data: unknown; evidence: { path: string; quote: string }[] } {
  const quotes = extracts.flatMap(({ title, ranked }) => [...(title ? [title] : []), ...ranked]);
  const { data: inner } = schema.properties as { data: Schema };
  const { $defs, definitions } = schema;
  const numbers = quotes.flatMap(({ cited }) => numbersIn(cited));
  const root = {
    ...inner,
    ...($defs === undefined ? {} : { $defs }),
    ...(definitions === undefined ? {} : { definitions }),
  };
  const data = fillSchema(root, { ...filling, numbers });
  const evidence = valuesOf(data).map(([path, value]) => ({
    path,
    quote: quoteFor(value, quotes),
  }));
  return { data, evidence };
}

/** Digits with separators between thousands, and decimals after a point. */
const numerals = /\d{1,3}(?:,\d{3})+(?:\.\d+)?|\d+(?:\.\d+)?/g;

const numbersIn = (text: string): number[] =>
  [...text.matchAll(numerals)].map(([numeral]) => Number(numeral.replaceAll(',', '')));

function quoteFor(value: unknown, quotes: readonly Quote[]): string {
  const found = quotes.find(({ shown, cited }) =>
    typeof value === 'number' ? numbersIn(cited).includes(value) : shown === value,
  );
  return (found ?? quotes[0])?.cited ?? '';
}

function valuesOf(value: unknown, path = ''): [path: string, value: unknown][] {
  if (value === null) return [];
  if (typeof value !== 'object') return [[path, value]];
  return Object.entries(value).flatMap(([name, inner]) =>
    valuesOf(inner, `${path}/${name.replaceAll('~', '~0').replaceAll('/', '~1')}`),
  );
}
