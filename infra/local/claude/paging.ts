import { invalid } from './errors.ts';

const maxLimit = 1_000;

/** `limit` of the query, from 1 to 1,000; 20 by default. Throws 400. */
export function limitOf(query: URLSearchParams): number {
  const text = query.get('limit');
  if (text === null) return 20;
  const limit = Number(text);
  if (!/^\d+$/.test(text) || limit < 1 || limit > maxLimit) {
    throw invalid(`limit: must be a whole number from 1 to ${maxLimit}`);
  }
  return limit;
}

/** `before_id` and `after_id` of the query, at most one of them set. Throws 400 when both are. */
export function cursorsOf(query: URLSearchParams): { before: string | null; after: string | null } {
  const [before, after] = [query.get('before_id'), query.get('after_id')];
  if (before !== null && after !== null) {
    throw invalid('before_id: cannot be combined with after_id');
  }
  return { before, after };
}

/**
 * One page of `items`, newest first, by `after_id`, `before_id` and `limit`: how the API pages models
 * and batches. Throws 400 on other parameters and on unknown ids.
 * @param further names of parameters that are accepted and ignored
 */
export function pageOf<T extends { id: string }>(
  items: readonly T[],
  query: URLSearchParams,
  shape: (item: T) => object,
  further: readonly string[] = [],
): object {
  for (const name of query.keys()) {
    if (!['after_id', 'before_id', 'limit', 'beta', ...further].includes(name)) {
      throw invalid(`${name}: Extra inputs are not permitted`);
    }
  }
  const limit = limitOf(query);
  const { before, after } = cursorsOf(query);
  const at = (name: string, id: string): number => {
    const index = items.findIndex((item) => item.id === id);
    if (index < 0) throw invalid(`${name}: nothing has the id ${id}`);
    return index;
  };

  const all =
    before === null
      ? items.slice(after === null ? 0 : at('after_id', after) + 1)
      : items.slice(0, at('before_id', before));
  const page = before === null ? all.slice(0, limit) : all.slice(-limit);
  return {
    data: page.map(shape),
    has_more: all.length > limit,
    first_id: page.at(0)?.id ?? null,
    last_id: page.at(-1)?.id ?? null,
  };
}
