import { describe, expect, it } from 'vitest';
import { rawPptx } from '../fixtures/ooxml.ts';
import { bookEpub, openDocument } from '../fixtures/opendocument.ts';
import { edited } from '../fixtures/zip.ts';
import { convertBytes } from './convert-bytes.ts';

async function convert(name: string, bytes: Uint8Array | string) {
  const { text, conversion } = await convertBytes(name, bytes);
  const messages = conversion.fidelity.warnings
    .filter(({ code }) => code === 'normalize.hidden_text')
    .map(({ message }) => message)
    .join();
  return { text, messages };
}

async function expectHidden(name: string, bytes: Uint8Array | string, words = 1) {
  const { text, messages } = await convert(name, bytes);
  expect(text).not.toContain('approved');
  expect(text).toContain('seen');
  expect(messages).toContain(`${words} word`);
}

async function expectShown(name: string, bytes: Uint8Array | string) {
  const { text, messages } = await convert(name, bytes);
  expect(text).toContain('approved');
  expect(text).toContain('seen');
  expect(messages).toBe('');
}

const odf = 'urn:oasis:names:tc:opendocument:xmlns';
const prefixes = `xmlns:fo="${odf}:xsl-fo-compatible:1.0" xmlns:svg="${odf}:svg-compatible:1.0"`;

/** An OpenDocument file with these automatic styles. */
function withStyles(kind: 'text' | 'presentation', styles: string, body: string) {
  return edited(openDocument(kind, body), (parts) => {
    const xml = Buffer.from(parts['content.xml'] ?? []).toString('utf8');
    const changed = xml
      .replace('<office:document-content ', `<office:document-content ${prefixes} `)
      .replace('</office:automatic-styles>', `${styles}</office:automatic-styles>`);
    parts['content.xml'] = Buffer.from(changed);
  });
}

const textStyle = (properties: string, name = 'T', more = '') =>
  `<style:style style:name="${name}" style:family="text" ${more}><style:text-properties ${properties}/></style:style>`;
const paragraphStyle = (properties: string, text: string) =>
  `<style:style style:name="P" style:family="paragraph"><style:paragraph-properties ${properties}/><style:text-properties ${text}/></style:style>`;
const span = '<text:p>seen <text:span text:style-name="T">approved</text:span></text:p>';
const styledParagraph = '<text:p>seen</text:p><text:p text:style-name="P">approved</text:p>';

describe('hidden text of an OpenDocument text is left out and counted', () => {
  it.each([
    ['by its style', textStyle('text:display="none"'), span],
    ['white', textStyle('fo:color="#ffffff"'), span],
    ['1 point', textStyle('fo:font-size="1pt"'), span],
    ['a tenth of the usual size', textStyle('fo:font-size="10%"'), span],
    [
      'by the style that its style is based on',
      textStyle('', 'T', 'style:parent-style-name="B"') + textStyle('text:display="none"', 'B'),
      span,
    ],
    ['by the style of its paragraph', paragraphStyle('', 'text:display="none"'), styledParagraph],
    [
      'black on black',
      paragraphStyle('fo:background-color="#000000"', 'fo:color="#000000"'),
      styledParagraph,
    ],
    [
      'in a hidden section',
      '',
      '<text:p>seen</text:p><text:section text:display="none"><text:p>approved</text:p></text:section>',
    ],
    [
      'in a section hidden by its condition',
      '',
      '<text:p>seen</text:p><text:section text:display="condition" text:is-hidden="true"><text:p>approved</text:p></text:section>',
    ],
    [
      'in a paragraph with a field that hides it',
      '',
      '<text:p>seen</text:p><text:p>approved<text:hidden-paragraph text:is-hidden="true"/></text:p>',
    ],
    [
      'in a hidden field',
      '',
      '<text:p>seen <text:hidden-text text:is-hidden="true">approved</text:hidden-text></text:p>',
    ],
  ])('%s', async (_, styles, body) => {
    await expectHidden('a.odt', withStyles('text', styles, body));
  });
});

