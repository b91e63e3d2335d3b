import { costUsd, type PriceTable } from '../claude/prices.ts';
import type { DocumentRecord } from '../journey/record.ts';
import type { NamedDocument } from './errors.ts';
import { documentsOf } from './request.ts';
import type { Source } from './sources.ts';

/** Where a quote stands: characters from 0 in the text that went to Claude, or pages from 1; the end is exclusive. */
export type Place = NonNullable<DocumentRecord['summary']>['citations'][number]['location'];

/** A passage of a document that supports the answer. */
export interface QuestionCitation extends NamedDocument {
  /** As in the footnotes, from 1. */
  number: number;
  /** Verbatim from the document. */
  quote: string;
  place: Place;
  /** Other documents with the same content; empty as a rule. */
  alsoIn: readonly NamedDocument[];
}

/** A piece of the answer and the numbers of the citations that support it. */
export interface AnswerPiece {
  text: string;
  citations: readonly number[];
}

/** What was billed, in tokens. */
export interface QuestionUsage {
  inputTokens: number;
  /** Thinking included. */
  outputTokens: number;
  thinkingTokens?: number;
  cacheReadTokens: number;
  cacheWriteTokens: number;
}

/** Claude's answer to a question. */
export interface QuestionAnswer {
  /** `cut`: it ends early, at the limit of output tokens or of the context; `refused`: Claude declined. */
  outcome: 'answered' | 'cut' | 'refused';
  text: string;
  /** The text again, in pieces with their citations. */
  pieces: readonly AnswerPiece[];
  citations: readonly QuestionCitation[];
  /** Citations in the reply that point to no document of the question; 0 unless the API does what it should not. */
  citationsLost: number;
  stopReason: string;
  /** Why Claude refused, where it says. */
  category?: string;
  /** As the reply names it. */
  model: string;
  usage: QuestionUsage;
  /** What was billed, in USD; `undefined` when the model's price is not known. */
  costUsd: number | undefined;
}

interface ReplyCitation {
  type: string;
  cited_text?: string | null;
  document_index?: number | null;
  file_id?: string | null;
}

interface ReplyBlock {
  type: string;
  text?: unknown;
  citations?: unknown;
}

/** What is read of a reply; the official SDK's `Message` fits. */
export interface QuestionReply {
  model: string;
  content: readonly ReplyBlock[];
  stop_reason: string | null;
  stop_details?: { category?: string | null } | null | undefined;
  usage: {
    input_tokens: number;
    output_tokens: number;
    cache_creation_input_tokens?: number | null | undefined;
    cache_read_input_tokens?: number | null | undefined;
    cache_creation?: { ephemeral_1h_input_tokens: number } | null | undefined;
    output_tokens_details?: { thinking_tokens?: number | null } | null | undefined;
  };
}

/** Reads a reply: its text in pieces, and its citations, each led back to its document and numbered. */
export function readAnswer(
  reply: QuestionReply,
  sources: readonly Source[],
  prices: PriceTable,
): QuestionAnswer {
  const footnotes = new Footnotes(sources);
  const pieces = reply.content.filter(isText).map(({ text, citations }) => ({
    text,
    citations: footnotes.numbersOf(citations ?? []),
  }));
  const stopReason = reply.stop_reason ?? 'unknown';
  const category = reply.stop_details?.category;
  return {
    outcome: outcomes[stopReason] ?? 'cut',
    text: pieces.map(({ text }) => text).join(''),
    pieces,
    citations: footnotes.citations,
    citationsLost: footnotes.lost,
    stopReason,
    ...(category ? { category } : {}),
    model: reply.model,
    usage: usageOf(reply),
    costUsd: costUsd(reply.usage, reply.model, { table: prices }),
  };
}

const outcomes: Record<string, QuestionAnswer['outcome']> = {
  end_turn: 'answered',
  stop_sequence: 'answered',
  refusal: 'refused',
};

interface CitedText {
  type: 'text';
  text: string;
  citations?: readonly ReplyCitation[] | null;
}

const isText = (block: ReplyBlock): block is CitedText =>
  block.type === 'text' && typeof block.text === 'string';

function usageOf({ usage }: QuestionReply): QuestionUsage {
  const thinking = usage.output_tokens_details?.thinking_tokens;
  return {
    inputTokens: usage.input_tokens,
    outputTokens: usage.output_tokens,
    ...(typeof thinking === 'number' ? { thinkingTokens: thinking } : {}),
    cacheReadTokens: usage.cache_read_input_tokens ?? 0,
    cacheWriteTokens: usage.cache_creation_input_tokens ?? 0,
  };
}

/** Numbers the citations of an answer; one that is repeated keeps its number. */
class Footnotes {
  readonly citations: QuestionCitation[] = [];
  /** Those that point nowhere. */
  lost = 0;
  readonly #sources: readonly Source[];
  readonly #documents: readonly Source[];
  readonly #numbers = new Map<string, number>();

  constructor(sources: readonly Source[]) {
    this.#sources = sources;
    this.#documents = documentsOf(sources);
  }

  numbersOf(given: readonly ReplyCitation[]): number[] {
    return [...new Set(given.flatMap((citation) => this.#numberOf(citation) ?? []))];
  }

  #numberOf(given: ReplyCitation): number | undefined {
    const source = this.#sourceOf(given);
    const place = placeOf(given);
    if (!source || !place) {
      this.lost += 1;
      return undefined;
    }
    const quote = given.cited_text ?? '';
    const same = JSON.stringify([source.fileId, place, quote]);
    const known = this.#numbers.get(same);
    if (known !== undefined) return known;
    const number = this.citations.length + 1;
    this.#numbers.set(same, number);
    const [{ documentId, key }, ...alsoIn] = source.documents;
    this.citations.push({ number, documentId, key, quote, place, alsoIn });
    return number;
  }

  /** By the file's id, which the API repeats; else by the place among the documents. */
  #sourceOf({ file_id: id, document_index: index }: ReplyCitation): Source | undefined {
    if (typeof id === 'string') return this.#sources.find(({ fileId }) => fileId === id);
    return typeof index === 'number' ? this.#documents[index] : undefined;
  }
}

/** The fields of each kind of place, and what Dropline calls it. */
const places = [
  ['char_location', 'char', 'start_char_index', 'end_char_index'],
  ['page_location', 'page', 'start_page_number', 'end_page_number'],
  ['content_block_location', 'block', 'start_block_index', 'end_block_index'],
] as const;

function placeOf(given: ReplyCitation): Place | undefined {
  const found = places.find(([kind]) => kind === given.type);
  if (!found) return undefined;
  const [, type, from, to] = found;
  const { [from]: start, [to]: end } = given as unknown as Record<string, unknown>;
  return typeof start === 'number' && typeof end === 'number' ? { type, start, end } : undefined;
}
