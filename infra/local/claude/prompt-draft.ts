import type { CallContext } from './call.ts';
import { invalid } from './errors.ts';
import type { StoredFile } from './file-store.ts';
import type { Material } from './material.ts';
import type { CacheControl } from './message-schema.ts';
import type { PromptPiece } from './prompt-cache.ts';
import { frameTokens } from './tokens.ts';

/** A document or image of the prompt. */
export interface Subject {
  material: Material;
  /** Place among the document blocks; undefined for images. */
  documentIndex: number | undefined;
  title: string | null;
  file: StoredFile | undefined;
  citations: boolean;
}

/** A prompt while its request is being read. */
export interface PromptDraft {
  context: CallContext;
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

const maxBreakpoints = 4;

export function emptyDraft(context: CallContext): PromptDraft {
  return {
    context,
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
}

export function addPiece(
  draft: PromptDraft,
  content: string,
  tokens: number,
  cache: CacheControl,
): void {
  if (cache) countBreakpoint(draft);
  draft.pieces.push({ content, tokens, ttl: cache ? (cache.ttl ?? '5m') : undefined });
}

function countBreakpoint(draft: PromptDraft): void {
  if (++draft.breakpoints > maxBreakpoints) {
    throw invalid(`A maximum of ${maxBreakpoints} blocks with cache_control may be provided.`);
  }
}

/** A `cache_control` of the whole request applies to its last block. */
export function markLast(draft: PromptDraft, cache: NonNullable<CacheControl>): void {
  const last = draft.pieces.at(-1);
  if (!last || last.ttl) return;
  countBreakpoint(draft);
  last.ttl = cache.ttl ?? '5m';
}
