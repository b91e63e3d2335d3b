import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { QuotedText } from '../../shared/fields/quotes.ts';

const found = (text: string, quote: string) => {
  const place = new QuotedText(text).find(quote);
  return place && { match: place.match, text: text.slice(place.start, place.end) };
};

describe('a quote that stands in the text', () => {
  test.each([
    ['as it is', 'The rent is 1,200 euros.', 'rent is 1,200 euros', 'rent is 1,200 euros'],
    ['with space around it', 'The rent is due.', '  rent is due. ', 'rent is due.'],
    ['at the end', 'It ends in May', 'in May', 'in May'],
    ['beside punctuation', '(total: 40)', '40', '40'],
    ['within a date', 'on 01.02.2026', '2026', '2026'],
    ['with a currency', 'a fee of €1,200.50!', '€1,200.50', '€1,200.50'],
    ['in a script without spaces', '本契約は2031年5月に終了する。', '契約', '契約'],
    ['after an emoji', '👍🏽 agreed by both', '👍🏽 agreed', '👍🏽 agreed'],
  ])('%s is found exactly', (_, text, quote, expected) => {
    expect(found(text, quote)).toEqual({ match: 'exact', text: expected });
  });

  test.each([
    ['over a line break', 'the monthly\r\nrent', 'the monthly rent', 'the monthly\r\nrent'],
    ['with more spaces', 'the   monthly\u00a0rent', 'the monthly rent', 'the   monthly\u00a0rent'],
    [
      'with typographic quotes',
      'the “Buyer’s” right',
      `the "Buyer's" right`,
      'the “Buyer’s” right',
    ],
    ['with plain quotes', `the "Buyer's" right`, 'the “Buyer’s” right', `the "Buyer's" right`],
    ['with another dash', 'pages 3–5', 'pages 3-5', 'pages 3–5'],
    ['divided by a hyphen', 'the con-\ntract ends', 'the contract ends', 'the con-\ntract ends'],
    [
      'divided at its own hyphen',
      'a long-\nterm lease',
      'a long-term lease',
      'a long-\nterm lease',
    ],
    ['with a soft hyphen', 'the con\u00adtract', 'the contract', 'the con\u00adtract'],
    ['with ligatures', 'the ﬁnal oﬃce', 'the final office', 'the ﬁnal oﬃce'],
    ['with composed accents', 'cafe\u0301 au lait', 'café au lait', 'cafe\u0301 au lait'],
    ['with decomposed accents', 'café au lait', 'cafe\u0301 au lait', 'café au lait'],
    ['over a line of Chinese', '本契\n約は終了する', '本契約は', '本契\n約は'],
    ['after a byte order mark', '\ufeffThe  rent', 'The rent', 'The  rent'],
    ['ending in a pair of surrogates', 'it  is 🏠', 'it is 🏠', 'it  is 🏠'],
  ])('%s is found by its normal form', (_, text, quote, expected) => {
    expect(found(text, quote)).toEqual({ match: 'normalised', text: expected });
  });
});

describe('a quote that does not stand in the text', () => {
  test.each([
    ['a part of a number', 'a total of 1,500 euros', '500'],
    ['the whole part of a number', 'a total of 1,500 euros', '1'],
    ['the decimals of a number', 'a total of 12.50', '50'],
    ['a number without its separator', 'a total of 1,500', '1500'],
    ['a power written flat', '10² metres', '102 metres'],
    ['a part of a word', 'the landlord', 'land'],
    ['another case', 'the Buyer', 'the buyer'],
    ['other accents', 'der Bär', 'der Bar'],
    ['a letter whose accent is left out', 'cafe\u0301', 'cafe'],
    ['half of a pair of surrogates', 'a house 🏠', '\udfe0'],
    ['the same words in another order', 'Anna lets to Ben', 'Ben lets to Anna'],
    ['two places as one', 'It begins in May. It ends in June.', 'It begins in June.'],
    ['an ellipsis for what is between', 'It begins in May and ends in June.', 'It begins … June.'],
    ['nothing', 'some text', '   '],
    ['only what has no width', 'some text', '\u200b\u00ad'],
  ])('is not found: %s', (_, text, quote) => {
    expect(found(text, quote)).toBeUndefined();
  });
});

