import { z } from 'zod';
import { accountFaultKinds, accountFaultOperations } from './account-kinds.ts';

/**
 * Faults on demand: what to do (`kind`), to which calls (`method`, `path`, `operation`, `filename`),
 * and to which of those (`skip`, `nth`, `probability`, `count`). By default a fault strikes once, or,
 * with a probability, any number of times.
 */

const kinds = [
  /** Answers `status` without doing the work; `retryAfter` sets or omits the header. */
  'error',
  /** The 429 of a used-up spend cap: with a code, without `retry-after`. */
  'spend_cap',
  /** The storage quota is used up (uploads only). */
  'storage_full',
  /** Closes the connection before doing anything. */
  'cut_before',
  /** Closes the connection after reading `afterBytes` of the request's body. */
  'cut_upload',
  /** Does the work, then closes the connection instead of answering. */
  'lost_reply',
  /** Does the work, sends half of the reply's body, then closes the connection. */
  'cut_body',
  /** Does the work, sends half of the reply's body as if it were complete. */
  'malformed',
  /** Does the work, spreads sending the reply's body over `delayMs`. */
  'slow_body',
  /** Reads the request's body, pausing `delayMs` after every chunk. */
  'slow_upload',
  /** Waits `delayMs` before doing the work. */
  'delay',
  /** Does nothing and never answers. */
  'hang',
  /** Messages: `stop_reason: "refusal"`, with `category` in its details. */
  'refusal',
  /** Messages: cuts the answer in half, with `stop_reason: "max_tokens"`. */
  'max_tokens',
  /** Messages with a schema: an answer that does not follow it. */
  'invalid_output',
  /** Messages with a schema that asks for evidence: the first quote does not stand in the document. */
  'ungrounded_quote',
  /** Messages that run code: pauses the turn after the first files, with `stop_reason: "pause_turn"`. */
  'pause_turn',
  /** Messages that run code: the files made have the name `message`. */
  'made_name',
  /** Makes the file that the call is about expire before the call is processed. */
  'expire_file',
  /** Removes the file that the call is about before the call is processed. */
  'vanish_file',
  ...accountFaultKinds,
] as const;

type FaultKind = (typeof kinds)[number];

const count = z.number().int().min(1);

export const faultSchema = z.strictObject({
  kind: z.enum(kinds),
  /** HTTP method; any by default. */
  method: z.string().optional(),
  /** Path without query; `*` matches any characters. */
  path: z.string().optional(),
  /** Such as `files.upload`, `files.*` or `messages.create`; `*` matches any characters. */
  operation: z.string().optional(),
  /** Name of the uploaded or referenced file; `*` matches any characters. */
  filename: z.string().optional(),
  /** Number of matching calls to let pass first. */
  skip: z.number().int().min(0).optional(),
  /** Strikes only the nth matching call, counted from 1 after `skip`. */
  nth: count.optional(),
  /** Chance of striking a matching call, 0 to 1. */
  probability: z.number().min(0).max(1).optional(),
  /** Seeds this fault's chances, so that they are repeatable whatever else happens. */
  seed: z.number().int().optional(),
  /** How often it strikes at most; default 1, or `all` with a probability. */
  count: z.union([count, z.literal('all')]).optional(),
  status: z.number().int().min(400).max(599).optional(),
  /** Why Claude refuses (`refusal`); no category by default. */
  category: z
    .enum(['cyber', 'bio', 'frontier_llm', 'reasoning_extraction', 'general_harms'])
    .optional(),
  errorType: z.string().optional(),
  errorCode: z.string().optional(),
  message: z.string().optional(),
  /** Seconds or an HTTP date for `retry-after`; default 1 for a 429; null omits the header. */
  retryAfter: z.union([z.number().min(0), z.string(), z.null()]).optional(),
  /** Additional headers of the reply, such as `x-should-retry`. */
  headers: z.record(z.string(), z.string()).optional(),
  delayMs: z.number().min(0).optional(),
  afterBytes: z.number().int().min(0).optional(),
});

export type Fault = { [K in keyof z.input<typeof faultSchema>]: z.input<typeof faultSchema>[K] };

interface FaultSubject {
  method: string;
  path: string;
  operation: string;
}

export interface FaultState {
  fault: Fault;
  /** Number of calls that matched. */
  seen: number;
  /** How often it struck. */
  struck: number;
}

const byId = ['files.get', 'files.delete', 'files.content'];
const answering = ['messages.create', 'batch.request'];

/** The operations that a kind applies to; other calls do not match and are not counted. */
const operationsOf: Partial<Record<FaultKind, readonly string[]>> = {
  storage_full: ['files.upload'],
  refusal: answering,
  max_tokens: answering,
  invalid_output: answering,
  ungrounded_quote: answering,
  pause_turn: answering,
  made_name: answering,
  expire_file: [...byId, ...answering],
  vanish_file: [...byId, ...answering],
  ...accountFaultOperations,
};

/** Holds the faults and picks the one that strikes a call, if any. */
export class FaultBook {
  readonly #random: () => number;
  #held: { state: FaultState; chance: () => number }[] = [];

  constructor(random: () => number) {
    this.#random = random;
  }

  /** Throws `ZodError` or `RangeError` on an invalid fault. */
  add(input: Fault): void {
    const fault = faultSchema.parse(input);
    if (fault.kind === 'error' && fault.status === undefined) {
      throw new RangeError('a fault of kind "error" needs a status');
    }
    const chance = fault.seed === undefined ? this.#random : seeded(fault.seed);
    this.#held.push({ state: { fault: input, seen: 0, struck: 0 }, chance });
  }

  clear(): void {
    this.#held = [];
  }

  list(): FaultState[] {
    return this.#held.map(({ state }) => ({ ...state }));
  }

  /**
   * The first fault that strikes. Called on arrival of a call without a name, for faults that have no
   * `filename`, and again with each file name of the call, for faults that have one.
   */
  pick(subject: FaultSubject, filename?: string): Fault | undefined {
    for (const { state, chance } of this.#held) {
      const { fault } = state;
      if ((fault.filename === undefined) !== (filename === undefined)) continue;
      if (!matches(fault, subject, filename)) continue;
      const limit = fault.count ?? (fault.probability === undefined ? 1 : 'all');
      if (limit !== 'all' && state.struck >= limit) continue;

      state.seen++;
      const turn = state.seen - (fault.skip ?? 0);
      if (turn < 1) continue;
      if (fault.nth !== undefined && turn !== fault.nth) continue;
      if (fault.probability !== undefined && chance() >= fault.probability) continue;
      state.struck++;
      return fault;
    }
    return undefined;
  }
}

function matches(fault: Fault, subject: FaultSubject, filename: string | undefined): boolean {
  const operations = operationsOf[fault.kind];
  return (
    (operations === undefined || operations.includes(subject.operation)) &&
    (fault.method === undefined || fault.method.toUpperCase() === subject.method) &&
    (fault.path === undefined || glob(fault.path, subject.path)) &&
    (fault.operation === undefined || glob(fault.operation, subject.operation)) &&
    (fault.filename === undefined || glob(fault.filename, filename ?? ''))
  );
}

function glob(pattern: string, value: string): boolean {
  if (!pattern.includes('*')) return pattern === value;
  const source = pattern.split('*').map((part) => part.replace(/[.+?^${}()|[\]\\]/g, '\\$&'));
  return new RegExp(`^${source.join('.*')}$`, 's').test(value);
}

/** mulberry32: a small generator with the same numbers on every machine. */
function seeded(seed: number): () => number {
  let state = seed | 0;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296;
  };
}
