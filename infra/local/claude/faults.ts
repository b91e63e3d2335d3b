import { z } from 'zod';

/**
 * Faults on demand: what to do (`kind`), to which calls (`method`, `path`, `operation`, `filename`),
 * and to which of those (`skip`, `nth`, `probability`, `count`). A fault strikes once unless told
 * otherwise; one with a probability strikes as often as chance has it.
 */

const kinds = [
  /** Answers `status` instead of working; `retryAfter` gives or leaves out the header. */
  'error',
  /** 429 as a used-up spend cap gives it: a code, no `retry-after`. */
  'spend_cap',
  /** The storage quota is used up (uploads only). */
  'storage_full',
  /** Closes the connection before anything was done. */
  'cut_before',
  /** Closes the connection after `afterBytes` of the request's body were read. */
  'cut_upload',
  /** Does the work, then closes the connection instead of answering. */
  'lost_reply',
  /** Does the work, answers half of the body, then closes the connection. */
  'cut_body',
  /** Does the work, answers with half of the body as if it were all. */
  'malformed',
  /** Does the work, spreads the answer's body over `delayMs`. */
  'slow_body',
  /** Reads the request's body with a pause of `delayMs` after every piece. */
  'slow_upload',
  /** Waits `delayMs` before it does the work. */
  'delay',
  /** Never answers, does nothing. */
  'hang',
  /** Messages: `stop_reason: "refusal"`. */
  'refusal',
  /** Messages: cut off at `stop_reason: "max_tokens"`, half way through. */
  'max_tokens',
  /** Lets the file that the call is about expire before the call is worked off. */
  'expire_file',
  /** Takes the file that the call is about away for good before the call is worked off. */
  'vanish_file',
] as const;

type FaultKind = (typeof kinds)[number];

const count = z.number().int().min(1);

export const faultSchema = z.strictObject({
  kind: z.enum(kinds),
  /** HTTP method; any when left out. */
  method: z.string().optional(),
  /** Path without query; `*` stands for any characters. */
  path: z.string().optional(),
  /** Such as `files.upload`, `files.*` or `messages.create`; `*` stands for any characters. */
  operation: z.string().optional(),
  /** Name of the file uploaded or referred to; `*` stands for any characters. */
  filename: z.string().optional(),
  /** Lets so many matching calls pass first. */
  skip: z.number().int().min(0).optional(),
  /** Strikes only the nth matching call, counted from 1 after `skip`. */
  nth: count.optional(),
  /** Chance of striking a matching call, 0 to 1. */
  probability: z.number().min(0).max(1).optional(),
  /** Makes this fault's chances repeatable, whatever else happens. */
  seed: z.number().int().optional(),
  /** How often it strikes at most; once by default, with a probability any number of times. */
  count: z.union([count, z.literal('all')]).optional(),
  status: z.number().int().min(400).max(599).optional(),
  errorType: z.string().optional(),
  errorCode: z.string().optional(),
  message: z.string().optional(),
  /** Seconds or an HTTP date for `retry-after`; 429 gives 1 unless this is null. */
  retryAfter: z.union([z.number().min(0), z.string(), z.null()]).optional(),
  /** Further headers of the answer, such as `x-should-retry`. */
  headers: z.record(z.string(), z.string()).optional(),
  delayMs: z.number().min(0).optional(),
  afterBytes: z.number().int().min(0).optional(),
});

export type Fault = { [K in keyof z.input<typeof faultSchema>]: z.input<typeof faultSchema>[K] };

export interface FaultSubject {
  method: string;
  path: string;
  operation: string;
}

export interface FaultState {
  fault: Fault;
  /** Calls that matched so far. */
  seen: number;
  /** How often it struck. */
  struck: number;
}

const byId = ['files.get', 'files.delete', 'files.content'];
const answering = ['messages.create', 'batch.request'];

/** The operations a kind makes sense for; others pass it by without being counted. */
const operationsOf: Partial<Record<FaultKind, readonly string[]>> = {
  storage_full: ['files.upload'],
  refusal: answering,
  max_tokens: answering,
  expire_file: [...byId, ...answering],
  vanish_file: [...byId, ...answering],
};

/** Holds the faults and picks the one, if any, that strikes a call. */
export class FaultBook {
  readonly #random: () => number;
  #held: { state: FaultState; chance: () => number }[] = [];

  constructor(random: () => number) {
    this.#random = random;
  }

  /** Throws `ZodError` on a fault that makes no sense. */
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
   * The first fault that strikes. Called at a call's arrival without a name, when faults with a
   * `filename` are left aside, and once more for every file name that turns up, for those alone.
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

/** mulberry32: small, and the same numbers on every machine. */
function seeded(seed: number): () => number {
  let state = seed | 0;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296;
  };
}
