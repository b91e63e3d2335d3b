import { type Effort, factsOf } from '../claude/models.ts';
import { costUsd, defaultPrices, type PriceTable } from '../claude/prices.ts';
import type { DocumentRecord } from '../journey/record.ts';
import { namingDocuments } from './at-fault.ts';
import { CannotAsk, type NamedDocument } from './errors.ts';
import { imagesOf, type QuestionRequest, questionRequest } from './request.ts';
import { type LeftOut, type Source, sourcesOf } from './sources.ts';

/** Most files in one question: a limit of Dropline, to be asked before the tokens of very many are counted. */
export const mostDocuments = 500;

/** Output tokens that an answer may have, thinking included, unless a question says otherwise. */
const usualMaxTokens = 4_096;

/** The free call that a plan makes. `ClaudeClient` fits; with the official SDK see `planQuestion`. */
export interface TokenCounter {
  countTokens(request: Omit<QuestionRequest, 'max_tokens'>): Promise<number>;
}

/** What a question will cost. Tokens of the input are the API's estimate, so the sums are estimates too. */
export interface Estimate {
  inputTokens: number;
  /** Most tokens that the answer may have, thinking included. */
  maxOutputTokens: number;
  /** Price of the input alone; `undefined` when the model's price is not known. */
  inputUsd: number | undefined;
  /** Price of the input and the longest answer; `undefined` when the model's price is not known. */
  mostUsd: number | undefined;
}

/** A question that can be asked, with its cost. Made by `planQuestion`. */
export interface QuestionPlan {
  question: string;
  /** The whole request, for those who want to look at it. */
  request: QuestionRequest;
  /** The files in it, documents and images. */
  sources: readonly Source[];
  /** Documents that are not part of the question, and why. */
  leftOut: readonly LeftOut[];
  estimate: Estimate;
  prices: PriceTable;
}

export interface QuestionOptions {
  /** Records of the documents to ask about, such as `DroplineReader` returns. */
  documents: readonly DocumentRecord[];
  question: string;
  model: string;
  claude: TokenCounter;
  /** The present, in milliseconds since the epoch: an expired file is left out. */
  now: number;
  /** Most output tokens, thinking included; 4,096 when left out, and never above what the model can. */
  maxTokens?: number | undefined;
  /** How much the model works; the lowest effort that it takes when left out. */
  effort?: Effort | undefined;
  /** Prices by model, in USD per million tokens; those of this version when left out. */
  prices?: PriceTable | undefined;
}

/**
 * Prepares a question about several documents: checks it against the limits of the model, and counts its tokens, which is
 * free. Nothing is asked, billed or stored. Documents without a file that Claude can read are left out, and named.
 *
 * Throws `CannotAsk` with the numbers when there is nothing to ask about, or more than the model takes, or when a file is
 * gone at Claude or refused; and whatever `countTokens` throws.
 * @example
 * import { DroplineReader, planQuestion } from 'dropline-aws';
 * // With the official SDK: countTokens: async (request) => (await sdk.messages.countTokens(request)).input_tokens
 * const claude = { countTokens: async () => 20_000 };
 * const reader = new DroplineReader({ table: 'dropline-ledger' });
 * const record = await reader.get('dropline-inbox', 'services-agreement.docx');
 * const plan = await planQuestion({
 *   documents: record ? [record] : [], question: 'When does it end?', model: 'claude-haiku-5-5', claude, now: Date.now(),
 * });
 * console.log(plan.sources.length, plan.estimate.inputUsd); // prints 1 0.002
 */
