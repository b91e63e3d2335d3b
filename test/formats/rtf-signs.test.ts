import { describe, expect, test } from 'vitest';
import { convertBytes } from './convert-bytes.ts';

/** What RTF says by control words, and not by characters. */

const rtf = (body: string, head = '') =>
  `{\\rtf1\\ansi\\ansicpg1252\\deff0{\\fonttbl{\\f0 Arial;}}${head}\\pard ${body}\\par}`;
const convert = (body: string, head?: string) =>
  convertBytes('note.rtf', Buffer.from(rtf(body, head), 'latin1'));
const textOf = async (body: string, head?: string) => (await convert(body, head)).text.trimEnd();

describe('an RTF file', () => {
  test.each([
    ['dashes', '2019\\endash 2021\\emdash end', '2019–2021—end'],
    ['dashes in Unicode mode 0', '\\uc0 2019\\endash 2021 \\u8364 5', '2019–2021 €5'],
    ['bullets and quotes', '\\bullet  a \\ldblquote b\\rdblquote', '• a “b”'],
    ['wide spaces', 'a\\emspace b\\enspace c\\qmspace d', /^a\sb\sc\sd$/],
    [
      'hyphens and spaces that do not break',
      'two\\_part 10\\~000 soft\\-ly',
      /^two-part 10\s000 softly$/,
    ],
    [
      'raised and lowered text',
      '10{\\super 6} H\\sub 2\\nosupersub O x{\\super a\\b b}',
      '10^6 H_2O x^ab',
    ],
    ['raised text that ends with plain', 'x\\super 2\\plain  y', 'x^2 y'],
    ['struck text', 'a {\\strike b c} d', 'a ~~b c~~ d'],
    [
      'struck text to the end of a paragraph',
      'a \\strike b\\par c\\strike0  d',
      'a ~~b~~\n\n~~c~~ d',
    ],
    ['words around a page break', 'one\\page two', 'one\n\ntwo'],
    ['words around a section break', 'one\\sect two', 'one\n\ntwo'],
    [
      'the result of an embedded object',
      'sum {\\object\\objemb{\\*\\objclass X}{\\*\\objdata 01}{\\result{\\pard\\plain 12 kg}}} in all',
      'sum 12 kg in all',
    ],
    [
      'a checked box',
      '{\\field{\\*\\fldinst FORMCHECKBOX}{\\*\\formfield{\\fftype1\\ffres1}}{\\fldrslt}} yes',
      '☒ yes',
    ],
    [
      'a box as the form has it, and one that was cleared',
      '{\\field{\\*\\fldinst FORMCHECKBOX}{\\*\\formfield{\\ffres25\\ffdefres1}}{\\fldrslt}} a {\\field{\\*\\fldinst FORMCHECKBOX}{\\*\\formfield{\\ffres0\\ffdefres1}}{\\fldrslt}} b',
      '☒ a ☐ b',
    ],
    [
      'the text of a shape once, behind its paragraph',
      'To{\\shp{\\*\\shpinst{\\sp{\\sn a}{\\sv 1}}{\\shptxt\\pard In the box\\par}}{\\shprslt\\pard In the box\\par}} day.',
      'To day.\n\nIn the box',
    ],
    ['what follows a word that is left out', '\\s7 Rent is due.', 'Rent is due.'],
    ['binary data as they are', 'a{\\*\\blob\\bin3 {\\}} b', 'a b'],
  ])('keeps %s', async (_, body, expected) => {
    const text = await textOf(body);

    if (typeof expected === 'string') expect(text).toBe(expected);
    else expect(text).toMatch(expected);
  });

  test('leaves out what tracked changes deleted, and says so', async () => {
    const { text, conversion } = await convert(
      'Pay {\\deleted\\revauthdel0 100 }{\\revised 200 }\\deleted now \\deleted0 soon.',
    );

    expect(text.trimEnd()).toBe('Pay 200 soon.');
    expect(conversion.fidelity?.warnings).toMatchObject([{ code: 'normalize.tracked_changes' }]);
    expect(conversion.fidelity?.warnings[0]?.message).toContain('2 deletions');
  });

  test('has the headings that its styles are by name, whatever their numbers', async () => {
    const styles =
      '{\\stylesheet{\\s0 Normal;}{\\s3\\sbasedon0 Clause;}{\\s15\\sbasedon0\\snext0 heading 2;}}';

    expect(await textOf('\\s15 Terms\\par\\pard\\s3 The rent.', styles)).toBe(
      '## Terms\n\nThe rent.',
    );
  });
});
