import { z } from 'zod';
import { efforts } from '../../../shared/claude/models.ts';

/**
 * The bodies of Messages and count_tokens as typed by the official SDK 1.12, but closed: fields that the
 * API does not have are rejected. Blocks echoed from earlier turns are accepted unchecked.
 */

const cacheControl = z
  .strictObject({ type: z.literal('ephemeral'), ttl: z.enum(['5m', '1h']).optional() })
  .nullish();

const fileSource = z.strictObject({ type: z.literal('file'), file_id: z.string().min(1) });
const urlSource = z.strictObject({ type: z.literal('url'), url: z.string() });

const textBlock = z.strictObject({
  type: z.literal('text'),
  text: z.string(),
  cache_control: cacheControl,
  citations: z.array(z.looseObject({ type: z.string() })).nullish(),
});

const imageBlock = z.strictObject({
  type: z.literal('image'),
  source: z.discriminatedUnion('type', [
    z.strictObject({
      type: z.literal('base64'),
      media_type: z.enum(['image/jpeg', 'image/png', 'image/gif', 'image/webp']),
      data: z.string(),
    }),
    urlSource,
    fileSource,
  ]),
  cache_control: cacheControl,
  transformations: z
    .strictObject({ oversized_image: z.enum(['downsize', 'error']).optional() })
    .nullish(),
});

const documentBlock = z.strictObject({
  type: z.literal('document'),
  source: z.discriminatedUnion('type', [
    z.strictObject({
      type: z.literal('base64'),
      media_type: z.literal('application/pdf'),
      data: z.string(),
    }),
    z.strictObject({
      type: z.literal('text'),
      media_type: z.literal('text/plain'),
      data: z.string(),
    }),
    z.strictObject({
      type: z.literal('content'),
      content: z.union([
        z.string(),
        z.array(z.discriminatedUnion('type', [textBlock, imageBlock])).min(1),
      ]),
    }),
    urlSource,
    fileSource,
  ]),
  title: z.string().min(1).max(500).nullish(),
  context: z.string().min(1).nullish(),
  citations: z.strictObject({ enabled: z.boolean().optional() }).nullish(),
  cache_control: cacheControl,
});

const containerUpload = z.strictObject({
  type: z.literal('container_upload'),
  file_id: z.string().min(1),
  cache_control: cacheControl,
});

const toolResult = z.strictObject({
  type: z.literal('tool_result'),
  tool_use_id: z.string(),
  content: z
    .union([
      z.string(),
      z.array(z.discriminatedUnion('type', [textBlock, imageBlock, documentBlock])),
    ])
    .optional(),
  is_error: z.boolean().optional(),
  cache_control: cacheControl,
});

/** Blocks of the assistant's earlier turns, sent back unchanged. */
const echoed = [
  'thinking',
  'redacted_thinking',
  'tool_use',
  'server_tool_use',
  'code_execution_tool_result',
  'bash_code_execution_tool_result',
  'text_editor_code_execution_tool_result',
  'search_result',
] as const;
const echoedBlock = z.looseObject({ type: z.enum(echoed) });

const contentBlock = z.discriminatedUnion('type', [
  textBlock,
  imageBlock,
  documentBlock,
  containerUpload,
  toolResult,
  echoedBlock,
]);

const toolName = z.string().regex(/^[a-zA-Z0-9_-]{1,128}$/);

const customTool = z.strictObject({
  type: z.literal('custom').nullish(),
  name: toolName,
  description: z.string().optional(),
  input_schema: z.looseObject({ type: z.literal('object') }),
  allowed_callers: z.array(z.string()).optional(),
  cache_control: cacheControl,
  defer_loading: z.boolean().optional(),
  eager_input_streaming: z.boolean().nullish(),
  input_examples: z.array(z.record(z.string(), z.unknown())).optional(),
  strict: z.boolean().optional(),
});

const codeExecution = z.strictObject({
  type: z.enum([
    'code_execution_20250522',
    'code_execution_20250825',
    'code_execution_20260120',
    'code_execution_20260521',
  ]),
  name: z.literal('code_execution'),
  allowed_callers: z.array(z.string()).optional(),
  cache_control: cacheControl,
  defer_loading: z.boolean().optional(),
  strict: z.boolean().optional(),
});

const shared = {
  model: z.string().min(1),
  messages: z
    .array(
      z.strictObject({
        role: z.enum(['user', 'assistant', 'system']),
        content: z.union([z.string(), z.array(contentBlock)]),
      }),
    )
    .min(1),
  system: z.union([z.string(), z.array(textBlock)]).optional(),
  tools: z.array(z.union([customTool, codeExecution])).optional(),
  tool_choice: z
    .discriminatedUnion('type', [
      z.strictObject({
        type: z.enum(['auto', 'any']),
        disable_parallel_tool_use: z.boolean().optional(),
      }),
      z.strictObject({
        type: z.literal('tool'),
        name: toolName,
        disable_parallel_tool_use: z.boolean().optional(),
      }),
      z.strictObject({ type: z.literal('none') }),
    ])
    .optional(),
  // Which of them a model takes: model-rules.ts.
  thinking: z
    .discriminatedUnion('type', [
      z.strictObject({
        type: z.literal('adaptive'),
        display: z.enum(['summarized', 'omitted']).nullish(),
      }),
      z.strictObject({ type: z.literal('disabled') }),
      z.strictObject({ type: z.literal('between_tools') }),
      z.strictObject({
        type: z.literal('enabled'),
        budget_tokens: z.number().int().min(1_024),
        display: z.enum(['summarized', 'omitted']).nullish(),
      }),
    ])
    .optional(),
  output_config: z
    .strictObject({
      effort: z.enum(efforts).nullish(),
      format: z
        .strictObject({
          type: z.literal('json_schema'),
          schema: z.record(z.string(), z.unknown()),
        })
        .nullish(),
    })
    .optional(),
  cache_control: cacheControl,
  speed: z.enum(['standard', 'fast']).nullish(),
  user_profile_id: z.string().optional(),
};

export const sampling = {
  temperature: z.number().min(0).max(1).optional(),
  top_p: z.number().min(0).max(1).optional(),
  top_k: z.number().int().min(0).optional(),
};

export const messageSchema = z.strictObject({
  ...shared,
  ...sampling,
  max_tokens: z.number().int().min(1),
  container: z
    .union([
      z.string(),
      z.strictObject({
        id: z.string().nullish(),
        skills: z
          .array(
            z.strictObject({
              type: z.enum(['anthropic', 'custom']),
              skill_id: z.string().min(1).max(64),
              version: z.string().min(1).max(64).nullish(),
            }),
          )
          .max(8)
          .nullish(),
      }),
    ])
    .nullish(),
  diagnostics: z.looseObject({}).nullish(),
  inference_geo: z.string().nullish(),
  metadata: z.strictObject({ user_id: z.string().max(256).nullish() }).optional(),
  service_tier: z.enum(['auto', 'standard_only']).optional(),
  stop_sequences: z.array(z.string().regex(/\S/, 'must contain non-whitespace')).optional(),
  stream: z.boolean().optional(),
});

export const countSchema = z.strictObject(shared);

export type MessageRequest = z.infer<typeof messageSchema>;
export type CountRequest = z.infer<typeof countSchema>;
export type ContentBlock = z.infer<typeof contentBlock>;
export type DocumentBlock = z.infer<typeof documentBlock>;
export type ImageBlock = z.infer<typeof imageBlock>;
export type CacheControl = z.infer<typeof cacheControl>;
