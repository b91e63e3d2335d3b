import { z } from 'zod';
import { models } from './models.ts';

/**
 * Prices of messages, in USD per million tokens. Prices change and sources disagree in places, so the table is data
 * that a user can override; the defaults, with date and source, are in the table of models.
 */

const usd = z.number().nonnegative();

const tierSchema = z.object({
  /** Largest prompt in this tier, in tokens including cached ones; the last tier has no limit. */
  upToPromptTokens: z.int().positive().optional(),
  /** USD per million input tokens. */
  input: usd,
  /** USD per million output tokens. */
  output: usd,
});

const modelPriceSchema = z
  .object({
    tiers: z.array(tierSchema).min(1),
    /** Price of writing to the cache for 5 minutes, as a multiple of the input price. */
    cacheWrite: usd.default(1.25),
    /** The same for one hour. */
    cacheWrite1h: usd.default(2),
    /** Price of reading from the cache, as a multiple of the input price. */
    cacheRead: usd.default(0.1),
    /** Factor on all prices in a Message Batch. */
    batch: usd.default(0.5),
  })
  .refine(({ tiers }) => inOrder(tiers), {
    message: 'tiers must be in ascending order of upToPromptTokens, and only the last must omit it',
  });

/** Prices by model id. */
export const priceTableSchema = z.record(z.string(), modelPriceSchema);
export type PriceTable = z.output<typeof priceTableSchema>;

/** The prices current when this version was released, from the table of models. */
export const defaultPrices: PriceTable = Object.fromEntries(
  models.map(({ id, price }) => [id, price]),
);

/** The default prices, overridden model by model. Throws `ZodError`. */
export function priceTableWith(overrides: z.input<typeof priceTableSchema>): PriceTable {
  return { ...defaultPrices, ...priceTableSchema.parse(overrides) };
}

/** The part of a message's `usage` that is billed by tokens; the SDK's `Usage` fits. */
export interface BilledUsage {
  input_tokens: number;
  output_tokens: number;
  cache_creation_input_tokens?: number | null | undefined;
  cache_read_input_tokens?: number | null | undefined;
  /** How the tokens written to the cache split by lifetime; 5 minutes when absent. */
  cache_creation?: { ephemeral_1h_input_tokens: number } | null | undefined;
  service_tier?: string | null | undefined;
}

/**
 * The cost of a message's tokens in USD. Server tools (code execution, web search) and surcharges
 * for priority, speed or region are extra and not in the table.
 * @param model id as in the reply; a trailing date is ignored when the table has no dated entry
 * @param batch whether it ran in a Message Batch, which `service_tier: "batch"` also says
 * @returns undefined when the table does not have the model: the cost is unknown, not zero
 * @example costUsd({ input_tokens: 2_000, output_tokens: 300 }, 'claude-haiku-5-5') // 0.00035
 */
export function costUsd(
  usage: BilledUsage,
  model: string,
  { batch = false, table = defaultPrices }: { batch?: boolean; table?: PriceTable } = {},
): number | undefined {
  const price = priceOf(model, table);
  if (price === undefined) return undefined;
  const written = usage.cache_creation_input_tokens ?? 0;
  const written1h = Math.min(usage.cache_creation?.ephemeral_1h_input_tokens ?? 0, written);
  const read = usage.cache_read_input_tokens ?? 0;
  const prompt = usage.input_tokens + written + read;
  const tier = price.tiers.find(({ upToPromptTokens = Infinity }) => prompt <= upToPromptTokens);
  if (tier === undefined) return undefined;
  const input =
    usage.input_tokens +
    (written - written1h) * price.cacheWrite +
    written1h * price.cacheWrite1h +
    read * price.cacheRead;
  const factor = batch || usage.service_tier === 'batch' ? price.batch : 1;
  return ((input * tier.input + usage.output_tokens * tier.output) * factor) / 1_000_000;
}

/**
 * The most in USD that a call can cost whose prompt has at most `promptTokens` and whose answer at most `maxTokens`.
 * @param caches whether the prompt is written to the cache, which costs more than reading it
 * @returns undefined when the table does not have the model
 */
export function mostUsd(
  { model, promptTokens, maxTokens, caches = false }: MostOfACall,
  table: PriceTable = defaultPrices,
): number | undefined {
  // A shorter prompt may be in a dearer tier, if somebody's prices are so.
  const bounds = (priceOf(model, table)?.tiers ?? []).flatMap(
    ({ upToPromptTokens: bound }) => bound ?? [],
  );
  const lengths = [promptTokens, ...bounds.filter((bound) => bound < promptTokens)];
  const costs = lengths.map((tokens) => {
    const usage = { input_tokens: tokens, output_tokens: maxTokens };
    const plain = costUsd(usage, model, { table });
    const written = caches
      ? costUsd(
          {
            input_tokens: 0,
            output_tokens: maxTokens,
            cache_creation_input_tokens: tokens,
            cache_creation: { ephemeral_1h_input_tokens: tokens },
          },
          model,
          { table },
        )
      : plain;
    return plain === undefined || written === undefined ? undefined : Math.max(plain, written);
  });
  const known = costs.filter((cost) => cost !== undefined);
  return known.length === costs.length ? Math.max(...known) : undefined;
}

/** What bounds the cost of a call. */
export interface MostOfACall {
  model: string;
  promptTokens: number;
  maxTokens: number;
  caches?: boolean;
}

function priceOf(model: string, table: PriceTable): PriceTable[string] | undefined {
  const name = Object.hasOwn(table, model) ? model : model.replace(/-\d{8}$/, '');
  return Object.hasOwn(table, name) ? table[name] : undefined;
}

function inOrder(tiers: z.output<typeof tierSchema>[]): boolean {
  return tiers.every(({ upToPromptTokens: bound = Infinity }, index) => {
    const before = index === 0 ? 0 : (tiers[index - 1]?.upToPromptTokens ?? Infinity);
    return bound > before && (bound === Infinity) === (index === tiers.length - 1);
  });
}
