import { efforts } from '../../../shared/claude/models.ts';
import type { ApiCall, Reply } from './call.ts';
import { type Model, modelOf, models } from './models.ts';
import { pageOf } from './paging.ts';

/**
 * `/v1/models`: list and read. We do not know the release dates; the epoch is what the API itself gives
 * for unknown dates.
 */

const supported = { supported: true };
const unsupported = { supported: false };

/** A model's capabilities, as far as the emulator has them, in the API's form: every capability shown works. */
function capabilitiesOf({ efforts: levels, thinking }: Model): object {
  const hasEffort = levels.length > 0;
  return {
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
      supported: hasEffort,
      ...Object.fromEntries(efforts.map((level) => [level, { supported: levels.includes(level) }])),
    },
    image_input: supported,
    pdf_input: supported,
    server_tools: { supported: true, code_execution: supported, web_search: unsupported },
    structured_outputs: supported,
    thinking: {
      supported: true,
      types: Object.fromEntries(
        thinkingTypes.map((type) => [type, { supported: thinking.types.includes(type) }]),
      ),
    },
  };
}

const thinkingTypes = ['adaptive', 'between_tools', 'disabled', 'enabled'] as const;

function shapeOf(model: Model): object {
  return {
    id: model.fullId,
    type: 'model',
    display_name: model.displayName,
    created_at: new Date(0).toISOString(),
    lifecycle: 'active',
    deprecated_at: null,
    retires_at: null,
    line: model.line,
    max_input_tokens: model.maxInputTokens,
    max_tokens: model.maxOutputTokens,
    capabilities: capabilitiesOf(model),
  };
}

export async function getModel(call: ApiCall): Promise<Reply> {
  return { json: shapeOf(modelOf(call.id)) };
}

export async function listModels({ query }: ApiCall): Promise<Reply> {
  return { json: pageOf(models, query, shapeOf, ['lifecycle[]']) };
}
