/**
 * What is known of each model, in one table: the pipeline builds its requests from it, and the stand-in for Claude
 * (infra/local/claude) refuses what the model would refuse. Prices in USD per million tokens can be overridden by
 * `prices` in the configuration.
 *
 * Sources, read on 2026-11-27: https://platform.claude.com/docs/en/models/overview and the page of each model (context,
 * output, prices, default effort), /docs/en/build-with-claude/thinking and /effort (which types and levels a model
 * takes), /docs/en/models/opus-5-5/migration-guide (forced tools, sampling), and the types of the official SDK 1.14.
 * `checked` says when a row was last compared with them.
 */

export const efforts = ['low', 'medium', 'high', 'xhigh', 'max'] as const;
/** How much work a model puts into an answer, thinking included (`output_config.effort`). */
export type Effort = (typeof efforts)[number];

/** Whether an effort is above another. */
export const isAbove = (effort: Effort, other: Effort): boolean =>
  efforts.indexOf(effort) > efforts.indexOf(other);

/** Prices in USD per million tokens. */
export interface ModelPrice {
  /** By the length of the prompt, cached tokens included: the last has no bound. */
  tiers: { upToPromptTokens?: number | undefined; input: number; output: number }[];
  /** Writing to the cache for 5 minutes, as a multiple of the input price. */
  cacheWrite: number;
  /** The same for one hour. */
  cacheWrite1h: number;
  /** Reading from the cache, as a multiple of the input price. */
  cacheRead: number;
  /** Factor on all prices in a Message Batch. */
  batch: number;
}

export interface ModelFacts {
  /** The undated id. */
  id: string;
  displayName: string;
  line: 'haiku' | 'sonnet' | 'opus' | 'fable' | 'mythos';
  /** The id in replies, where it has a date. */
  dated?: string;
  maxInputTokens: number;
  maxOutputTokens: number;
  thinking: {
    /** Whether the model thinks when a request says nothing about it. */
    byDefault: boolean;
    /** The type that keeps it from thinking; left out where it always thinks. */
    off?: 'disabled' | 'between_tools';
    /** The highest effort at which `off` is accepted; any when left out. */
    offUpTo?: Effort;
    /** Every type that a request may name; `enabled` comes with a budget of tokens. */
    types: readonly ('adaptive' | 'disabled' | 'between_tools' | 'enabled')[];
  };
  /** The levels it takes, lowest first; none where it does not know effort. */
  efforts: readonly Effort[];
  defaultEffort?: Effort;
  /** Whether it takes temperature, top_p and top_k. */
  sampling: boolean;
  /** Whether `tool_choice` may force a tool. */
  forcedTools: boolean;
  /** Most pages of PDFs, and most images, in one request. */
  maxPdfPages: number;
  maxImages: number;
  /** Shortest prompt prefix that is cached, in tokens. */
  minCacheTokens: number;
  price: ModelPrice;
  /** When the row was last compared with its source. */
  checked: string;
  source: string;
}

const checked = '2026-11-27';

/** What a row says besides its name. */
type Known = Omit<ModelFacts, 'id' | 'displayName' | 'line' | 'checked' | 'source'>;

const model = (line: ModelFacts['line'], version: string, known: Known): ModelFacts => {
  const name = `${line}-${version.replace('.', '-')}`;
  return {
    id: `claude-${name}`,
    displayName: `Claude ${line[0]?.toUpperCase()}${line.slice(1)} ${version}`,
    line,
    ...known,
    checked,
    source: `https://platform.claude.com/docs/en/models/${name}/overview`,
  };
};

const large = {
  maxInputTokens: 1_000_000,
  maxOutputTokens: 128_000,
  maxPdfPages: 600,
  maxImages: 600,
};
const small = {
  maxInputTokens: 200_000,
  maxOutputTokens: 64_000,
  maxPdfPages: 100,
  maxImages: 100,
};

const usd = (input: number, output: number, cacheRead = 0.1): { price: ModelPrice } => ({
  price: {
    tiers: [{ input, output }],
    cacheWrite: 1.25,
    cacheWrite1h: 2,
    cacheRead,
    batch: 0.5,
  },
});

