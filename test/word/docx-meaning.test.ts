import { describe, expect, test } from 'vitest';
import { item, level, numbering, textOf } from './docx-body.ts';

/** What Word shows of a document, where the text in its XML says more, or less. */

const run = (text: string) => `<w:r><w:t xml:space="preserve">${text}</w:t></w:r>`;
const mark = (type: string) => `<w:r><w:fldChar w:fldCharType="${type}"/></w:r>`;
const code = (text: string) => `<w:r><w:instrText xml:space="preserve">${text}</w:instrText></w:r>`;
const field = (instruction: string, result: string) =>
  mark('begin') + instruction + mark('separate') + result + mark('end');

describe('a field within the instruction of another', () => {
  test('is no text, whatever its own result is', async () => {
    const inner = field(code(' DOCPROPERTY Rate '), run('19'));
    const outer = field(code(' = ') + inner + code(' / 100 '), run('0.19'));

    expect(await textOf(`<w:p>${run('VAT of ')}${outer}${run(' applies.')}</w:p>`)).toBe(
      'VAT of 0.19 applies.',
    );
  });

  test('is none three levels deep either, and one within a result is text', async () => {
    const deepest = field(code(' PAGE '), run('7'));
    const middle = field(code(' IF ') + deepest + code(' = 1 '), run('first'));
    const outer = field(code(' IF ') + middle, run('page ') + field(code(' PAGE '), run('8')));

    expect(await textOf(`<w:p>${outer}</w:p>`)).toBe('page 8');
  });

  test('that never ends loses nothing of what follows', async () => {
    const broken = mark('begin') + code(' IF ');

    expect(await textOf(`<w:p>${broken}${run('kept')}</w:p>`)).toBe('kept');
  });
});

test('an emoji of Word is read from its fallback', async () => {
  const emoji =
    '<w:r><mc:AlternateContent xmlns:mc="http://schemas.openxmlformats.org/markup-compatibility/2006"><mc:Choice xmlns:w16se="http://schemas.microsoft.com/office/word/2015/wordml/symex" Requires="w16se"><w16se:symEx w16se:font="Segoe UI Emoji" w16se:char="1F44D"/></mc:Choice><mc:Fallback><w:t>👍</w:t></mc:Fallback></mc:AlternateContent></w:r>';

  expect(await textOf(`<w:p>${run('Good ')}${emoji}${run(' work')}</w:p>`)).toBe('Good 👍 work');
});

test.each(['drop', 'margin'])('a letter that is a %s cap begins its word', async (kind) => {
  const cap = `<w:p><w:pPr><w:framePr w:dropCap="${kind}" w:lines="2"/></w:pPr>${run('W')}</w:p>`;

  expect(await textOf(`${cap}<w:p>${run('hen it rained')}</w:p>`)).toBe('When it rained');
});

test('a frame that is no drop cap stays a paragraph', async () => {
  const frame = `<w:p><w:pPr><w:framePr w:w="100" w:dropCap="none"/></w:pPr>${run('Note')}</w:p>`;

  expect(await textOf(`${frame}<w:p>${run('Text')}</w:p>`)).toBe('Note\n\nText');
});

test('a level without a start counts from 0', async () => {
  const bare = '<w:lvl w:ilvl="0"><w:numFmt w:val="decimal"/><w:lvlText w:val="%1."/></w:lvl>';

  expect(await textOf(item('a', 0) + item('b', 0), [], numbering(bare))).toBe('0. a\n1. b');
});

describe('the label of a list', () => {
  test.each([
    ['russianUpper', 'А Б В', 30, 'АА'],
    ['hebrew1', 'א ב ג', 16, 'טז'],
    ['hebrew2', 'א ב ג', 22, 'ת'],
    ['chineseCountingThousand', '一 二 三', 12, '十二'],
    ['japaneseCounting', '一 二 三', 20, '二十'],
    ['ideographDigital', '一 二 三', 20, '二〇'],
    ['irohaFullWidth', 'イ ロ ハ', 5, 'ホ'],
    ['aiueo', 'ｱ ｲ ｳ', 10, 'ｺ'],
    ['ganada', '가 나 다', 15, '가가'],
    ['decimalEnclosedCircle', '① ② ③', 21, '21'],
    ['cardinalText', 'One Two Three', 21, 'Twenty-one'],
    ['ordinalText', 'First Second Third', 20, 'Twentieth'],
    ['ordinalText', 'First Second Third', 12, 'Twelfth'],
    ['someday', '1 2 3', 12, '12'],
    ['toString', '1 2 3', 12, '12'],
  ])('is written as Word writes %s', async (format, first, at, label) => {
    const body = Array.from({ length: at }, () => item('x', 0)).join('');

    const text = await textOf(body, [], numbering(level(0, format, '%1)')));

    const labels = text.split('\n').map((line) => line.split(')')[0]);
    expect(labels.slice(0, 3).join(' ')).toBe(first);
    expect(labels.at(-1)).toBe(label);
  });
});
