import type { CallContext } from './call.ts';
import { ApiError, invalid } from './errors.ts';
import type { StoredFile } from './file-store.ts';
import type { CountRequest } from './message-schema.ts';
import { checkModelRules } from './model-rules.ts';
import { type Model, modelOf } from './models.ts';
import { readMessages, readSystem } from './prompt-blocks.ts';
import type { PromptPiece } from './prompt-cache.ts';
import { addPiece, emptyDraft, markLast, type PromptDraft, type Subject } from './prompt-draft.ts';
import { checkSchema } from './schema-rules.ts';
import { textTokens } from './tokens.ts';

/** Turns a checked body into what the answer is made from, applying the rules a schema cannot express. */

export interface Prompt {
  model: Model;
  subjects: Subject[];
  /** Files for the code execution tool, if the request has it; otherwise they are ignored. */
  uploads: StoredFile[];
  /** The text blocks of the user's messages. */
  userTexts: string[];
  pieces: PromptPiece[];
  tokens: number;
  schema: Record<string, unknown> | undefined;
}

const toolFrameTokens = 346;

/** Looks up and checks everything the request refers to. Throws 400 or 404 as the API does. */
export async function readPrompt(context: CallContext, request: CountRequest): Promise<Prompt> {
  const model = modelOf(request.model);
  const draft = emptyDraft(context);

  checkTools(request);
  checkModelRules(request, model);
  for (const tool of request.tools ?? []) {
    const content = JSON.stringify(tool);
    addPiece(draft, content, textTokens(content), tool.cache_control);
  }
  if (request.tools?.length) addPiece(draft, '', toolFrameTokens, undefined);
  readSystem(draft, request);
  await readMessages(draft, request);
  if (request.cache_control) markLast(draft, request.cache_control);

  checkCitations(draft, request);
  checkLimits(draft, model);
  const schema = request.output_config?.format?.schema;
  if (schema) {
    checkSchema(schema);
    const content = JSON.stringify(schema);
    addPiece(draft, content, textTokens(content), undefined);
  }
  const tokens = draft.pieces.reduce((sum, piece) => sum + piece.tokens, 0);
  if (tokens > model.maxInputTokens) {
    throw invalid(`prompt is too long: ${tokens} tokens > ${model.maxInputTokens} maximum`);
  }

  const { subjects, userTexts, pieces } = draft;
  const hasContainer = request.tools?.some((tool) => isCodeExecution(tool.type)) ?? false;
  const uploads = hasContainer ? draft.uploads : [];
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

function checkCitations({ subjects }: PromptDraft, request: CountRequest): void {
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

function checkLimits({ pdfPages, images }: PromptDraft, model: Model): void {
  const { maxPdfPages, maxImages } = model;
  if (pdfPages > maxPdfPages) {
    throw invalid(`A maximum of ${maxPdfPages} PDF pages may be provided. Found ${pdfPages}.`);
  }
  if (images > maxImages) {
    throw invalid(`A maximum of ${maxImages} images may be provided. Found ${images}.`);
  }
}

/** Throws 400 when more output is asked for than the model can give. */
export function checkMaxTokens(maxTokens: number, model: Model): void {
  if (maxTokens > model.maxOutputTokens) {
    const message = `max_tokens: ${maxTokens} > ${model.maxOutputTokens}, which is the maximum allowed number of output tokens for ${model.fullId}`;
    throw new ApiError(400, message);
  }
}