const always = { thinking: { byDefault: true, types: ['adaptive'] } } as const;
const unlessOff = {
  thinking: {
    byDefault: true,
    off: 'disabled',
    offUpTo: 'high',
    types: ['adaptive', 'disabled'],
  },
} as const;
const whenAsked = {
  thinking: { byDefault: false, off: 'disabled', types: ['adaptive', 'disabled'] },
} as const;
const eitherWay = {
  thinking: { byDefault: false, off: 'disabled', types: ['adaptive', 'enabled', 'disabled'] },
} as const;
const budgeted = {
  thinking: { byDefault: false, off: 'disabled', types: ['enabled', 'disabled'] },
} as const;

/** From 4.7 on: every level of effort, no sampling. */
const modern = { efforts, sampling: false, forcedTools: true, minCacheTokens: 1_024 } as const;
/** Up to 4.6: sampling is taken. */
const older = { sampling: true, forcedTools: true, minCacheTokens: 1_024 } as const;
const high = { defaultEffort: 'high' } as const;
const medium = { defaultEffort: 'medium' } as const;
const noForcedTools = { forcedTools: false } as const;

/** The Haiku of the 5.5 line costs five times as much above a prompt of 100,000 tokens. */
const haikuPrice = {
  price: {
    ...usd(0.1, 0.5).price,
    tiers: [
      { upToPromptTokens: 100_000, input: 0.1, output: 0.5 },
      { input: 0.5, output: 2.5 },
    ],
  },
};
const between: { thinking: ModelFacts['thinking'] } = {
  thinking: { byDefault: true, off: 'between_tools', types: ['adaptive', 'between_tools'] },
};
const noXhigh = { efforts: ['low', 'medium', 'high', 'max'] } as const;
const upToHigh = { efforts: ['low', 'medium', 'high'] } as const;
const noEffort = { efforts: [] } as const;

/** Most recent first, as the API lists them. */
export const models: readonly ModelFacts[] = [
  model('fable', '5.2', {
    ...large,
    ...modern,
    ...always,
    ...high,
    ...noForcedTools,
    ...usd(8, 40),
  }),
  model('haiku', '5.5', {
    ...large,
    ...modern,
    ...unlessOff,
    ...medium,
    ...haikuPrice,
    minCacheTokens: 512,
  }),
  model('sonnet', '5.5', {
    ...large,
    ...modern,
    ...between,
    ...high,
    ...noForcedTools,
    ...usd(2, 10, 0.05),
  }),
  model('opus', '5.5', {
    ...large,
    ...modern,
    ...always,
    ...medium,
    ...noForcedTools,
    ...usd(4, 20, 0.05),
  }),
  model('fable', '5.1', {
    ...large,
    ...modern,
    ...always,
    ...high,
    ...noForcedTools,
    ...usd(10, 50),
  }),
  model('opus', '5', { ...large, ...modern, ...unlessOff, ...high, ...usd(5, 25) }),
  model('sonnet', '5', { ...large, ...modern, ...unlessOff, ...high, ...usd(2, 10) }),
  model('fable', '5', { ...large, ...modern, ...always, ...high, ...usd(10, 50) }),
  model('mythos', '5', { ...large, ...modern, ...always, ...high, ...usd(10, 50) }),
  model('opus', '4.8', { ...large, ...modern, ...whenAsked, ...high, ...usd(5, 25) }),
  model('opus', '4.7', { ...large, ...modern, ...whenAsked, ...high, ...usd(5, 25) }),
  model('opus', '4.6', { ...large, ...older, ...noXhigh, ...eitherWay, ...high, ...usd(5, 25) }),
  model('sonnet', '4.6', { ...large, ...older, ...noXhigh, ...eitherWay, ...high, ...usd(3, 15) }),
  model('haiku', '4.5', {
    ...small,
    ...older,
    ...noEffort,
    ...budgeted,
    ...usd(1, 5),
    minCacheTokens: 4_096,
    dated: 'claude-haiku-4-5-20251001',
  }),
  model('opus', '4.5', {
    ...small,
    ...older,
    ...upToHigh,
    ...budgeted,
    ...high,
    ...usd(5, 25),
    dated: 'claude-opus-4-5-20251101',
  }),
  model('sonnet', '4.5', {
    ...small,
    ...older,
    ...noEffort,
    ...budgeted,
    ...usd(3, 15),
    dated: 'claude-sonnet-4-5-20250929',
  }),
];

/** What is known of a model, by its id with or without a date; `undefined` for one that is not in the table. */
export function factsOf(name: string): ModelFacts | undefined {
  const undated = name.replace(/-\d{8}$/, '');
  return models.find(({ id }) => id === undated);
}
