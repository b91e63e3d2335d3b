import type { Call, Reply } from './call.ts';
import { ApiError, invalid } from './errors.ts';
import { limitOf } from './files-api.ts';

/**
 * The models the emulator knows. Context and output of the 5.5 models and of haiku-4-5 are those of the
 * official documentation; those of opus-4-6 and 4-7 are unverified. Release dates are not known to us
 * and given as the epoch, which the API itself does for unknown dates.
 */

export interface Model {
  id: string;
  displayName: string;
  line: 'haiku' | 'sonnet' | 'opus';
  maxInputTokens: number;
  maxTokens: number;
  /** The id that answers carry, where the name asked for is an alias. */
  aliasOf?: string;
}

const large = { maxInputTokens: 1_000_000, maxTokens: 128_000 };
const small = { maxInputTokens: 200_000, maxTokens: 64_000 };

/** Most recent first, as the API lists them. */
const models: readonly Model[] = [
  { id: 'claude-haiku-5-5', displayName: 'Claude Haiku 5.5', line: 'haiku', ...large },
  { id: 'claude-sonnet-5-5', displayName: 'Claude Sonnet 5.5', line: 'sonnet', ...large },
  { id: 'claude-opus-5-5', displayName: 'Claude Opus 5.5', line: 'opus', ...large },
  { id: 'claude-opus-4-7', displayName: 'Claude Opus 4.7', line: 'opus', ...large },
  { id: 'claude-opus-4-6', displayName: 'Claude Opus 4.6', line: 'opus', ...large },
  { id: 'claude-haiku-4-5-20251001', displayName: 'Claude Haiku 4.5', line: 'haiku', ...small },
];

const aliases: Record<string, string> = { 'claude-haiku-4-5': 'claude-haiku-4-5-20251001' };

/** The model of this id or alias. Throws 404 as the API does for one it does not know. */
export function modelOf(id: string): Model {
  const model = models.find((known) => known.id === (aliases[id] ?? id));
  if (!model) throw new ApiError(404, `model: ${id}`);
  return model;
}

const supported = { supported: true };
const unsupported = { supported: false };

/** What the emulator itself can do, in the shape of the API: a capability shown is one that works. */
const capabilities = {
  batch: supported,
  citations: supported,
  code_execution: unsupported,
  context_management: {
    supported: false,
    clear_thinking_20251015: unsupported,
    clear_tool_uses_20250919: unsupported,
    compact_20260112: unsupported,
  },
  effort: {
    supported: true,
    low: supported,
    medium: supported,
    high: supported,
    xhigh: supported,
    max: supported,
  },
  image_input: supported,
  pdf_input: supported,
  server_tools: { supported: true, code_execution: supported, web_search: unsupported },
  structured_outputs: supported,
  thinking: {
    supported: true,
    types: {
      adaptive: supported,
      between_tools: unsupported,
      disabled: supported,
      enabled: unsupported,
    },
  },
};

function shapeOf(model: Model): object {
  return {
    id: model.id,
    type: 'model',
    display_name: model.displayName,
    created_at: new Date(0).toISOString(),
    lifecycle: 'active',
    deprecated_at: null,
    retires_at: null,
    line: model.line,
    max_input_tokens: model.maxInputTokens,
    max_tokens: model.maxTokens,
    capabilities,
  };
}

export async function getModel(call: Call): Promise<Reply> {
  return { json: shapeOf(modelOf(call.id)) };
}

export async function listModels({ query }: Call): Promise<Reply> {
  return { json: pageOf(models, query, shapeOf, ['lifecycle[]']) };
}

/**
 * One page of `items`, newest first, by `after_id`, `before_id` and `limit`: how the API pages models
 * and batches. Throws 400 on other parameters and on ids it does not know.
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
  const [before, after] = [query.get('before_id'), query.get('after_id')];
  if (before !== null && after !== null) {
    throw invalid('before_id: cannot be combined with after_id');
  }
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
