import { answerText, fillingOf, type TextBlock } from './answer.ts';
import { execute } from './code-execution.ts';
import { extractOf } from './extract.ts';
import type { Fault } from './faults.ts';
import { asksForEvidence, fillWithEvidence } from './fill-evidence.ts';
import { fillSchema } from './fill-schema.ts';
import type { JournalUsage } from './journal.ts';
import type { MessageRequest } from './message-schema.ts';
import type { Prompt } from './prompt.ts';
import { questionAnswer } from './question-answer.ts';
import type { Schema } from './schema-rules.ts';
import type { EmulatorState } from './state.ts';
import { thinkingTokensOf } from './thinking.ts';
import { cutToTokens, textTokens } from './tokens.ts';

/** Builds the answer to a prompt: the API's `Message`, with its billed usage. */

export interface Message {
  id: string;
  type: 'message';
  role: 'assistant';
  model: string;
  content: object[];
  stop_reason: string;
  stop_sequence: string | null;
  stop_details: object | null;
  container: object | null;
  diagnostics: null;
  usage: {
    input_tokens: number;
    output_tokens: number;
    cache_creation_input_tokens: number;
    cache_read_input_tokens: number;
    cache_creation: { ephemeral_5m_input_tokens: number; ephemeral_1h_input_tokens: number };
    inference_geo: null;
    output_tokens_details: { thinking_tokens: number };
    server_tool_use: null;
    service_tier: 'standard' | 'batch';
    speed: null;
  };
}

interface Content {
  /** Tokens the model spent on thinking before its first word. */
  thinkingTokens: number;
  blocks: object[];
  stopReason: string;
  stopSequence: string | null;
  stopDetails: object | null;
  container: object | null;
}

/** Answers `prompt`; `fault` of kind `refusal` or `max_tokens` shapes the outcome. */
export async function makeMessage(
  state: EmulatorState,
  request: MessageRequest,
  prompt: Prompt,
  fault: Fault | undefined,
  tier: 'standard' | 'batch' = 'standard',
): Promise<Message> {
  const content = await contentOf(state, request, prompt, fault);
  const { id, fullId, minCacheTokens } = prompt.model;
  const cache = state.cache.use(id, minCacheTokens, prompt.pieces);
  const created = cache.created['5m'] + cache.created['1h'];
  const written = content.blocks.reduce((sum: number, block) => sum + blockTokens(block), 0);
  const outputTokens = written + content.thinkingTokens;

  return {
    id: state.newId('msg'),
    type: 'message',
    role: 'assistant',
    model: fullId,
    content: content.thinkingTokens > 0 ? [thinkingBlock(), ...content.blocks] : content.blocks,
    stop_reason: content.stopReason,
    stop_sequence: content.stopSequence,
    stop_details: content.stopDetails,
    container: content.container,
    diagnostics: null,
    usage: {
      input_tokens: prompt.tokens - cache.read - created,
      output_tokens: Math.max(1, outputTokens),
      cache_creation_input_tokens: created,
      cache_read_input_tokens: cache.read,
      cache_creation: {
        ephemeral_5m_input_tokens: cache.created['5m'],
        ephemeral_1h_input_tokens: cache.created['1h'],
      },
      inference_geo: null,
      output_tokens_details: { thinking_tokens: content.thinkingTokens },
      server_tool_use: null,
      service_tier: tier,
      speed: null,
    },
  };
}

export function journalUsage({ usage }: Message): JournalUsage {
  return {
    inputTokens: usage.input_tokens,
    outputTokens: usage.output_tokens,
    cacheReadTokens: usage.cache_read_input_tokens,
    cacheCreationTokens: usage.cache_creation_input_tokens,
  };
}

/** According to the documentation, cited text is not billed as output; text and tool calls are. */
function blockTokens(block: object): number {
  if ('text' in block && typeof block.text === 'string') return textTokens(block.text);
  if ('type' in block && String(block.type).endsWith('_tool_result')) return 0;
  return textTokens(JSON.stringify(block));
}

