import { factsOf } from '../claude/models.ts';
import { mostUsd, type PriceTable } from '../claude/prices.ts';
import { RejectDocument } from '../journey/errors.ts';
import type { Profile } from '../journey/profiles.ts';
import { nanoUsd, shownUsd } from '../ledger/reserved.ts';
import { roomFor } from '../summary/prompt.ts';

/**
 * Whether a document can be asked about at all, by what is known before its upload: pages, bytes, and tokens where they
 * were counted. Pure: what is counted, and when, is the business of the upload step.
 */

/** What is known of a document before its upload. */
export interface Length {
  mimeType: string;
  sizeBytes: number;
  /** Pages of a PDF, where the conversion counted them. */
  pages?: number | undefined;
}

/** A longer text is not sent to be counted but estimated, in bytes. It is in memory while it is counted. */
const mostCountedBytes = 8_000_000;

/** A larger PDF is not sent to be counted before its upload, in bytes; its size says nothing of its tokens. */
const mostCountedPdfBytes = 16_000_000;

/** A document that has fewer tokens is quickly uploaded, and is counted by its file where its profile pays so little. */
const longFromTokens = 50_000;

/** Few PDFs have more tokens a page, its picture included. */
const mostPageTokens = 3_000;

/** No ordinary text has tokens that are longer on average, in bytes: English has about 4, tables fewer. */
const longestTokenBytes = 8;

/** Few texts have tokens that are shorter on average, in bytes. One that has is found when Claude is asked, after the upload. */
const shortestTokenBytes = 2;

/** The most in USD that the answer about one document may cost where its profile does not say. */
export const usualMostUsd = 1;

/** Why a document is too long for the model of its profile, by its pages or bytes alone; `undefined` where that shows nothing. */
export function tooLongBySize(length: Length, profile: Profile): RejectDocument | undefined {
  const facts = factsOf(profile.model);
  if (!facts) return undefined;
  const { mimeType, sizeBytes, pages } = length;
  if (mimeType === 'application/pdf' && pages !== undefined && pages > facts.maxPdfPages) {
    return tooLong(
      `The PDF has ${shown(pages)} pages`,
      `${shown(facts.maxPdfPages)} pages`,
      profile,
    );
  }
  if (mimeType !== 'text/plain' || sizeBytes <= mostCountedBytes) return undefined;
  const tokens = Math.floor(sizeBytes / longestTokenBytes);
  if (tokens <= facts.maxInputTokens) return undefined;
  const found = `The text has ${shown(sizeBytes)} bytes, an estimated ${shown(tokens)} tokens or more`;
  return tooLong(found, tokensOf(facts.maxInputTokens), profile);
}

/** Whether a document may be too long, or too expensive, so that its tokens are worth counting before its upload. */
export function isWorthCounting(
  { mimeType, sizeBytes, pages = 0 }: Length,
  profile: Profile,
  prices: PriceTable,
): boolean {
  const mayHave = (tokens: number) =>
    tokens >= longFromTokens && tooLongByTokens(tokens, profile, prices) !== undefined;
  if (mimeType === 'application/pdf') {
    return sizeBytes <= mostCountedPdfBytes && mayHave(pages * mostPageTokens);
  }
  if (mimeType !== 'text/plain' || sizeBytes > mostCountedBytes) return false;
  return mayHave(Math.ceil(sizeBytes / shortestTokenBytes));
}

/** Why a document with so many tokens cannot be asked about by its profile; `undefined` when it can. */
export function tooLongByTokens(
  promptTokens: number,
  profile: Profile,
  prices: PriceTable,
): RejectDocument | undefined {
  const { model, maxUsdPerDocument = usualMostUsd } = profile;
  const most = factsOf(model)?.maxInputTokens ?? Number.POSITIVE_INFINITY;
  if (promptTokens > most) {
    return tooLong(`The prompt has ${shown(promptTokens)} tokens`, tokensOf(most), profile);
  }
  const usd = mostUsd({ model, promptTokens, maxTokens: roomFor(profile).first }, prices);
  if (usd === undefined || usd <= maxUsdPerDocument) return undefined;
  return new RejectDocument({
    code: 'summarize.too_expensive',
    message: `The prompt has ${shown(promptTokens)} tokens, so the answer may cost up to ${shownUsd(nanoUsd(usd))}; maxUsdPerDocument of the profile "${profile.name}" is ${shownUsd(nanoUsd(maxUsdPerDocument))}. ${unspent}`,
  });
}

/** The API itself refused to count a prompt, because it is too long. */
export const refusedAsTooLong = (reason: string, { model, name }: Profile): RejectDocument =>
  new RejectDocument({
    code: 'summarize.too_long',
    message: `It is more than ${model}, the model of the profile "${name}", takes: ${reason}. ${unspent}`,
  });

const unspent = 'Nothing was uploaded or paid.';

function tooLong(found: string, most: string, { model, name }: Profile): RejectDocument {
  return new RejectDocument({
    code: 'summarize.too_long',
    message: `${found}; ${model}, the model of the profile "${name}", takes ${most} in one request. ${unspent}`,
  });
}

const tokensOf = (count: number): string => `${shown(count)} tokens`;
const shown = (count: number): string => Math.ceil(count).toLocaleString('en-US');
