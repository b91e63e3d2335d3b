import { beforeEach, describe, expect, it } from 'vitest';
import type { DocumentRecord } from '../../shared/journey/record.ts';
import type { QuestionReply } from '../../shared/questions/answer.ts';
import { askQuestion } from '../../shared/questions/ask.ts';
import { planQuestion } from '../../shared/questions/plan.ts';
import { apiError, image, now, pdf, ready, replyOf, StubClaude } from './support.ts';

let claude: StubClaude;
beforeEach(() => {
  claude = new StubClaude();
});

async function ask(documents: DocumentRecord[], reply: QuestionReply | Error = claude.reply) {
  claude.reply = reply;
  const question = 'Which contracts end in 2027?';
  const options = { documents, question, model: 'claude-haiku-5-5', claude, now };
  return askQuestion(await planQuestion(options), claude);
}

const char = (
  index: number | null,
  quote: string,
  start: number,
  fileId: string | null = null,
) => ({
  type: 'char_location',
  cited_text: quote,
  document_index: index,
  file_id: fileId,
  start_char_index: start,
  end_char_index: start + quote.length,
});

describe('an answer', () => {
  it('has its citations led back to documents and places, each with a number', async () => {
    const documents = [image('map.png'), ready('a.txt'), pdf('b.pdf', 9), ready('c.txt')];
    const page = {
      type: 'page_location',
      cited_text: 'until May',
      document_index: 1,
      start_page_number: 3,
      end_page_number: 5,
    };

    const answer = await ask(
      documents,
      replyOf([
        { type: 'thinking' },
        { type: 'text', text: 'Two: ' },
        { type: 'text', text: 'A', citations: [char(0, 'ends in 2027', 90), page] },
        { type: 'text', text: ' and ', citations: null },
        { type: 'text', text: 'C.', citations: [char(0, 'ends in 2027', 90), char(2, '2027', 7)] },
      ] as QuestionReply['content']),
    );

    expect(answer.text).toBe('Two: A and C.');
    expect(answer.pieces.map(({ citations }) => citations)).toEqual([[], [1, 2], [], [1, 3]]);
    expect(answer.citations).toEqual([
      {
        number: 1,
        documentId: 'id of a.txt',
        key: 'a.txt',
        quote: 'ends in 2027',
        place: { type: 'char', start: 90, end: 102 },
        alsoIn: [],
      },
      {
        number: 2,
        documentId: 'id of b.pdf',
        key: 'b.pdf',
        quote: 'until May',
        place: { type: 'page', start: 3, end: 5 },
        alsoIn: [],
      },
      {
        number: 3,
        documentId: 'id of c.txt',
        key: 'c.txt',
        quote: '2027',
        place: { type: 'char', start: 7, end: 11 },
        alsoIn: [],
      },
    ]);
    expect(answer).toMatchObject({ outcome: 'answered', citationsLost: 0, stopReason: 'end_turn' });
  });

  it('believes the id of the file more than the index, and names all documents with the content', async () => {
    const documents = [ready('a.txt'), ready('b.txt'), ready('copy.txt', { fileId: 'file_b_txt' })];

    const { citations } = await ask(
      documents,
      replyOf([
        { type: 'text', text: 'B.', citations: [char(0, 'x', 1, 'file_b_txt')] },
      ] as QuestionReply['content']),
    );

    expect(citations).toMatchObject([
      { key: 'b.txt', alsoIn: [{ documentId: 'id of copy.txt', key: 'copy.txt' }] },
    ]);
  });

  it('counts citations that point to no document of the question', async () => {
    const citations = [
      char(7, 'x', 1),
      char(null, 'x', 1),
      char(0, 'x', 1, 'file_other'),
      { type: 'web_search_result_location', cited_text: 'x', url: 'https://example.com' },
    ];

    const answer = await ask(
      [ready('a.txt')],
      replyOf([{ type: 'text', text: 'A.', citations }] as QuestionReply['content']),
    );

    expect(answer).toMatchObject({ text: 'A.', citations: [], citationsLost: 4 });
  });

  it('says what was billed', async () => {
    const answer = await ask(
      [ready('a.txt')],
      replyOf([{ type: 'text', text: 'A.' }], {
        model: 'claude-haiku-4-5-20251001',
        usage: {
          input_tokens: 1_000,
          output_tokens: 200,
          cache_read_input_tokens: 10,
          output_tokens_details: { thinking_tokens: 150 },
        },
      }),
    );

    expect(answer.usage).toEqual({
      inputTokens: 1_000,
      outputTokens: 200,
      thinkingTokens: 150,
      cacheReadTokens: 10,
      cacheWriteTokens: 0,
    });
    expect(answer.costUsd).toBeCloseTo(0.002001, 9);
    expect(answer.model).toBe('claude-haiku-4-5-20251001');
  });

  it('has no cost when the price is not known', async () => {
    const answer = await ask([ready('a.txt')], replyOf([], { model: 'my-model' }));

    expect(answer.costUsd).toBeUndefined();
  });

  it.each([
    ['end_turn', 'answered'],
    ['stop_sequence', 'answered'],
    ['max_tokens', 'cut'],
    ['model_context_window_exceeded', 'cut'],
    ['pause_turn', 'cut'],
    [null, 'cut'],
  ])('that stops by %s is %s', async (stop_reason, outcome) => {
    const answer = await ask([ready('a.txt')], replyOf([], { stop_reason }));

    expect(answer).toMatchObject({ outcome, stopReason: stop_reason ?? 'unknown' });
  });

  it('that was refused says why, and what it cost', async () => {
    const refusal = { stop_reason: 'refusal', stop_details: { category: 'cyber' } };

    const answer = await ask([ready('a.txt')], replyOf([], refusal));

    expect(answer).toMatchObject({ outcome: 'refused', category: 'cyber', text: '' });
    expect(answer.costUsd).toBeGreaterThan(0);
  });
});

it('a file that goes between the count and the question is named', async () => {
  await expect(
    ask([ready('a.txt')], apiError(404, 'File not found: file_a_txt')),
  ).rejects.toMatchObject({ code: 'file_gone', documents: [{ key: 'a.txt' }] });
});