async function contentOf(
  state: EmulatorState,
  request: MessageRequest,
  prompt: Prompt,
  fault: Fault | undefined,
): Promise<Content> {
  const wanted = thinkingTokensOf(request, prompt);
  const thinkingTokens = Math.min(wanted, request.max_tokens);
  const plain = { thinkingTokens, stopSequence: null, stopDetails: null, container: null };
  if (fault?.kind === 'refusal') {
    const { category = null } = fault;
    const explanation = category && `The emulator was told to refuse: ${category}.`;
    const stopDetails = { type: 'refusal', category, explanation };
    return { ...plain, thinkingTokens: 0, blocks: [], stopReason: 'refusal', stopDetails };
  }

  const forced = forcedTool(request);
  if (forced) {
    const input = fillSchema(forced.input_schema, fillingOf(prompt, []));
    const caller = { type: 'direct' };
    const use = { type: 'tool_use', id: state.newId('toolu'), caller, name: forced.name, input };
    return { ...plain, blocks: [use], stopReason: 'tool_use' };
  }

  const execution = await execute(state, prompt, request, fault);
  if (execution?.paused) {
    const { blocks, container } = execution;
    const said = { type: 'text', text: 'The data are read; the charts are next.', citations: null };
    return { ...plain, blocks: [said, ...blocks], container, stopReason: 'pause_turn' };
  }
  const facts = execution?.facts ?? [];
  const texts: TextBlock[] = prompt.schema
    ? [structured(prompt.schema, prompt, facts, fault)]
    : (questionAnswer(prompt) ?? answerText(prompt, facts));
  const total = texts.reduce((sum, block) => sum + textTokens(block.text), 0);
  const room = request.max_tokens - thinkingTokens;
  const limit = fault?.kind === 'max_tokens' ? Math.min(room, Math.ceil(total / 2)) : room;
  const cut = cutShort(texts, limit, request.stop_sequences ?? []);

  return {
    thinkingTokens,
    blocks: [...(execution?.blocks ?? []), ...cut.blocks],
    // The fault reports max_tokens even if the answer was short enough.
    stopReason:
      fault?.kind === 'max_tokens' || wanted > thinkingTokens ? 'max_tokens' : cut.stopReason,
    stopSequence: cut.stopSequence,
    stopDetails: null,
    container: execution?.container ?? null,
  };
}

/** What the models show of their thinking by default: nothing but a signature. */
const thinkingBlock = () => ({
  type: 'thinking',
  thinking: '',
  signature: 'made-by-the-dropline-emulator',
});

/** Values for the schema; `fault` of kind `invalid_output` or `ungrounded_quote` spoils them. */
function structured(
  schema: Schema,
  prompt: Prompt,
  facts: readonly string[],
  fault: Fault | undefined,
): TextBlock {
  const filling = fillingOf(prompt, facts);
  const extracts = prompt.subjects.map(({ material }) => extractOf(material));
  const isEvidence = asksForEvidence(schema);
  const value = isEvidence
    ? fillWithEvidence(schema, filling, extracts)
    : fillSchema(schema, filling);
  if (isEvidence && fault?.kind === 'ungrounded_quote') {
    const [first] = (value as ReturnType<typeof fillWithEvidence>).evidence;
    if (first) first.quote = `Nobody wrote this: ${first.quote}`;
  }
  const spoiled = fault?.kind === 'invalid_output' ? { unexpected: value } : value;
  return { type: 'text', text: JSON.stringify(spoiled), citations: null };
}

/** The custom tool that the request forces. With `auto`, the emulator calls none. */
function forcedTool({ tools = [], tool_choice: choice }: MessageRequest) {
  const custom = tools.filter((tool) => 'input_schema' in tool);
  if (choice?.type === 'any') return custom[0];
  if (choice?.type === 'tool') return custom.find(({ name }) => name === choice.name);
  return undefined;
}

/** Ends the text at the first stop sequence or the token limit, whichever comes first. */
function cutShort(
  blocks: readonly TextBlock[],
  maxTokens: number,
  stops: readonly string[],
): { blocks: TextBlock[]; stopReason: string; stopSequence: string | null } {
  const whole = blocks.map((block) => block.text).join('');
  const hits = stops
    .map((stop) => ({ stop, at: whole.indexOf(stop) }))
    .filter(({ at }) => at >= 0)
    .sort((a, b) => a.at - b.at);
  const hit = hits[0];
  const upToStop = hit ? whole.slice(0, hit.at) : whole;
  const upToLimit = cutToTokens(whole, maxTokens);

  if (upToLimit.length < upToStop.length) {
    return {
      blocks: keepFirst(blocks, upToLimit.length),
      stopReason: 'max_tokens',
      stopSequence: null,
    };
  }
  const kept = keepFirst(blocks, upToStop.length);
  return hit
    ? { blocks: kept, stopReason: 'stop_sequence', stopSequence: hit.stop }
    : { blocks: kept, stopReason: 'end_turn', stopSequence: null };
}

function keepFirst(blocks: readonly TextBlock[], length: number): TextBlock[] {
  const kept: TextBlock[] = [];
  let left = length;
  for (const block of blocks) {
    if (left <= 0) break;
    kept.push({ ...block, text: block.text.slice(0, left) });
    left -= block.text.length;
  }
  return kept;
}