test('the first of several places is told, and how many there are', () => {
  const text = new QuotedText('the rent, THE RENT, the rent; the rental');

  expect(text.find('the rent')).toEqual({ match: 'exact', start: 0, end: 8, occurrences: 2 });
});

test('a quote of one letter is not looked for without end', () => {
  const text = new QuotedText(`${'eee '.repeat(100_000)}e`);

  expect(text.find('e')).toBeUndefined();
});

/** Texts of every kind: other scripts, pairs of surrogates and halves of them, line ends of each system, hyphens. */
const pieces = fc.oneof(
  fc.string({ unit: 'grapheme', maxLength: 8 }),
  fc.string({ unit: 'binary', maxLength: 4 }),
  fc.constantFrom(
    ' ',
    '\r\n',
    '\n',
    '\u00a0',
    '-\n',
    '\u00ad',
    '“',
    '’',
    '–',
    'ﬁ',
    '1,500',
    '🏠',
    '契約',
    'é',
    'e\u0301',
  ),
  fc.constantFrom('word', 'Anna', 'rent', '2031'),
);
const texts = fc.array(pieces, { maxLength: 40 }).map((parts) => parts.join(''));

/** What a person would call the same: without looks. An independent, slow version of the normal form. */
const plain = (text: string): string =>
  text
    .normalize('NFD')
    .replace(/[\u00AD\u200B-\u200F\u2060\uFEFF]/g, '')
    .replace(/ﬁ/g, 'fi')
    .replace(/[“”„‟″«»]/g, '"')
    .replace(/[‘’‚‛′]/g, "'")
    .replace(/[‐-―−]/g, '-')
    .replace(/[\s-]+/g, '');

describe('whatever the text', () => {
  test('a place that is told holds the quote, and nothing of a character beside it', () => {
    fc.assert(
      fc.property(
        texts,
        fc.nat(),
        fc.nat({ max: 30 }),
        fc.boolean(),
        (text, from, length, bends) => {
          const start = text.length === 0 ? 0 : from % text.length;
          const cut = text.slice(start, start + length);
          const quote = bends ? cut.replace(/\s+/g, ' ').replaceAll('’', "'") : cut;
          const place = new QuotedText(text).find(quote);
          if (!place) return;
          const there = text.slice(place.start, place.end);
          if (place.match === 'exact') expect(there).toBe(quote.trim());
          else expect(plain(there)).toBe(plain(quote));
          expect(there.isWellFormed() || !text.isWellFormed() || !quote.isWellFormed()).toBe(true);
        },
      ),
      { numRuns: 2_000 },
    );
  });

  test('a whole sentence that was put in is found again where it is, as it is and with other looks', () => {
    const sentence = 'Anna’s “final” fee is 1,200.50 euros – due in May';
    const looks = fc.constantFrom(
      sentence,
      sentence.replaceAll(' ', '\r\n'),
      sentence.replaceAll(' ', ' \u00a0 '),
      sentence.replaceAll('’', "'").replace(/[“”]/g, '"').replace('–', '-'),
      sentence.replace('fi', 'ﬁ'),
      sentence.replace('euros', 'eu-\nros'),
      sentence.replace('euros', 'eu\u00adros'),
    );
    fc.assert(
      fc.property(texts, looks, looks, texts, (before, written, quote, after) => {
        // What surrounds it may not belong to its first or last word.
        const text = `${before}\n. ${written} .\n${after}`;
        const place = new QuotedText(text).find(quote);

        expect(place).toBeDefined();
        expect(plain(text.slice(place?.start, place?.end))).toBe(plain(sentence));
        if (written === quote) expect(place?.match).toBe('exact');
      }),
      { numRuns: 1_000 },
    );
  });

  test('what shares no letter with it is never found', () => {
    fc.assert(
      fc.property(
        fc.string({ unit: fc.constantFrom('a', 'b', ' ', '\n', '-'), maxLength: 200 }),
        (text) => {
          expect(new QuotedText(text).find('x')).toBeUndefined();
          expect(new QuotedText(text).find('a x b')).toBeUndefined();
        },
      ),
    );
  });
});