describe('text of an OpenDocument text that may be seen is kept', () => {
  it.each([
    [
      'a style within that shows it',
      paragraphStyle('', 'text:display="none"') + textStyle('text:display="true"'),
      '<text:p>seen</text:p><text:p text:style-name="P"><text:span text:style-name="T">approved</text:span></text:p>',
    ],
    [
      'white on dark',
      paragraphStyle('fo:background-color="#123456"', 'fo:color="#ffffff"'),
      styledParagraph,
    ],
    [
      'white on its own background',
      textStyle('fo:color="#ffffff" fo:background-color="#000080"'),
      span,
    ],
    ['automatic colour', textStyle('fo:color="#ffffff" style:use-window-font-color="true"'), span],
    [
      'white in a dark cell',
      `${textStyle('fo:color="#ffffff"')}<style:style style:name="C" style:family="table-cell"><style:table-cell-properties fo:background-color="#1f3864"/></style:style>`,
      `<table:table><table:table-row><table:table-cell table:style-name="C">${span}</table:table-cell><table:table-cell><text:p>b</text:p></table:table-cell></table:table-row></table:table>`,
    ],
    [
      'white in a shape',
      textStyle('fo:color="#ffffff"'),
      `<text:p><draw:frame draw:style-name="F"><draw:text-box>${span}</draw:text-box></draw:frame></text:p>`,
    ],
    [
      'a condition that shows its section',
      '',
      '<text:p>seen</text:p><text:section text:display="condition"><text:p>approved</text:p></text:section>',
    ],
    ['light grey', textStyle('fo:color="#dddddd"'), span],
    ['half the usual size', textStyle('fo:font-size="50%"'), span],
  ])('%s', async (_, styles, body) => {
    await expectShown('a.odt', withStyles('text', styles, body));
  });

  it('and a file without hidden text is read as it is', async () => {
    await expectShown(
      'a.odt',
      openDocument('text', '<text:p>seen approved &amp; “signed”</text:p>'),
    );
  });
});

describe('an OpenDocument presentation', () => {
  const box = (content: string, more = '') =>
    `<draw:frame ${more}><draw:text-box><text:p>${content}</text:p></draw:text-box></draw:frame>`;
  const size =
    '<style:page-layout style:name="L"><style:page-layout-properties fo:page-width="28cm" fo:page-height="21cm"/></style:page-layout>';

  it('has its hidden slides marked', async () => {
    const styles =
      '<style:style style:name="D" style:family="drawing-page"><style:drawing-page-properties presentation:visibility="hidden"/></style:style>';
    const { text, messages } = await convert(
      'a.odp',
      withStyles(
        'presentation',
        styles,
        `<draw:page>${box('seen')}</draw:page><draw:page draw:style-name="D">${box('approved')}</draw:page>`,
      ),
    );

    expect(text).toContain('# Slide 2 (hidden)');
    expect(messages).toContain('marked: 2.');
  });

  it('loses what lies beside its slides', async () => {
    const beside = box('approved', 'svg:x="40cm" svg:y="1cm" svg:width="5cm" svg:height="2cm"');

    await expectHidden(
      'a.odp',
      withStyles('presentation', size, `<draw:page>${box('seen')}${beside}</draw:page>`),
    );
  });

  it('keeps white text, which may be on a picture', async () => {
    const white = box('<text:span text:style-name="T">approved</text:span>');

    await expectShown(
      'a.odp',
      withStyles(
        'presentation',
        textStyle('fo:color="#ffffff"'),
        `<draw:page>${box('seen')}${white}</draw:page>`,
      ),
    );
  });
});

describe('an EPUB', () => {
  const book = (body: string, head = '', css = '') =>
    edited(bookEpub(), (parts) => {
      parts['OEBPS/a.xhtml'] = Buffer.from(
        `<html xmlns="http://www.w3.org/1999/xhtml"><head><title>t</title>${head}</head><body><p>seen</p>${body}</body></html>`,
      );
      parts['OEBPS/css/style.css'] = Buffer.from(css);
    });
  const link = '<link rel="stylesheet" type="text/css" href="css/style.css"/>';

  it.each([
    ['an inline style', book('<p style="display:none">approved</p>')],
    ['the attribute hidden', book('<p hidden="hidden">approved</p>')],
    ['a style element', book('<p class="x">approved</p>', '<style>.x{font-size:0}</style>')],
    ['a style sheet in the book', book('<p class="x">approved</p>', link, '.x { color: #ffffff }')],
    ['an element around it', book('<div style="opacity:0"><p>approved</p></div>')],
  ])('loses what is hidden by %s', async (_, bytes) => {
    await expectHidden('a.epub', bytes);
  });

  it.each([
    [
      'a later rule shows it',
      book('<p class="x">approved</p>', link, '.x{display:none} .x{display:block}'),
    ],
    [
      'it is white on dark',
      book('<div style="background:#000"><p style="color:#fff">approved</p></div>'),
    ],
    ['an empty element was hidden before it', book('<br style="display:none"/><p>approved</p>')],
  ])('keeps text when %s', async (_, bytes) => {
    await expectShown('a.epub', bytes);
  });
});

