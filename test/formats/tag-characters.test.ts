import { describe, expect, it } from 'vitest';
import { p, rawDocx, rawXlsx, sheetData } from '../fixtures/ooxml.ts';
import { prepareBytes } from '../word/prepared.ts';
import { convertBytes } from './convert-bytes.ts';

/** The words in Unicode's tag characters, which no reader sees. */
const tagged = (words: string) =>
  [...words].map((letter) => String.fromCodePoint(0xe0000 + letter.charCodeAt(0))).join('');
const secret = `seen${tagged('now approved')} end`;
const scotland = `\u{1f3f4}${tagged('gbsct')}\u{e007f}`;

describe('words in invisible characters are left out and counted', () => {
  it.each([
    ['a.txt', secret],
    ['a.html', `<html><p>${secret}</p>`],
    ['a.csv', `${secret},b\n1,2\n`],
    ['a.eml', `From: a@b.c\nSubject: s\nContent-Type: text/plain; charset=utf-8\n\n${secret}\n`],
    ['a.docx', rawDocx(p(secret))],
    ['a.xlsx', rawXlsx([{ name: 'S', xml: sheetData([[secret]]) }])],
  ])('of %s', async (name, bytes) => {
    const { text, conversion } = await convertBytes(name, bytes);

    expect(text).toContain('seen end');
    expect(text).not.toMatch(/[\u{e0000}-\u{e007f}]/u);
    expect(conversion.fidelity.warnings.map(({ message }) => message).join()).toContain('2 words');
  });

  it('of a docx that is printed', async () => {
    const { paragraphs, facts } = await prepareBytes(rawDocx(p(secret)));

    expect(paragraphs).toEqual([['seen end']]);
    expect(facts.hiddenWords).toBe(2);
  });
});

it('the flags that are written with such characters stay', async () => {
  const { text, warnings } = await convertBytes('a.txt', `Edinburgh ${scotland}\n`);

  expect(text).toBe(`Edinburgh ${scotland}\n`);
  expect(warnings).toEqual([]);
});
