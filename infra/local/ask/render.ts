import type { QuestionAnswer, QuestionCitation } from '../../../shared/questions/answer.ts';
import type { QuestionPlan } from '../../../shared/questions/plan.ts';
import { usd } from './cost.ts';
import type { Trouble } from './trouble.ts';
import { visible, visibleJson, visibleLine } from './visible.ts';

/** Longer quotes are cut on the screen; `--json` has them whole. */
const longestQuote = 300;
/** Documents that are named one by one when they are left out. */
const namedLeftOut = 5;

const number = (value: number): string => value.toLocaleString('en-US');

/** What is asked, and what it will cost. */
export function renderPlan({ sources, estimate, request }: QuestionPlan): string {
  const { inputTokens, maxOutputTokens, inputUsd, mostUsd } = estimate;
  const images = sources.filter(({ block }) => block === 'image').length;
  const files = [counted(sources.length - images, 'document'), counted(images, 'image')];
  const cost =
    mostUsd === undefined
      ? 'cost unknown: the model has no known price'
      : `at most ${usd(mostUsd)}, ${usd(inputUsd)} of it for the input`;
  return `Asking ${visibleLine(request.model)} about ${files.filter(Boolean).join(' and ')}: about ${number(inputTokens)} tokens, an answer of up to ${number(maxOutputTokens)}; ${cost}\n`;
}

function counted(count: number, what: string): string {
  return count === 0 ? '' : `${number(count)} ${what}${count === 1 ? '' : 's'}`;
}

/** The documents that are not part of the question. */
export function renderLeftOut({ leftOut }: Pick<QuestionPlan, 'leftOut'>): string {
  const lines = leftOut
    .slice(0, namedLeftOut)
    .map(({ key, message }) => `left out: ${visibleLine(key)}: ${visibleLine(message)}\n`);
  const more = leftOut.length - lines.length;
  return lines.join('') + (more > 0 ? `left out: ${number(more)} more (--json lists all)\n` : '');
}

/** The answer with its footnotes, what has to be said about it, and what it cost. */
export function renderAnswer(
  answer: QuestionAnswer,
  plan: QuestionPlan,
  isStandIn: boolean,
): string {
  const text = answer.pieces
    .map((piece) => visible(piece.text) + marksOf(piece.citations))
    .join('');
  const footnotes = answer.citations.map(footnote).join('');
  const said = notesOn(answer, plan).map((note) => `Note: ${note}\n`);
  return [
    text.trim() === '' ? '' : `${text.trimEnd()}\n\n`,
    footnotes === '' ? '' : `${footnotes}\n`,
    ...said,
    `${billed(answer)}${isStandIn ? ' (the stand-in for Claude bills nothing)' : ''}\n`,
  ].join('');
}

const marksOf = (citations: readonly number[]): string =>
  citations.map((citation) => `[${citation}]`).join('');

function footnote(citation: QuestionCitation): string {
  const { number, quote, key, alsoIn } = citation;
  const flat = quote.replace(/\s+/g, ' ').trim();
  const points = Array.from(flat);
  const shown = points.length > longestQuote ? `${points.slice(0, longestQuote).join('')}…` : flat;
  const also = alsoIn.map((other) => `, same content: ${visibleLine(other.key)}`).join('');
  return `[${number}] "${visibleLine(shown)}"\n    ${visibleLine(key)}, ${placeOf(citation)}${also}\n`;
}

/** Places have exclusive ends; people name the last page. */
function placeOf({ place: { type, start, end } }: QuestionCitation): string {
  switch (type) {
    case 'page':
      return end - start > 1 ? `pages ${start}–${end - 1}` : `page ${start}`;
    case 'char':
      return `characters ${start}–${end}`;
    case 'block':
      return end - start > 1 ? `blocks ${start}–${end - 1}` : `block ${start}`;
  }
}

function notesOn(answer: QuestionAnswer, { sources, estimate }: QuestionPlan): string[] {
  const notes: string[] = [];
  if (answer.outcome === 'refused') {
    const because = answer.category === undefined ? '' : ` (${visibleLine(answer.category)})`;
    notes.push(`Claude declined to answer${because}.`);
  } else if (answer.stopReason === 'max_tokens') {
    const room = number(estimate.maxOutputTokens);
    notes.push(`the answer is cut off at ${room} tokens, thinking included; see --max-tokens.`);
  } else if (answer.outcome === 'cut') {
    notes.push(`the answer is not complete (${visibleLine(answer.stopReason)}).`);
  }
  if (sources.some(({ block }) => block === 'image')) {
    notes.push('images have no citations: what is said about one has no quote to check.');
  }
  if (answer.citationsLost > 0) {
    notes.push(`${answer.citationsLost} citations point to no document and are left out.`);
  }
  return notes;
}

function billed({ usage, costUsd, model }: QuestionAnswer): string {
  const { inputTokens, outputTokens, thinkingTokens = 0 } = usage;
  const cached = usage.cacheReadTokens + usage.cacheWriteTokens;
  const thinking = thinkingTokens > 0 ? ` (${number(thinkingTokens)} of them thinking)` : '';
  return `${number(inputTokens + cached)} tokens in, ${number(outputTokens)} out${thinking} · ${usd(costUsd)} · ${visibleLine(model)}`;
}

/** The same for scripts, as one JSON object on a line. A cost that is not known is null. */
export function jsonOfAnswer(answer: QuestionAnswer, plan: QuestionPlan): string {
  const { question, sources, leftOut, estimate } = plan;
  const documents = sources.flatMap(({ documents: same, block, fileId }) =>
    same.map((document) => ({ ...document, block, fileId })),
  );
  return `${visibleJson({
    question,
    ...answer,
    costUsd: answer.costUsd ?? null,
    documents,
    leftOut,
    estimate: {
      ...estimate,
      inputUsd: estimate.inputUsd ?? null,
      mostUsd: estimate.mostUsd ?? null,
    },
  })}\n`;
}

/** Why there is no answer. */
export function renderTrouble({ code, message, advice }: Trouble): string {
  const more = advice === '' ? '' : `  ${visibleLine(advice)}\n`;
  return `ask: ${code}: ${visibleLine(message)}\n${more}`;
}

export const jsonOfTrouble = ({ code, message, advice }: Trouble): string =>
  `${visibleJson({ error: { code, message, advice } })}\n`;
