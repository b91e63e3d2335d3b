import { describe, expect, test } from 'vitest';
import { convertBytes } from './convert-bytes.ts';

/** What a page means by its elements, where the text alone would say something else. */

async function textOf(page: string, name = 'page.html'): Promise<string> {
  return (await convertBytes(name, page)).text.trimEnd();
}
const body = (html: string) => textOf(`<html><body>${html}`);

describe('a page in XHTML', () => {
  const root = '<html xmlns="http://www.w3.org/1999/xhtml">';

  test.each([
    ['script', `<?xml version="1.0"?>${root}<head><script src="a.js"/></head>`],
    ['style', `<?xml version="1.0"?>${root}<head><style type="text/css"/></head>`],
    ['title', `<!DOCTYPE html>\n${root}<head><title/></head>`],
    ['link to an anchor', `${root}<head></head>`],
  ])('keeps what follows an element that ends itself: %s', async (_, head) => {
    const page = `${head}<body><a id="x"/><p>Valves <em/>are open.</p></body></html>`;

    expect(await textOf(page, 'page.xhtml')).toBe('Valves are open.');
  });

  test('keeps sections of characters', async () => {
    const page = `<?xml version="1.0"?>${root}<body><p>a <![CDATA[< b & c]]></p></body></html>`;

    expect(await textOf(page)).toBe('a < b & c');
  });

  test('has its hidden text left out by a sheet after a sheet without content', async () => {
    const page = `<?xml version="1.0"?>${root}<head><style/><style>.x{display:none}</style></head><body><p>a</p><p class="x">b</p></body></html>`;

    expect(await textOf(page)).toBe('a');
  });

  test('that is HTML follows the rules of HTML, whose script has no end there', async () => {
    expect(await textOf('<html><body>a<p/>b<div/>c')).toBe('a\n\nb\n\nc');
  });
});

describe('a formula', () => {
  test.each([
    ['<mfrac><mn>3</mn><mn>4</mn></mfrac>', '3/4'],
    [
      '<mfrac><mrow><mi>a</mi><mo>+</mo><mn>1</mn></mrow><mrow><mi>b</mi><mo>-</mo><mi>c</mi></mrow></mfrac>',
      '(a + 1)/(b - c)',
    ],
    ['<msup><mi>x</mi><mrow><mi>n</mi><mo>+</mo><mn>1</mn></mrow></msup>', 'x^(n + 1)'],
    ['<msub><mi>CO</mi><mn>2</mn></msub>', 'CO_2'],
    ['<msubsup><mi>x</mi><mi>i</mi><mn>2</mn></msubsup>', 'x_i^2'],
    ['<msqrt><mi>x</mi><mo>+</mo><mn>1</mn></msqrt>', '√(x + 1)'],
    ['<mroot><mn>8</mn><mn>3</mn></mroot>', '8^(1/3)'],
    [
      '<munderover><mo>∑</mo><mrow><mi>i</mi><mo>=</mo><mn>1</mn></mrow><mi>n</mi></munderover>',
      '(∑)_(i = 1)^n',
    ],
    [
      '<mtable><mtr><mtd><mn>1</mn></mtd><mtd><mn>2</mn></mtd></mtr><mtr><mtd><mn>3</mn></mtd><mtd><mn>4</mn></mtd></mtr></mtable>',
      '[1, 2; 3, 4]',
    ],
    ['<mi>sin</mi><mo>\u2061</mo><mrow><mo>(</mo><mi>x</mi><mo>)</mo></mrow>', 'sin(x)'],
    [
      '<semantics><mfrac><mn>1</mn><mn>2</mn></mfrac><annotation encoding="application/x-tex">\\frac12</annotation></semantics>',
      '1/2',
    ],
  ])('is written in a line: %s', async (math, expected) => {
    expect(await body(`<p>A <math>${math}</math> b</p>`)).toBe(`A ${expected} b`);
  });

  test('that does not end loses nothing of what follows', async () => {
    expect(await body('<p>A <math><mfrac><mn>1</mn><mn>2</mn></mfrac></p><p>End')).toContain('End');
  });
});

describe('a list', () => {
  test.each([
    ['<ol type=A><li>x<li>y</ol>', 'A. x\nB. y'],
    ['<ol type=a start=26><li>x<li>y</ol>', 'z. x\naa. y'],
    ['<ol type=i start=8><li>x<li>y</ol>', 'viii. x\nix. y'],
    ['<ol type=I start=0><li>x<li>y</ol>', '0. x\nI. y'],
    ['<ol reversed><li>x<li>y<li>z</ol>', '3. x\n2. y\n1. z'],
    ['<ol reversed start=10><li>x<li>y</ol>', '10. x\n9. y'],
    [
      '<ol reversed><li>x<ol><li>in</ol><li>y</ol><ol reversed type=a><li>z<li>w</ol>',
      '2. x\n  1. in\n1. y\n\nb. z\na. w',
    ],
  ])('has the labels that a browser shows: %s', async (html, expected) => {
    expect(await body(html)).toBe(expected);
  });
});

test('a choice is marked among its options', async () => {
  expect(await body('<select><option>A<option selected>B<option>C</select>')).toBe(
    '[ ] A\n[x] B\n[ ] C',
  );
});

test('code in a block of code has no marks of its own', async () => {
  expect(await body('<pre><code>a = b<sup>2</sup></code></pre><p><code>c</code>')).toBe(
    '```\na = b^2\n```\n\n`c`',
  );
});

test('the fallback of ruby text is not read twice', async () => {
  expect(await body('<ruby>漢<rp>(</rp><rt>kan</rt><rp>)</rp></ruby>')).toBe('漢(kan)');
});
