import { z } from 'zod';

/** What a reply was billed, as it is recorded. */
export const billedSchema = z.object({
  model: z.string(),
  inputTokens: z.int(),
  outputTokens: z.int(),
  /** Those of the output tokens that were thinking; absent when the API does not say. */
  thinkingTokens: z.int().optional(),
  cacheReadTokens: z.int(),
  /** Absent when the price table does not have the model. */
  costUsd: z.number().optional(),
  /** Of a sum: how many of its replies have an unknown cost. */
  unpricedCalls: z.int().optional(),
  /** RFC 3339. */
  at: z.string(),
});
export type Billed = z.infer<typeof billedSchema>;

/** What is kept of a reply after which the question is asked once more. */
export const cutSchema = z.object({
  billed: billedSchema,
  /** The number of the call that gave the reply. */
  call: z.int(),
  /** What was wrong with the reply, where it was whole but not what the schema asks for. */
  invalid: z.string().optional(),
});

/** A reply with which Claude paused its turn, which the next call continues. */
export const turnSchema = z.object({
  billed: billedSchema,
  /** The number of the call that gave the reply. */
  call: z.int(),
  /** Whether the call began anew, because the container of the turn before had expired. */
  fresh: z.boolean().optional(),
});
export type Turn = z.infer<typeof turnSchema>;

/** @param invalid what was wrong with the reply, where it was not cut off */
export const cutOf = (
  billed: Billed,
  call: number,
  invalid: string | undefined,
): z.infer<typeof cutSchema> => ({
  billed,
  call,
  ...(invalid === undefined ? {} : { invalid }),
});

/** How many replies of a bill have an unknown cost. */
const unpricedIn = ({ costUsd, unpricedCalls }: Billed): number =>
  unpricedCalls ?? (costUsd === undefined ? 1 : 0);

/** What two replies were billed together. An unknown cost adds nothing, and is counted. */
function sumOf(billed: Billed, earlier: Billed | undefined): Billed {
  if (!earlier) return billed;
  const thought = [billed.thinkingTokens, earlier.thinkingTokens].filter(
    (tokens) => tokens !== undefined,
  );
  const known = [billed.costUsd, earlier.costUsd].filter((cost) => cost !== undefined);
  return {
    ...billed,
    inputTokens: billed.inputTokens + earlier.inputTokens,
    outputTokens: billed.outputTokens + earlier.outputTokens,
    cacheReadTokens: billed.cacheReadTokens + earlier.cacheReadTokens,
    ...(thought.length > 0
      ? { thinkingTokens: thought.reduce((sum, tokens) => sum + tokens, 0) }
      : {}),
    unpricedCalls: unpricedIn(billed) + unpricedIn(earlier),
    ...(known.length > 0 ? { costUsd: known.reduce((sum, cost) => sum + cost, 0) } : {}),
  };
}

/** How many replies to a question have an unknown cost. */
export const unpricedOf = (answer: Parameters<typeof paidFor>[0]): number =>
  unpricedIn(paidFor(answer));

/** What all replies to a question were billed: the one that stands, one that was cut off, and refused ones before. */
export const paidFor = ({
  billed,
  earlier,
  cut,
  turns,
}: {
  billed: Billed;
  earlier?: Billed | undefined;
} & Pick<Parts, 'cut' | 'turns'>): Billed =>
  sumOf(sumOf(billed, billedSoFar({ cut, turns })), earlier);

interface Parts {
  cut?: { billed: Billed } | undefined;
  turns?: readonly { billed: Billed }[] | undefined;
}

/** What the replies were billed together that did not end a question. */
export function billedSoFar({ cut, turns = [] }: Parts): Billed | undefined {
  const bills = [...(cut ? [cut] : []), ...turns].map(({ billed }) => billed);
  const [first, ...others] = bills;
  return first && others.reduce(sumOf, first);
}
