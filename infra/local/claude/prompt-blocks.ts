import { invalid } from './errors.ts';
import type { StoredFile } from './file-store.ts';
import { documentMaterial, fileOfSource, imageMaterial } from './material.ts';
import type { CacheControl, ContentBlock, CountRequest } from './message-schema.ts';
import { addPiece, type PromptDraft } from './prompt-draft.ts';
import { loseFile, strike } from './strike.ts';
import { messageTokens, textTokens } from './tokens.ts';

/** Reads the system prompt and the messages of a request, block by block, into a draft. */

export function readSystem(draft: PromptDraft, { system }: CountRequest): void {
  if (system === undefined) return;
  const blocks = typeof system === 'string' ? [{ text: system, cache_control: null }] : system;
  for (const [index, block] of blocks.entries()) {
    if (block.text === '') throw invalid(`system.${index}: text content blocks must be non-empty`);
    addPiece(draft, block.text, textTokens(block.text), block.cache_control);
  }
}

/** Whether the last message is a turn that ran code and was paused: then the answer continues it. */
export function isPausedTurn({ messages }: Pick<CountRequest, 'messages'>): boolean {
  const last = messages.at(-1);
  if (last?.role !== 'assistant' || typeof last.content === 'string') return false;
  return last.content.some(({ type }) => type === 'server_tool_use');
}

export async function readMessages(draft: PromptDraft, { messages }: CountRequest): Promise<void> {
  const spoken = messages.filter((message) => message.role !== 'system');
  if (spoken[0]?.role !== 'user') {
    throw invalid('messages: first message must use the "user" role');
  }
  if (messages.at(-1)?.role === 'assistant' && !isPausedTurn({ messages })) {
    throw invalid('messages: This model does not support assistant message prefill.');
  }

  for (const [index, { role, content }] of messages.entries()) {
    const at = `messages.${index}`;
    addPiece(draft, role, messageTokens, undefined);
    if (typeof content === 'string') {
      readText(draft, content, role === 'user', null, `${at}.content`);
      continue;
    }
    if (content.length === 0) throw invalid(`${at}: ${role} messages must have non-empty content`);
    for (const [place, block] of content.entries()) {
      if (role !== 'user' && givenByUser.has(block.type)) {
        throw invalid(`${at}.content.${place}: ${block.type} blocks belong in user messages`);
      }
      await readBlock(draft, block, role === 'user', `${at}.content.${place}`);
    }
  }
}

const givenByUser = new Set(['image', 'document', 'container_upload', 'tool_result']);

function readText(
  draft: PromptDraft,
  text: string,
  byUser: boolean,
  cache: CacheControl,
  at: string,
): void {
  if (text === '') throw invalid(`${at}: text content blocks must be non-empty`);
  if (text.trim() === '')
    throw invalid(`${at}: text content blocks must contain non-whitespace text`);
  if (byUser) draft.userTexts.push(text);
  addPiece(draft, text, textTokens(text), cache);
}

async function readBlock(
  draft: PromptDraft,
  block: ContentBlock,
  byUser: boolean,
  at: string,
): Promise<void> {
  const { state } = draft.context;
  switch (block.type) {
    case 'text':
      return readText(draft, block.text, byUser, block.cache_control, `${at}.text`);
    case 'document': {
      const file = await sourceFile(draft, block.source);
      const material = await documentMaterial(state, block, at);
      if (material.kind === 'pdf') draft.pdfPages += material.pageCount;
      if (material.kind === 'blocks') draft.images += material.images.length;
      draft.subjects.push({
        material,
        documentIndex: draft.documents++,
        title: block.title ?? null,
        file,
        citations: block.citations?.enabled ?? false,
      });
      const frame = `${block.title ?? ''}${block.context ?? ''}`;
      const tokens = material.tokens + textTokens(frame);
      return addPiece(draft, frame + material.sha256, tokens, block.cache_control);
    }
    case 'image': {
      const file = await sourceFile(draft, block.source);
      const material = await imageMaterial(state, block, at);
      draft.images++;
      const rest = { documentIndex: undefined, title: null, citations: false };
      draft.subjects.push({ material, file, ...rest });
      return addPiece(draft, material.sha256, material.tokens, block.cache_control);
    }
    case 'container_upload': {
      const file = await sourceFile(draft, { type: 'file', file_id: block.file_id });
      if (file) draft.uploads.push(file);
      return addPiece(draft, block.file_id, messageTokens, block.cache_control);
    }
    case 'tool_result': {
      const { content = '' } = block;
      if (typeof content === 'string') {
        return addPiece(draft, content, textTokens(content), block.cache_control);
      }
      for (const [place, inner] of content.entries()) {
        await readBlock(draft, inner, false, `${at}.content.${place}`);
      }
      return;
    }
    default: {
      const content = JSON.stringify(block);
      return addPiece(draft, content, textTokens(content), undefined);
    }
  }
}

/** The file that a source names, once the faults for its name have been applied. Throws 404. */
async function sourceFile(
  draft: PromptDraft,
  source: { type: string; file_id?: string },
): Promise<StoredFile | undefined> {
  if (source.file_id === undefined) return undefined;
  const { context } = draft;
  const { entry, state } = context;
  entry.fileIds = [...(entry.fileIds ?? []), source.file_id];

  const file = fileOfSource(state, source.file_id);
  await strike(context, file.filename);
  if (!draft.lost && context.fault) {
    draft.lost = true;
    await loseFile(context, file.id);
  }
  return fileOfSource(state, file.id);
}