describe('a presentation', () => {
  const shape = (run: string, { fill = '', more = '', place = '' } = {}) =>
    `<p:sp><p:nvSpPr><p:cNvPr id="9" name="x" ${more}/><p:cNvSpPr txBox="1"/><p:nvPr/></p:nvSpPr><p:spPr>${place}${fill}</p:spPr><p:txBody><a:bodyPr/><a:p><a:r><a:rPr ${run}</a:rPr><a:t>approved</a:t></a:r></a:p></p:txBody></p:sp>`;
  const solid = (colour: string) => `<a:solidFill><a:srgbClr val="${colour}"/></a:solidFill>`;
  const deck = (xml: string) => rawPptx([{ title: 'T', lines: ['seen'], xml }]);
  const white = `lang="en">${solid('FFFFFF')}`;
  const at = (x: number) => `<a:xfrm><a:off x="${x}" y="0"/><a:ext cx="100" cy="100"/></a:xfrm>`;

  it.each([
    ['1 point', deck(shape('sz="100">'))],
    ['white on a white slide', deck(shape(white))],
    ['white in a white shape', deck(shape(white, { fill: solid('FFFFFF') }))],
    ['without fill', deck(shape('lang="en"><a:noFill/>'))],
    ['in a hidden shape', deck(shape('lang="en">', { more: 'hidden="1"' }))],
    ['left of the slide', deck(shape('lang="en">', { place: at(-5000) }))],
  ])('loses text that is %s', async (_, bytes) => {
    await expectHidden('a.pptx', bytes);
  });

  it.each([
    ['white in a dark shape', deck(shape(white, { fill: solid('1F3864') }))],
    ['white where a picture may be behind it', deck(`<p:pic/>${shape(white)}`)],
    [
      'white where another shape may be behind it',
      deck(`${shape('lang="en">', { fill: solid('000000') })}${shape(white)}`),
    ],
    ['white with an outline', deck(shape(`lang="en"><a:ln/>${solid('FFFFFF')}`))],
    [
      'a shade of white',
      deck(
        shape(
          'lang="en"><a:solidFill><a:srgbClr val="FFFFFF"><a:lumMod val="50000"/></a:srgbClr></a:solidFill>',
        ),
      ),
    ],
    ['partly on the slide', deck(shape('lang="en">', { place: at(-50) }))],
    ['6 points', deck(shape('sz="600">'))],
  ])('keeps text that is %s', async (_, bytes) => {
    await expectShown('a.pptx', bytes);
  });

  it('has its hidden slides marked', async () => {
    const { text, messages } = await convert(
      'a.pptx',
      rawPptx([{ title: 'T', lines: ['x'], hidden: true }]),
    );

    expect(text).toContain('# Slide 1 (hidden): T');
    expect(messages).toContain('marked: 1.');
  });
});

describe('an RTF', () => {
  const memo = (text: string) =>
    `{\\rtf1\\ansi{\\fonttbl{\\f0 Times;}}{\\colortbl;\\red255\\green255\\blue255;\\red0\\green0\\blue0;\\red31\\green56\\blue100;}\\pard seen ${text} end\\par}`;

  it.each([
    ['\\v', memo('{\\v approved}')],
    ['\\v up to \\v0', memo('\\v approved\\v0 ')],
    ['white', memo('{\\cf1 approved}')],
    ['1 point', memo('{\\fs2 approved}')],
    ['black on black', memo('{\\cf2\\highlight2 approved}')],
    ['Unicode with its fallback', memo("{\\v \\u97?pprove\\'64}")],
  ])('loses text hidden by %s', async (_, rtf) => {
    const { text } = await convert('a.rtf', rtf);

    await expectHidden('a.rtf', rtf);
    expect(text).toContain('seen');
    expect(text).toContain('end');
    expect(text).not.toContain('?');
  });

  it('loses its index entries, which are no hidden text', async () => {
    const { text, messages } = await convert('a.rtf', memo('{\\xe\\v approved}'));

    expect(text).not.toContain('approved');
    expect(messages).toBe('');
  });

  it.each([
    ['after \\plain', memo('{\\v\\plain approved}')],
    ['white on dark', memo('{\\cf1\\highlight3 approved}')],
    ['white in a dark paragraph', memo('\\pard\\cbpat3{\\cf1 approved}')],
    [
      'white in a shaded cell',
      memo(
        '\\par\\trowd\\clcbpat3\\cellx3000\\cellx6000\\intbl{\\cf1 approved}\\cell b\\cell\\row\\pard',
      ),
    ],
    ['after a hidden group', memo('{\\v }approved')],
    ['hidden on the web only', memo('{\\webhidden approved}')],
  ])('keeps text that is %s', async (_, rtf) => {
    await expectShown('a.rtf', rtf);
  });
});
