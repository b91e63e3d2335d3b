import type { Message } from '@anthropic-ai/sdk/resources/messages';
import { describe, expect, test } from 'vitest';
import { parseSummary } from '../../shared/summary/parse.ts';

type Content = Message['content'];

const text = (words: string, citations?: object[]) =>
  ({ type: 'text', text: words, citations: citations ?? null }) as Content[number];
const char = (start: number, end: number) => ({
  type: 'char_location',
  cited_text: `from ${start}`,
  start_char_index: start,
  end_char_index: end,
});
const parse = (...content: Content) => parseSummary(content, 'a.txt');

describe('an answer in the layout', () => {
  test('is split into its parts', () => {
    const { summary, inLayout } = parse(
      text(
        'Title: Sales\nLanguage: de-CH\nSummary: They rose.\nMuch.\n\nKey points:\n- 12 %\n- 40 people',
      ),
    );

    expect(inLayout).toBe(true);
    expect(summary).toEqual({
      title: 'Sales',
      language: 'de-CH',
      text: 'They rose.\nMuch.',
      keyPoints: ['12 %', '40 people'],
      citations: [],
    });
  });

  test('may be decorated', () => {
    const { summary, inLayout } = parse(
      text('**Title:** Sales\n# LANGUAGE: en\n**Summary**: They rose.\nKey point:\n* One\n• Two'),
    );

    expect(inLayout).toBe(true);
    expect(summary).toMatchObject({
      title: 'Sales',
      language: 'en',
      text: 'They rose.',
      keyPoints: ['One', 'Two'],
    });
  });

  test('may come in pieces, among blocks that are not text', () => {
    const thinking = { type: 'thinking', thinking: 'Title: no', signature: '' } as Content[number];

    const { summary } = parse(
      text('Title: Sa'),
      thinking,
      text('les\nSummary: They '),
      text('rose.'),
    );

    expect(summary).toMatchObject({ title: 'Sales', text: 'They rose.' });
  });

  test('without a title or a language gets those that fit', () => {
    const { summary } = parse(text('Title:\nLanguage: ???\nSummary: They rose.'));

    expect(summary).toMatchObject({ title: 'a.txt', language: 'und', keyPoints: [] });
  });
});

test('an answer outside the layout is the summary as a whole', () => {
  const { summary, inLayout } = parse(text('  I see only noise.\nTitle: x ', [char(0, 5)]));

  expect(inLayout).toBe(false);
  expect(summary).toEqual({
    title: 'a.txt',
    language: 'und',
    text: 'I see only noise.\nTitle: x',
    keyPoints: [],
    citations: [
      { field: 'text', citedText: 'from 0', location: { type: 'char', start: 0, end: 5 } },
    ],
  });
});

describe('a citation', () => {
  test('supports the part in which its block begins', () => {
    const { summary } = parse(
      text('Title: '),
      text('Sales', [char(0, 1)]),
      text('\nLanguage: '),
      text('en', [char(1, 2)]),
      text('\nSummary: '),
      text('They rose. ', [char(2, 3)]),
      text('Much.', [char(3, 4), char(4, 5)]),
      text('\nKey points:'),
      text('\n- 12 %', [char(5, 6)]),
      text('\n- 40 people', [char(6, 7)]),
    );

    const places = summary.citations.map(({ field, index, location }) => [
      field,
      index,
      'start' in location && location.start,
    ]);
    expect(places).toEqual([
      ['title', undefined, 0],
      ['text', undefined, 2],
      ['text', undefined, 3],
      ['text', undefined, 4],
      ['keyPoints', 0, 5],
      ['keyPoints', 1, 6],
    ]);
  });

  test.each([
    [char(1, 9), { type: 'char', start: 1, end: 9 }],
    [
      { type: 'page_location', cited_text: 'c', start_page_number: 2, end_page_number: 3 },
      { type: 'page', start: 2, end: 3 },
    ],
    [
      { type: 'content_block_location', cited_text: 'c', start_block_index: 4, end_block_index: 5 },
      { type: 'block', start: 4, end: 5 },
    ],
  ])('has the place that Claude gave: %o', (given, location) => {
    const { summary } = parse(text('Summary: '), text('They rose.', [given]));

    expect(summary.citations).toEqual([{ field: 'text', citedText: given.cited_text, location }]);
  });

  test('of a kind that points outside the document is left out', () => {
    const web = { type: 'web_search_result_location', cited_text: 'c', url: 'https://x' };

    const { summary } = parse(text('Summary: '), text('They rose.', [web]));

    expect(summary.citations).toEqual([]);
  });
});
