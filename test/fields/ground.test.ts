import { describe, expect, test } from 'vitest';
import { grounded } from '../../shared/fields/ground.ts';
import { readFields } from '../../shared/fields/reply.ts';

const schema = {
  type: 'object',
  properties: {
    total: { type: 'number' },
    when: { type: 'string', format: 'date' },
    parties: { type: 'array', items: { type: 'string' } },
    'a/b': { type: 'string' },
  },
};
const read = (data: unknown, evidence: unknown = []) =>
  readFields(JSON.stringify({ data, evidence }), schema);

describe('a reply', () => {
  test('that follows the schema is taken', () => {
    const reply = {
      data: { total: 1.5, when: '2026-02-01' },
      evidence: [{ path: '/total', quote: 'x' }],
    };

    expect(readFields(JSON.stringify(reply), schema)).toEqual(reply);
  });

  test.each([
    [read({ total: '1' }), '/data/total must be number'],
    [read({ when: 'soon' }), '/data/when must match format "date"'],
    [read({ other: 1 }), '/data must NOT have additional properties'],
    [read({}, [{ path: '/total' }]), "/evidence/0 must have required property 'quote'"],
    [readFields('{}', schema), "the answer must have required property 'data'"],
    [readFields('{"data": {', schema), 'it is not JSON'],
    [readFields('', schema), 'it is not JSON'],
    [read({ total: 1e21 }), '/data/total is a number that is not stored exactly'],
    [read({ total: 1e-140 }), '/data/total is a number that is not stored exactly'],
  ])('that does not is told by its place: %j', (given, fault) => {
    expect(given).toEqual({ invalid: expect.stringContaining(fault) });
  });

  test('is invalid, not an error, where a schema cannot be compiled', () => {
    const broken = { type: 'object', properties: { a: { $ref: '#/$defs/none' } } };

    expect(readFields('{"data": {}, "evidence": []}', broken)).toEqual({
      invalid: 'the schema cannot be compiled',
    });
  });

  test('has no halves of pairs of surrogates, which cannot be stored', () => {
    const text = String.raw`{"data": {"a/b": "a \ud83d b"}, "evidence": []}`;

    expect(readFields(text, schema)).toMatchObject({ data: { 'a/b': 'a \ufffd b' } });
  });

  test('is told of without a word of it', () => {
    const secret = 'Anna Berg owes money';

    expect(JSON.stringify(read({ total: secret, [secret]: secret }))).not.toContain('Anna');
  });
});

describe('evidence', () => {
  const text = { kind: 'text', text: 'Anna and Ben pay 1,200 euros.' } as const;

  test('has a place in the text, and what is not there has none', () => {
    const data = { total: 1200, parties: ['Anna', 'Carl'] };
    const evidence = [
      { path: '/total', quote: '1,200 euros' },
      { path: '/parties/0', quote: 'Anna' },
      { path: '/parties/1', quote: 'Carl' },
    ];

    expect(grounded({ data, evidence }, text)).toEqual([
      {
        path: '/total',
        quote: '1,200 euros',
        grounded: true,
        match: 'exact',
        location: { type: 'char', start: 17, end: 28 },
      },
      {
        path: '/parties/0',
        quote: 'Anna',
        grounded: true,
        match: 'exact',
        location: { type: 'char', start: 0, end: 4 },
      },
      { path: '/parties/1', quote: 'Carl', grounded: false },
    ]);
  });

  test('is missed where a value has none, but not for what says nothing', () => {
    const data = { total: 5, parties: ['Anna', ''], when: null, 'a/b': 'c~d' };

    expect(grounded({ data, evidence: [] }, text)).toEqual([
      { path: '/total', quote: '', grounded: false },
      { path: '/parties/0', quote: '', grounded: false },
      { path: '/a~1b', quote: '', grounded: false },
    ]);
  });

  test('for a list stands for all in it, and what points to nothing is left out', () => {
    const data = { parties: ['Anna', 'Ben'] };
    const evidence = [
      { path: '/parties', quote: 'Anna and Ben' },
      { path: '/parties/7', quote: 'Anna' },
      { path: 'parties', quote: 'Anna' },
      { path: '/__proto__', quote: 'Anna' },
    ];

    const found = grounded({ data, evidence }, text);

    expect(found.map(({ path }) => path)).toEqual(['/parties']);
  });

  test('has the pages of a PDF, also over the end of one', () => {
    const pages = [
      'The first page is about nothing.',
      'The rent is',
      '1,200 euros. The end is near.',
    ];
    const data = { total: 1200, 'a/b': 'x' };
    const evidence = [
      { path: '/total', quote: 'The rent is 1,200 euros' },
      { path: '/a~1b', quote: 'The end' },
    ];

    const found = grounded({ data, evidence }, { kind: 'pages', pages });

    expect(found.map(({ match, location }) => ({ match, location }))).toEqual([
      { match: 'normalised', location: { type: 'page', start: 2, end: 4 } },
      { match: 'exact', location: { type: 'page', start: 3, end: 4 } },
    ]);
  });

  test.each([
    ['no text', undefined],
    ['a scan', { kind: 'pages', pages: ['', ' 7 \n'] } as const],
  ])('cannot be checked with %s', (_, sent) => {
    const data = { total: 5, 'a/b': 'c' };
    const evidence = [{ path: '/total', quote: 'five' }];

    expect(grounded({ data, evidence }, sent)).toEqual([
      { path: '/total', quote: 'five', grounded: null },
      { path: '/a~1b', quote: '', grounded: null },
    ]);
  });
});
