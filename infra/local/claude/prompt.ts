import { type Caller, strike } from './call.ts';
import { ApiError, invalid } from './errors.ts';
import type { StoredFile } from './file-store.ts';
import { loseFile } from './files-api.ts';
import { documentMaterial, fileOfSource, imageMaterial, type Material } from './material.ts';
import type { CacheControl, ContentBlock, CountRequest } from './message-schema.ts';
import { type Model, modelOf } from './models.ts';
import type { PromptPiece } from './prompt-cache.ts';
import { checkSchema } from './schema-rules.ts';
import { frameTokens, messageTokens, textTokens } from './tokens.ts';

/** Turns a checked body into what the answer is made from, applying the rules a schema cannot tell. */

/** A document or image of the prompt. */
export interface Subject {
  material: Material;
  /** Place among the document blocks; undefined for images. */
  documentIndex: number | undefined;
  title: string | null;
  file: StoredFile | undefined;
  citations: boolean;
}

export interface Prompt {
  model: Model;
  subjects: Subject[];
  /** Files for the code execution tool, if the request has it; without it they are left aside. */
  uploads: StoredFile[];
  /** Text of the user's messages, the prompt's own words. */
  userTexts: string[];
  pieces: PromptPiece[];
  tokens: number;
  schema: Record<string, unknown> | undefined;
}

const maxBreakpoints = 4;
const toolFrameTokens = 346;

interface State {
  caller: Caller;
  subjects: Subject[];
  uploads: StoredFile[];
  userTexts: string[];
  pieces: PromptPiece[];
  breakpoints: number;
  documents: number;
  images: number;
  pdfPages: number;
  lost: boolean;
}

/** Looks up and checks all that the request refers to. Throws 400 or 404 as the API does. */
export async function readPrompt(caller: Caller, request: CountRequest): Promise<Prompt> {
  const model = modelOf(request.model);
  const state: State = {
    caller,
    subjects: [],
    uploads: [],
    userTexts: [],
    pieces: [{ content: '', tokens: frameTokens }],
    breakpoints: 0,
    documents: 0,
    images: 0,
    pdfPages: 0,
    lost: false,
  };

  checkTools(request);
  for (const tool of request.tools ?? []) {
    const content = JSON.stringify(tool);
    addPiece(state, content, textTokens(content), tool.cache_control);
  }
  if (request.tools?.length) addPiece(state, '', toolFrameTokens, undefined);
  readSystem(state, request);
  await readMessages(state, request);
  if (request.cache_control) markLast(state, request.cache_control);

  checkCitations(state, request);
  checkLimits(state, model);
  const schema = request.output_config?.format?.schema;
  if (schema) {
    checkSchema(schema);
    const content = JSON.stringify(schema);
    addPiece(state, content, textTokens(content), undefined);
  }
  const tokens = state.pieces.reduce((sum, piece) => sum + piece.tokens, 0);
  if (tokens > model.maxInputTokens) {
    throw invalid(`prompt is too long: ${tokens} tokens > ${model.maxInputTokens} maximum`);
  }

  const { subjects, userTexts, pieces } = state;
  const hasContainer = request.tools?.some((tool) => isCodeExecution(tool.type)) ?? false;
  const uploads = hasContainer ? state.uploads : [];
  return { model, subjects, uploads, userTexts, pieces, tokens, schema };
}

export function isCodeExecution(type: string | null | undefined): boolean {
  return type?.startsWith('code_execution_') ?? false;
}

function checkTools({ tools = [], tool_choice: choice }: CountRequest): void {
  const names = new Set<string>();
  for (const { name } of tools) {
    if (names.has(name)) {
      throw invalid(`tools: Tool names must be unique: ${name}`, {
        error_code: 'tool_name_conflict',
      });
    }
    names.add(name);
  }
  if (choice && choice.type !== 'none' && tools.length === 0) {
    throw invalid('tool_choice: may only be given with tools');
  }
  if (choice?.type === 'tool' && !names.has(choice.name)) {
    throw invalid(`tool_choice: Tool '${choice.name}' not found in provided tools`);
  }
}

function addPiece(state: State, content: string, tokens: number, cache: CacheControl): void {
  if (cache) countBreakpoint(state);
  state.pieces.push({ content, tokens, ttl: cache ? (cache.ttl ?? '5m') : undefined });
}

function countBreakpoint(state: State): void {
  if (++state.breakpoints > maxBreakpoints) {
    throw invalid(`A maximum of ${maxBreakpoints} blocks with cache_control may be provided.`);
  }
}

/** A `cache_control` of the whole request stands at its last block. */
function markLast(state: State, cache: NonNullable<CacheControl>): void {
  const last = state.pieces.at(-1);
  if (!last || last.ttl) return;
  countBreakpoint(state);
  last.ttl = cache.ttl ?? '5m';
}

function readSystem(state: State, { system }: CountRequest): void {
  if (system === undefined) return;
  const blocks = typeof system === 'string' ? [{ text: system, cache_control: null }] : system;
  for (const [index, block] of blocks.entries()) {
    if (block.text === '') throw invalid(`system.${index}: text content blocks must be non-empty`);
    addPiece(state, block.text, textTokens(block.text), block.cache_control);
  }
}

