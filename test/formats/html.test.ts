import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { codeOf, convertBytes } from './convert-bytes.ts';

async function textOf(html: string): Promise<string> {
  return (await convertBytes('page.html', `<html><body>${html}`)).text.trimEnd();
}

describe('a web page', () => {
  test.each([
    ['headings', '<h1>One</h1><h3>Three<br>more</h3>', '# One\n\n### Three more'],
    ['paragraphs and line breaks', '<p>a\n  b<br>c<p>d', 'a b\nc\n\nd'],
    ['lines of a mail', '<div>a</div><div>b</div><div><br></div><div>c</div>', 'a\nb\n\nc'],
    ['entities', '<p>a &amp; b &lt;c&gt; &eacute;&nbsp;&#x1F642;', 'a & b <c> é 🙂'],
    ['lists', '<ul><li>a<li>b<ul><li>c</ul><li>d</ul>', '- a\n- b\n  - c\n- d'],
    ['numbers of lists', '<ol start=3><li>a<li>b<li value=9>c</ol>', '3. a\n4. b\n9. c'],
    ['paragraphs of list items', '<ul><li><p>a</p><p>b</p></ul>', '- a\n  b'],
    [
      'links',
      '<a href="https://x.y/z">site</a>, <a href="#top">up</a>',
      '[site](https://x.y/z), up',
    ],
    ['addresses as links once', '<a href="mailto:a@b.c">a@b.c</a>', 'a@b.c'],
    ['no links that run code', '<a href="javascript:alert(1)">x</a>', 'x'],
    ['code', '<pre>if (a) {\n    b();\n}</pre>', '```\nif (a) {\n    b();\n}\n```'],
    ['quotations', '<blockquote><p>a<p>b</blockquote>', '> a\n\n> b'],
    [
      'struck text, superscripts and subscripts',
      '<del>1</del> 10<sup>6</sup> H<sub>2</sub>O',
      '~~1~~ 10^6 H_2O',
    ],
    ['alternative texts of pictures', '<img src=x alt="A cat">', '[image: A cat]'],
    [
      'checkboxes and radio buttons',
      '<input type=checkbox checked>a<input type=radio>b',
      '[x] a [ ] b',
    ],
    ['rules between parts', 'a<hr>b', 'a\n\n---\n\nb'],
  ])('keeps %s', async (_, html, expected) => {
    expect(await textOf(html)).toBe(expected);
  });

  test('keeps tables row by row, with spans and bars in cells', async () => {
    const html =
      '<table><caption>Cap</caption><tr><th>A<th>B<tr><td rowspan=2>1|2<td>x<br>y' +
      '<tr><td>z<tr><td colspan=2>wide</table>';

    expect(await textOf(html)).toBe(
      'Cap\n\n| A | B |\n| --- | --- |\n| 1\\|2 | x<br>y |\n|  | z |\n| wide |  |',
    );
  });

  test('splits up tables that are only layout', async () => {
    const html =
      '<table><tr><td>Menu<td><h2>News</h2><p>Text<table><tr><td>a<td>b<tr><td>c<td>d</table></table>';

    expect(await textOf(html)).toBe(
      'Menu\n\n## News\n\nText\n\n| a | b |\n| --- | --- |\n| c | d |',
    );
  });

  test('begins with its title', async () => {
    const { text } = await convertBytes('a.html', '<html><title>My &amp; page</title><p>x');

    expect(text).toBe('Title: My & page\n\nx\n');
  });

  test('loses scripts, styles and hidden elements, and counts the hidden ones', async () => {
    const { text, warnings } = await convertBytes(
      'a.html',
      '<html><style>p{}</style><script>evil()</script><p>seen<p style="display: none">hidden' +
        '<div hidden>also <b>hidden</b></div><noscript>no</noscript><template>t</template>',
    );

    expect(text).toBe('seen\n');
    expect(warnings).toEqual(['normalize.hidden_content']);
  });

  test('counts its pictures, but not tracking pixels', async () => {
    const { conversion, warnings } = await convertBytes(
      'a.html',
      '<html><p>x<img src=a><img src=b alt=b><svg><text>no</text></svg><img width=1 height=1>',
    );

    expect(conversion.fidelity).toMatchObject({ imagesFound: 3, imagesKept: 0 });
    expect(warnings).toEqual(['normalize.image_lost']);
  });

  test('is read in the encoding that its meta element names', async () => {
    const bytes = Buffer.from('<html><meta charset="iso-8859-2"><p>\xa3\xf3d\xbc', 'latin1');

    const { text, conversion } = await convertBytes('a.html', bytes);

    expect(text).toBe('Łódź\n');
    expect(conversion.fidelity.encoding).toBe('iso-8859-2');
  });

  test('that only a script would fill counts as empty', async () => {
    const html = '<html><body><div id=root></div><script src=app.js></script>';

    expect(await codeOf(convertBytes('a.html', html))).toBe('normalize.empty');
  });

  test('nested deeper than the limit is rejected', async () => {
    const html = `<html>${'<div>'.repeat(2_000)}x`;

    expect(await codeOf(convertBytes('a.html', html))).toBe('normalize.xml_depth');
  });

  test('built of spans does not blow up', async () => {
    const row = `<tr>${'<td colspan=1000 rowspan=1000>x'.repeat(20)}`;
    const html = `<html><table>${row.repeat(200)}</table>`;

    const { text } = await convertBytes('a.html', html);

    expect(text.length).toBeLessThan(50 * html.length);
  });

  test('keeps every word of its text, whatever tags are around it', async () => {
    const word = fc.stringMatching(/^[a-z]{1,8}$/);
    const tag = fc.constantFrom(
      '<p>',
      '</p>',
      '<b>',
      '</b>',
      '<table>',
      '</table>',
      '<tr>',
      '<td>',
      '</td>',
      '<ul>',
      '<li>',
      '</ul>',
      '<h2>',
      '</h2>',
      '<a href="/x">',
      '</a>',
      '<pre>',
      '</pre>',
      '<br>',
      '<blockquote>',
      '</blockquote>',
      '<div>',
      '</div>',
      '</tr>',
    );
    const page = fc.array(
      fc.oneof(
        word.map((text) => ` ${text} `),
        tag,
      ),
      { minLength: 1, maxLength: 60 },
    );

    await fc.assert(
      fc.asyncProperty(page, async (pieces) => {
        const words = pieces.filter((piece) => !piece.startsWith('<')).map((piece) => piece.trim());
        fc.pre(words.length > 0);

        const text = await textOf(pieces.join(''));

        expect(text.match(/\b(?!br\b)[a-z]+/g)?.filter((found) => found !== 'x') ?? []).toEqual(
          words.filter((found) => found !== 'x' && found !== 'br'),
        );
      }),
      { numRuns: 100, seed: 20261122 },
    );
  });
});
