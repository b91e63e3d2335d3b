import { z } from 'zod';

/** Money is counted in billionths of a dollar, in whole numbers, so that sums are exact. */
export const nanoUsd = (usd: number): number => Math.ceil(usd * 1e9);

/** An amount for people, to four digits that count. */
export function shownUsd(nano: number): string {
  const usd = nano / 1e9;
  if (usd === 0) return '$0';
  const digits = Math.max(2, Math.min(9, 3 - Math.floor(Math.log10(Math.abs(usd)))));
  // Cents at least, and no zeros after them.
  return `$${usd.toFixed(digits).replace(/(\.\d\d\d*?)0+$/, '$1')}`;
}

/** What is reserved of the budget for one call, as the answer keeps it. */
export const reservedSchema = z.object({
  /** Unique for each call that was about to be made. */
  id: z.string(),
  nanoUsd: z.int(),
  /** The answer's `calls` at that call. */
  call: z.int(),
  /** The UTC day on which it was reserved. */
  day: z.string(),
  /** The UTC periods that pay: that day, its month, or both. */
  periods: z.array(z.string()),
});
export type Reserved = z.infer<typeof reservedSchema>;

/** The same as the counter of a period keeps it, in an attribute of its own, while it is open. */
const openSchema = z.object({
  nanoUsd: z.int(),
  /** The sort key of the cost entry that the call will have. */
  entry: z.string(),
  /** The day on which it was reserved. */
  day: z.string(),
  /** Epoch milliseconds after which the worker can no longer be in its call. */
  until: z.number(),
});
export type OpenReservation = z.infer<typeof openSchema> & { id: string };

const counterSchema = z.looseObject({
  /** What was spent, and what is reserved. */
  usedNano: z.int(),
  /** The part of it that was reserved for calls whose end nobody saw: counted as spent. */
  unseenNano: z.int().default(0),
  /** Names the last write. */
  written: z.string().optional(),
});
export interface Counter extends z.infer<typeof counterSchema> {
  open: OpenReservation[];
}

const prefix = 'r_';

/** The attribute of an open reservation. */
export const openAttribute = (id: string): string => `${prefix}${id}`;

/** What is spent and reserved in a period. */
export function counterOf(item: Record<string, unknown>): Counter {
  const open = Object.entries(item)
    .filter(([name]) => name.startsWith(prefix))
    .map(([name, value]) => ({ ...openSchema.parse(value), id: name.slice(prefix.length) }));
  return { ...counterSchema.parse(item), open };
}