async function readMessages(state: State, { messages }: CountRequest): Promise<void> {
  const spoken = messages.filter((message) => message.role !== 'system');
  if (spoken[0]?.role !== 'user') {
    throw invalid('messages: first message must use the "user" role');
  }
  if (messages.at(-1)?.role === 'assistant') {
    throw invalid('messages: This model does not support assistant message prefill.');
  }

  for (const [index, { role, content }] of messages.entries()) {
    const at = `messages.${index}`;
    addPiece(state, role, messageTokens, undefined);
    if (typeof content === 'string') {
      readText(state, content, role === 'user', null, `${at}.content`);
      continue;
    }
    if (content.length === 0) throw invalid(`${at}: ${role} messages must have non-empty content`);
    for (const [place, block] of content.entries()) {
      if (role !== 'user' && givenByUser.has(block.type)) {
        throw invalid(`${at}.content.${place}: ${block.type} blocks belong in user messages`);
      }
      await readBlock(state, block, role === 'user', `${at}.content.${place}`);
    }
  }
}

const givenByUser = new Set(['image', 'document', 'container_upload', 'tool_result']);

function readText(
  state: State,
  text: string,
  byUser: boolean,
  cache: CacheControl,
  at: string,
): void {
  if (text === '') throw invalid(`${at}: text content blocks must be non-empty`);
  if (text.trim() === '')
    throw invalid(`${at}: text content blocks must contain non-whitespace text`);
  if (byUser) state.userTexts.push(text);
  addPiece(state, text, textTokens(text), cache);
}

async function readBlock(
  state: State,
  block: ContentBlock,
  byUser: boolean,
  at: string,
): Promise<void> {
  const { world } = state.caller;
  switch (block.type) {
    case 'text':
      return readText(state, block.text, byUser, block.cache_control, `${at}.text`);
    case 'document': {
      const file = await sourceFile(state, block.source);
      const material = await documentMaterial(world, block, at);
      if (material.kind === 'pdf') state.pdfPages += material.pageCount;
      if (material.kind === 'blocks') state.images += material.images.length;
      state.subjects.push({
        material,
        documentIndex: state.documents++,
        title: block.title ?? null,
        file,
        citations: block.citations?.enabled ?? false,
      });
      const frame = `${block.title ?? ''}${block.context ?? ''}`;
      const tokens = material.tokens + textTokens(frame);
      return addPiece(state, frame + material.sha256, tokens, block.cache_control);
    }
    case 'image': {
      const file = await sourceFile(state, block.source);
      const material = await imageMaterial(world, block, at);
      state.images++;
      const rest = { documentIndex: undefined, title: null, citations: false };
      state.subjects.push({ material, file, ...rest });
      return addPiece(state, material.sha256, material.tokens, block.cache_control);
    }
    case 'container_upload': {
      const file = await sourceFile(state, { type: 'file', file_id: block.file_id });
      if (file) state.uploads.push(file);
      return addPiece(state, block.file_id, messageTokens, block.cache_control);
    }
    case 'tool_result': {
      const { content = '' } = block;
      if (typeof content === 'string') {
        return addPiece(state, content, textTokens(content), block.cache_control);
      }
      for (const [place, inner] of content.entries()) {
        await readBlock(state, inner, false, `${at}.content.${place}`);
      }
      return;
    }
    default: {
      const content = JSON.stringify(block);
      return addPiece(state, content, textTokens(content), undefined);
    }
  }
}

/** The file that a source names; faults that name it get their chance first. Throws 404. */
async function sourceFile(
  state: State,
  source: { type: string; file_id?: string },
): Promise<StoredFile | undefined> {
  if (source.file_id === undefined) return undefined;
  const { caller } = state;
  const { entry, world } = caller;
  entry.fileIds = [...(entry.fileIds ?? []), source.file_id];

  const file = fileOfSource(world, source.file_id);
  await strike(caller, file.filename);
  if (!state.lost && caller.fault) {
    state.lost = true;
    await loseFile(caller, file.id);
  }
  return fileOfSource(world, file.id);
}

function checkCitations({ subjects }: State, request: CountRequest): void {
  const documents = subjects.filter((subject) => subject.documentIndex !== undefined);
  const citing = documents.filter((subject) => subject.citations).length;
  if (citing === 0) return;
  if (citing < documents.length) {
    throw invalid('Citations must be enabled on all or none of the documents in the request.');
  }
  if (request.output_config?.format) {
    throw invalid('output_config.format: cannot be used together with citations');
  }
}

function checkLimits({ pdfPages, images }: State, model: Model): void {
  const limit = model.maxInputTokens >= 1_000_000 ? 600 : 100;
  if (pdfPages > limit) {
    throw invalid(`A maximum of ${limit} PDF pages may be provided. Found ${pdfPages}.`);
  }
  if (images > limit) {
    throw invalid(`A maximum of ${limit} images may be provided. Found ${images}.`);
  }
}

/** Throws 400 when more output is asked for than the model can give. */
export function checkMaxTokens(maxTokens: number, model: Model): void {
  if (maxTokens > model.maxTokens) {
    const message = `max_tokens: ${maxTokens} > ${model.maxTokens}, which is the maximum allowed number of output tokens for ${model.id}`;
    throw new ApiError(400, message);
  }
}
