import { unmarkedFilename } from '../../../shared/claude/filename.ts';
import { type DocumentExtract, extractOf, type Quote } from './extract.ts';
import type { Filling } from './fill-schema.ts';
import { guessLanguage } from './language.ts';
import { oneLine, rank, unitsOf } from './passages.ts';
import type { Prompt } from './prompt.ts';
import type { Subject } from './prompt-draft.ts';

/**
 * The emulator's answers. It is not a model and ignores the prompt: whatever is asked, it answers in the
 * layout of Dropline's own prompt with verbatim passages from the documents, and says so. Only a question about several
 * documents (shared/questions/) is answered in another way: question-answer.ts. Documents are
 * data: nothing in one can change what the emulator does.
 */

type Citation = {
  cited_text: string;
  document_index: number;
  document_title: string | null;
  file_id: string | null;
} & (
  | { type: 'char_location'; start_char_index: number; end_char_index: number }
  | { type: 'page_location'; start_page_number: number; end_page_number: number }
  | { type: 'content_block_location'; start_block_index: number; end_block_index: number }
);

export interface TextBlock {
  type: 'text';
  text: string;
  citations: Citation[] | null;
}

const disclaimer = 'This is an extract made by the Dropline emulator, not a summary by Claude.';

interface Source {
  extract: DocumentExtract;
  subject: Subject | undefined;
}

export interface Sourced {
  quote: Quote;
  subject: Subject | undefined;
}

interface Plan {
  title: Sourced;
  language: string;
  remarks: string[];
  summary: Sourced[];
  points: Sourced[];
}

/** The answer as text blocks; with citations on, each quoted passage is a block of its own. */
export function answerText(prompt: Prompt, facts: readonly string[]): TextBlock[] {
  const plan = planOf(prompt, facts);
  const segments: Segment[] = [{ text: 'Title: ' }];
  const quote = (from: Sourced) => segments.push({ text: from.quote.shown, from });

  quote(plan.title);
  segments.push({ text: `\nLanguage: ${plan.language}\nSummary: ${disclaimer}` });
  for (const remark of plan.remarks) segments.push({ text: ` ${remark}` });
  for (const from of plan.summary) {
    segments.push({ text: ' ' });
    quote(from);
    if (!/[.!?。！？…]["')\]”’»]*$/.test(from.quote.shown)) segments.push({ text: '.' });
  }
  segments.push({ text: '\nKey points:' });
  for (const from of plan.points) {
    segments.push({ text: '\n- ' });
    quote(from);
  }

  return textBlocks(segments);
}

/** A piece of an answer, and the passage that it quotes. */
export interface Segment {
  text: string;
  from?: Sourced;
}

/** Segments as text blocks: each that can be cited is a block of its own. */
export function textBlocks(segments: readonly Segment[]): TextBlock[] {
  const blocks: TextBlock[] = [];
  for (const { text, from } of segments) {
    const citation = from && citationOf(from);
    const last = blocks.at(-1);
    if (citation) blocks.push({ type: 'text', text, citations: [citation] });
    else if (last && last.citations === null) last.text += text;
    else blocks.push({ type: 'text', text, citations: null });
  }
  return blocks;
}

/** The same answer, as values for a JSON schema or the arguments of a tool. */
export function fillingOf(prompt: Prompt, facts: readonly string[]): Filling {
  const plan = planOf(prompt, facts);
  const sentences = plan.summary.map((from) => from.quote.shown);
  return {
    title: plan.title.quote.shown,
    language: plan.language,
    summary: [disclaimer, ...plan.remarks, ...sentences].join(' '),
    points: plan.points.map((from) => from.quote.shown),
  };
}

function planOf({ subjects, userTexts }: Prompt, facts: readonly string[]): Plan {
  const sources: Source[] = subjects.map((subject) => ({
    extract: extractOf(subject.material),
    subject,
  }));
  if (sources.length === 0 && facts.length === 0) {
    sources.push({ extract: extractOfWords(userTexts), subject: undefined });
  }

  const ranked = interleave(sources);
  for (const fact of facts) ranked.unshift({ quote: plain(fact), subject: undefined });
  const title = titleOf(sources);
  const chosen = ranked.length > 0 ? ranked : [title];
  const points = chosen.slice(2, 7);
  const [first] = sources;
  return {
    title,
    language: first?.extract.language ?? 'und',
    remarks: sources.map(({ extract }) => extract.remark).filter((remark) => remark !== undefined),
    summary: chosen.slice(0, 2),
    points: points.length > 0 ? points : chosen.slice(0, 2),
  };
}

function plain(text: string): Quote {
  return { shown: text, cited: text, place: undefined };
}

/** Takes from each source in turn, so that every document is quoted. */
function interleave(sources: readonly Source[]): Sourced[] {
  const longest = Math.max(0, ...sources.map(({ extract }) => extract.ranked.length));
  const taken: Sourced[] = [];
  for (let place = 0; place < longest; place++) {
    for (const { extract, subject } of sources) {
      const quote = extract.ranked[place];
      if (quote) taken.push({ quote, subject });
    }
  }
  return taken;
}

function titleOf(sources: readonly Source[]): Sourced {
  for (const { extract, subject } of sources) {
    if (extract.title) return { quote: extract.title, subject };
  }
  const named = sources.map(({ subject }) => subject?.title ?? subject?.file?.filename);
  const name = named.find((candidate) => candidate !== undefined) ?? 'Untitled';
  return { quote: plain(oneLine(unmarkedFilename(name))), subject: undefined };
}

/** Without documents, the answer is made from the user's longest text. */
function extractOfWords(texts: readonly string[]): DocumentExtract {
  const text = [...texts].sort((a, b) => b.length - a.length)[0] ?? '';
  const quotes = rank(text, unitsOf(text))
    .map((passage) => ({ ...plain(oneLine(text.slice(passage.start, passage.end))), ...passage }))
    .sort((a, b) => b.score - a.score);
  const ranked = quotes.map(({ shown }) => plain(shown)).slice(0, 20);
  return { title: undefined, language: guessLanguage(text), ranked, remark: undefined };
}

function citationOf({ quote, subject }: Sourced): Citation | undefined {
  const { cited, place } = quote;
  if (!subject?.citations || subject.documentIndex === undefined || !place) return undefined;
  const common = {
    cited_text: cited,
    document_index: subject.documentIndex,
    document_title: subject.title,
    file_id: subject.file?.id ?? null,
  };
  switch (place.type) {
    case 'char': {
      const { start, end } = place;
      return { type: 'char_location', ...common, start_char_index: start, end_char_index: end };
    }
    case 'page': {
      const { page } = place;
      return {
        type: 'page_location',
        ...common,
        start_page_number: page,
        end_page_number: page + 1,
      };
    }
    case 'block': {
      const { index } = place;
      return {
        type: 'content_block_location',
        ...common,
        start_block_index: index,
        end_block_index: index + 1,
      };
    }
  }
}