export async function planQuestion(options: QuestionOptions): Promise<QuestionPlan> {
  const { model, claude, prices = defaultPrices } = options;
  const question = options.question.trim();
  if (question === '') throw new CannotAsk('empty_question', 'The question is empty.', 'Ask one.');
  const { sources, leftOut } = sourcesOf(options.documents, options.now);
  if (sources.length === 0) throw nothingToAsk(leftOut);
  checkCounts(sources, model);

  const facts = factsOf(model);
  const maxTokens = Math.min(
    options.maxTokens ?? usualMaxTokens,
    facts?.maxOutputTokens ?? Number.POSITIVE_INFINITY,
  );
  const effort = options.effort ?? facts?.efforts[0];
  const request = questionRequest(sources, question, { model, maxTokens, effort });
  const { max_tokens: _, ...counted } = request;
  const inputTokens = await namingDocuments(sources, request, () =>
    claude.countTokens(counted),
  ).catch((error: unknown) => {
    throw isTooLong(error) ? tooLong(sources, model, undefined, error) : error;
  });
  if (facts && inputTokens > facts.maxInputTokens) throw tooLong(sources, model, inputTokens);

  const cost = (output_tokens: number) =>
    costUsd({ input_tokens: inputTokens, output_tokens }, model, { table: prices });
  const estimate = {
    inputTokens,
    maxOutputTokens: maxTokens,
    inputUsd: cost(0),
    mostUsd: cost(maxTokens),
  };
  return { question, request, sources, leftOut, estimate, prices };
}

function nothingToAsk(leftOut: readonly LeftOut[]): CannotAsk {
  const [first, ...more] = leftOut;
  const why = first && `${JSON.stringify(first.key)} cannot be asked about: ${first.message}`;
  const others = more.length === 0 ? '' : `; nor can the ${count(more.length, 'other document')}`;
  const message = why === undefined ? 'There are no documents to ask about.' : `${why}${others}.`;
  const advice = 'Choose documents that are ready; docs/errors.md explains the codes of others.';
  return new CannotAsk('no_documents', message, advice, { documents: leftOut });
}

/** Checks what is known before a call: the number of files, of pages and of images. */
function checkCounts(sources: readonly Source[], model: string): void {
  if (sources.length > mostDocuments) {
    throw new CannotAsk(
      'too_many_documents',
      `There are ${number(sources.length)} files; one question takes ${number(mostDocuments)}.`,
      fewer,
    );
  }
  const facts = factsOf(model);
  if (!facts) return;
  const images = imagesOf(sources).length;
  if (images > facts.maxImages) {
    throw new CannotAsk(
      'too_many_images',
      `There are ${number(images)} images; ${model} takes ${number(facts.maxImages)} in one request.`,
      fewer,
    );
  }
  const pdfs = sources.filter(({ isPdf }) => isPdf);
  const pages = pdfs.reduce((sum, { pages = 1 }) => sum + pages, 0);
  if (pages <= facts.maxPdfPages) return;
  const about = pdfs.some((pdf) => pdf.pages === undefined) ? 'at least ' : '';
  throw new CannotAsk(
    'too_many_pages',
    `The ${count(pdfs.length, 'PDF')} ${pdfs.length === 1 ? 'has' : 'have'} ${about}${number(pages)} pages; ${model} takes ${number(facts.maxPdfPages)} in one request.`,
    fewer,
    { documents: longest(pdfs) },
  );
}

/** The three PDFs with the most pages. */
const longest = (pdfs: readonly Source[]): NamedDocument[] =>
  [...pdfs]
    .sort((a, b) => (b.pages ?? 1) - (a.pages ?? 1))
    .slice(0, 3)
    .map(({ documents }) => documents[0]);

const fewer = 'Ask about fewer documents, or in several questions.';

function tooLong(
  sources: readonly Source[],
  model: string,
  tokens: number | undefined,
  cause?: unknown,
): CannotAsk {
  const most = factsOf(model)?.maxInputTokens;
  const files = count(sources.length, 'file');
  const said = cause instanceof Error ? ` (${cause.message})` : '';
  const message =
    tokens === undefined
      ? `The question with its ${files} is longer than ${model} takes${said}.`
      : `The question with its ${files} has ${number(tokens)} tokens; ${model} takes ${number(most ?? 0)}.`;
  const advice =
    most !== undefined && most < 1_000_000
      ? `${fewer} Or name a model that takes more with the model option.`
      : fewer;
  return new CannotAsk('too_long', message, advice, { cause });
}

/** By status and words, because the error may be the official SDK's as well as ours. */
function isTooLong(error: unknown): boolean {
  if (!(error instanceof Error)) return false;
  const { status } = error as Error & { status?: unknown };
  return status === 413 || (status === 400 && /prompt is too long/i.test(error.message));
}

const number = (value: number): string => value.toLocaleString('en-US');

const count = (value: number, what: string): string =>
  `${number(value)} ${what}${value === 1 ? '' : 's'}`;
