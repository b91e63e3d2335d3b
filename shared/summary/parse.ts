import type { Message, TextCitation } from '@anthropic-ai/sdk/resources/messages';
import type { DocumentRecord } from '../journey/record.ts';

type Summary = NonNullable<DocumentRecord['summary']>;
type Citation = Summary['citations'][number];

/** A summary parsed from Claude's answer, without the fields that only the caller knows. */
export interface ParsedSummary {
  summary: Pick<Summary, 'title' | 'text' | 'keyPoints' | 'language' | 'citations'>;
  /** False when the answer did not follow the layout; `text` is then the complete answer. */
  inLayout: boolean;
}

const labels = [
  { field: 'title', pattern: /^[*#\s]*title[*\s]*:[*\s]*/i },
  { field: 'language', pattern: /^[*#\s]*language[*\s]*:[*\s]*/i },
  { field: 'text', pattern: /^[*#\s]*summary[*\s]*:[*\s]*/i },
  { field: 'keyPoints', pattern: /^[*#\s]*key points?[*\s]*:[*\s]*/i },
] as const;
type Field = (typeof labels)[number]['field'];

interface Line {
  field: Field | undefined;
  /** Offsets in the answer where the text of the line (without its label) begins and ends. */
  start: number;
  end: number;
}

/**
 * Parses an answer in the layout that `summaryPrompt` asks for. Claude splits its answer into text
 * blocks at the cited passages; each citation is assigned to the part of the summary in which its
 * block begins.
 * @param content the content blocks of a finished message; blocks other than text are ignored
 * @param fallbackTitle the title when the answer has none
 * @param layout `free`: the answer has no parts, all of it is the text
 */
export function parseSummary(
  content: Message['content'],
  fallbackTitle: string,
  layout: 'summary' | 'free' = 'summary',
): ParsedSummary {
  const blocks = content.filter((block) => block.type === 'text');
  const answer = blocks.map((block) => block.text).join('');
  const lines = linesOf(answer);
  const slice = (line: Line) => answer.slice(line.start, line.end).trim();
  const linesIn = (field: Field) => lines.filter((line) => line.field === field && slice(line));
  const join = (field: Field, separator: string) => linesIn(field).map(slice).join(separator);
  const inLayout = layout === 'summary' && linesIn('text').length > 0;
  const points = linesIn('keyPoints');

  const place = (offset: number): Pick<Citation, 'field' | 'index'> | undefined => {
    if (!inLayout) return { field: 'text' };
    const line = lines.find((candidate) => offset < candidate.end) ?? lines.at(-1);
    if (line?.field === 'keyPoints') {
      const index = points.indexOf(line);
      return index < 0 ? { field: 'keyPoints' } : { field: 'keyPoints', index };
    }
    return line?.field === 'title' || line?.field === 'text' ? { field: line.field } : undefined;
  };

  const citations: Citation[] = [];
  let offset = 0;
  for (const block of blocks) {
    // A cited block may begin with the line break or bullet before its passage.
    const lead = block.text.length - block.text.replace(/^[\s\-*•]+/, '').length;
    const where = place(offset + Math.min(lead, Math.max(block.text.length - 1, 0)));
    for (const given of block.citations ?? []) {
      const location = locationOf(given);
      if (where && location) citations.push({ ...where, citedText: given.cited_text, location });
    }
    offset += block.text.length;
  }

  return {
    inLayout,
    summary: {
      title: (inLayout && join('title', ' ')) || fallbackTitle,
      language: layout === 'free' ? 'und' : languageOf(join('language', ' ')),
      text: inLayout ? join('text', '\n') : answer.trim(),
      keyPoints: inLayout ? points.map((line) => slice(line).replace(/^[-*•]\s*/, '')) : [],
      citations,
    },
  };
}

/** The lines of the answer, each with the part it belongs to. */
function linesOf(answer: string): Line[] {
  const lines: Line[] = [];
  let field: Field | undefined;
  let start = 0;
  for (const text of answer.split('\n')) {
    const end = start + text.length;
    const label = labels.find(({ pattern }) => pattern.test(text));
    if (label) {
      field = label.field;
      lines.push({ field, start: start + (label.pattern.exec(text)?.[0].length ?? 0), end });
    } else {
      lines.push({ field, start, end });
    }
    start = end + 1;
  }
  return lines;
}

function locationOf(citation: TextCitation): Citation['location'] | undefined {
  switch (citation.type) {
    case 'char_location':
      return { type: 'char', start: citation.start_char_index, end: citation.end_char_index };
    case 'page_location':
      return { type: 'page', start: citation.start_page_number, end: citation.end_page_number };
    case 'content_block_location':
      return { type: 'block', start: citation.start_block_index, end: citation.end_block_index };
    default:
      return undefined;
  }
}

function languageOf(text: string): string {
  const tag = /^[A-Za-z]{2,8}(-[A-Za-z0-9]{1,8})*/.exec(text)?.[0];
  return tag ?? 'und';
}
