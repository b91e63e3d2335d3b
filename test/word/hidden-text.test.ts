import { describe, expect, it } from 'vitest';
import { counted } from '../../shared/formats/text/wording.ts';
import { type Link, p, rawDocx, wordPart } from '../fixtures/ooxml.ts';
import { partsOf, textOf } from '../fixtures/zip.ts';
import { convertBytes } from '../formats/convert-bytes.ts';
import { cell, row, table } from './docx-body.ts';
import { prepareBytes } from './prepared.ts';

/** A paragraph with "approved" in a run with these properties, between visible words. */
const within = (properties: string, paragraph = '') =>
  `<w:p><w:pPr>${paragraph}</w:pPr><w:r><w:t xml:space="preserve">Status: </w:t></w:r><w:r><w:rPr>${properties}</w:rPr><w:t>approved</w:t></w:r><w:r><w:t xml:space="preserve"> end</w:t></w:r></w:p>`;

const styles: Link = { id: 'rStyles', type: 'styles', target: 'styles.xml' };
const theme: Link = { id: 'rTheme', type: 'theme', target: 'theme/theme1.xml' };
const themePart =
  '<a:theme xmlns:a="http://schemas.openxmlformats.org/drawingml/2006/main"><a:themeElements><a:clrScheme name="x"><a:dk1><a:sysClr val="windowText" lastClr="000000"/></a:dk1><a:lt1><a:sysClr val="window" lastClr="FFFFFF"/></a:lt1><a:dk2><a:srgbClr val="1F497D"/></a:dk2></a:clrScheme></a:themeElements></a:theme>';

function docx(body: string, style = '', links: Link[] = [], extra: Record<string, string> = {}) {
  return rawDocx(body, [styles, theme, ...links], {
    'word/styles.xml': wordPart('styles', style),
    'word/theme/theme1.xml': themePart,
    ...extra,
  });
}

/** What each of Word's ways makes of a docx: the text, and how many hidden words it reports. */
async function bothWays(bytes: Buffer) {
  const { text, conversion } = await convertBytes('a.docx', bytes);
  const { paragraphs, facts } = await prepareBytes(bytes);
  const messages = conversion.fidelity.warnings
    .filter(({ code }) => code === 'normalize.hidden_text')
    .map(({ message }) => message);
  return {
    text,
    messages,
    printed: paragraphs.flat().join(' '),
    printedHidden: facts.hiddenWords,
  };
}

async function expectHidden(bytes: Buffer, words = 1) {
  const { text, messages, printed, printedHidden } = await bothWays(bytes);
  expect(text).not.toContain('approved');
  expect(printed).not.toContain('approved');
  expect(messages.join()).toContain(`${counted(words, 'word')} of hidden text left out`);
  expect(printedHidden).toBe(words);
  return text;
}

async function expectShown(bytes: Buffer) {
  const { text, messages, printed, printedHidden } = await bothWays(bytes);
  expect(text).toContain('approved');
  expect(printed).toContain('approved');
  expect(messages).toEqual([]);
  expect(printedHidden).toBe(0);
}

const characterStyle = (properties: string, more = '') =>
  `<w:style w:type="character" w:styleId="C">${more}<w:rPr>${properties}</w:rPr></w:style>`;
const paragraphStyle = (properties: string, more = '') =>
  `<w:style w:type="paragraph" w:styleId="P">${more}<w:rPr>${properties}</w:rPr></w:style>`;
const ofStyle = '<w:rStyle w:val="C"/>';
const inStyle = '<w:pStyle w:val="P"/>';
const behind =
  '<w:p><w:r><w:drawing><wp:anchor behindDoc="1"><wp:extent cx="1" cy="1"/></wp:anchor></w:drawing></w:r></w:p>';

describe('text that Word does not show is left out, both in text and in print, and counted', () => {
  it.each([
    ['vanish', '<w:vanish/>'],
    ['white', '<w:color w:val="FFFFFF"/>'],
    ['nearly white', '<w:color w:val="FEFEFE"/>'],
    ['the theme’s background', '<w:color w:val="000000" w:themeColor="background1"/>'],
    ['1 point', '<w:sz w:val="2"/>'],
    ['black on black', '<w:color w:val="000000"/><w:shd w:val="clear" w:fill="000000"/>'],
    ['yellow on yellow', '<w:color w:val="FFFF00"/><w:highlight w:val="yellow"/>'],
    [
      'black on a solid pattern',
      '<w:color w:val="000000"/><w:shd w:val="solid" w:color="000000"/>',
    ],
    ['letters of 1% width', '<w:w w:val="1"/>'],
    ['no fill', '<w14:textFill><w14:noFill/></w14:textFill>'],
    [
      'a white fill over a black colour',
      '<w:color w:val="000000"/><w14:textFill><w14:solidFill><w14:srgbClr w14:val="FFFFFF"/></w14:solidFill></w14:textFill>',
    ],
  ])('%s', async (_, properties) => {
    const text = await expectHidden(docx(within(properties)));

    expect(text).toBe('Status:  end\n');
  });

  it.each([
    ['hidden by a character style', within(ofStyle), characterStyle('<w:vanish/>')],
    ['hidden by a paragraph style', p('approved', inStyle), paragraphStyle('<w:vanish/>')],
    [
      'white by a paragraph style',
      p('approved', inStyle),
      paragraphStyle('<w:color w:val="FFFFFF"/>'),
    ],
    [
      'tiny by the style that a style is based on',
      within(ofStyle),
      `${characterStyle('', '<w:basedOn w:val="B"/>')}<w:style w:type="character" w:styleId="B"><w:rPr><w:sz w:val="2"/></w:rPr></w:style>`,
    ],
    [
      'white in a table without shading',
      table(row(cell(p('a')), cell(within('<w:color w:val="FFFFFF"/>')))),
      '',
    ],
    [
      'black in a black cell',
      table(
        row(
          cell(p('a')),
          cell(within('<w:color w:val="000000"/>'), '<w:shd w:val="clear" w:fill="000000"/>'),
        ),
      ),
      '',
    ],
    [
      'cut off by an exact line height',
      p('approved', '<w:spacing w:line="20" w:lineRule="exact"/>'),
      '',
    ],
    [
      'hidden by the style of its table',
      `<w:tbl><w:tblPr><w:tblStyle w:val="T"/></w:tblPr>${row(cell(p('approved')), cell('<w:p/>'))}</w:tbl>`,
      '<w:style w:type="table" w:styleId="T"><w:rPr><w:vanish/></w:rPr></w:style>',
    ],
    ['in a frame outside of the page', p('approved', '<w:framePr w:x="-40000" w:y="1"/>'), ''],
  ])('%s', async (_, body, style) => {
    await expectHidden(docx(p('seen') + body, style));
  });

  it('as one word where Word splits it over runs', async () => {
    const half = (text: string) => `<w:r><w:rPr><w:vanish/></w:rPr><w:t>${text}</w:t></w:r>`;

    await expectHidden(docx(`${p('seen')}<w:p>${half('appr')}${half('oved by all')}</w:p>`), 3);
  });

  it('with the note that a hidden reference refers to', async () => {
    const notes: Link = { id: 'rNotes', type: 'footnotes', target: 'footnotes.xml' };
    const reference =
      '<w:p><w:r><w:t>seen</w:t></w:r><w:r><w:rPr><w:vanish/></w:rPr><w:footnoteReference w:id="2"/></w:r></w:p>';
    const note = `<w:footnote w:id="2">${p('approved in secret')}</w:footnote>`;

    await expectHidden(
      docx(reference, '', [notes], { 'word/footnotes.xml': wordPart('footnotes', note) }),
      3,
    );
  });
});

describe('text that may be visible is kept and not called hidden', () => {
  it.each([
    [
      'a hidden style that the run overrides',
      within(`${ofStyle}<w:vanish w:val="0"/>`),
      characterStyle('<w:vanish/>'),
    ],
    [
      'two styles that hide cancel out',
      `<w:p><w:pPr>${inStyle}</w:pPr><w:r><w:rPr>${ofStyle}</w:rPr><w:t>approved</w:t></w:r></w:p>`,
      characterStyle('<w:vanish/>') + paragraphStyle('<w:vanish/>'),
    ],
    ['hidden on the web only', within('<w:webHidden/>'), ''],
    [
      'automatic colour in a white style',
      within(`${ofStyle}<w:color w:val="auto"/>`),
      characterStyle('<w:color w:val="FFFFFF"/>'),
    ],
    [
      'white on dark shading',
      within('<w:color w:val="FFFFFF"/><w:shd w:val="clear" w:fill="1F3864"/>'),
      '',
    ],
    [
      'white on a highlight',
      within('<w:color w:val="FFFFFF"/><w:highlight w:val="darkBlue"/>'),
      '',
    ],
    [
      'white in a dark paragraph',
      within('<w:color w:val="FFFFFF"/>', '<w:shd w:val="clear" w:fill="000000"/>'),
      '',
    ],
    [
      'white in a dark cell',
      table(
        row(
          cell(within('<w:color w:val="FFFFFF"/>'), '<w:shd w:val="clear" w:fill="1F3864"/>'),
          cell(p('b')),
        ),
      ),
      '',
    ],
    [
      'white in a table whose style shades its header',
      `<w:tbl><w:tblPr><w:tblStyle w:val="T"/></w:tblPr>${row(cell(within('<w:color w:val="FFFFFF"/>')), cell(p('b')))}</w:tbl>`,
      '<w:style w:type="table" w:styleId="T"><w:tblStylePr w:type="firstRow"><w:tcPr><w:shd w:val="clear" w:fill="1F3864"/></w:tcPr></w:tblStylePr></w:style>',
    ],
    ['white with an outline', within('<w:color w:val="FFFFFF"/><w:outline/>'), ''],
    [
      'white on a pattern',
      within('<w:color w:val="FFFFFF"/><w:shd w:val="pct50" w:color="auto" w:fill="FFFFFF"/>'),
      '',
    ],
    ['white where a drawing is behind the text', behind + within('<w:color w:val="FFFFFF"/>'), ''],
    [
      'in the first row of a table whose style hides the others',
      `<w:tbl><w:tblPr><w:tblStyle w:val="T"/></w:tblPr>${row(cell(p('approved')), cell(p('b')))}</w:tbl>`,
      '<w:style w:type="table" w:styleId="T"><w:tblStylePr w:type="band2Horz"><w:rPr><w:vanish/></w:rPr></w:tblStylePr></w:style>',
    ],
    ['light grey', within('<w:color w:val="D9D9D9"/>'), ''],
    ['3 points', within('<w:sz w:val="6"/>'), ''],
    [
      'a darker shade of the background',
      within('<w:color w:val="FFFFFF" w:themeColor="background1" w:themeShade="80"/>'),
      '',
    ],
    [
      'a change of formatting that is no longer hidden',
      within('<w:rPrChange w:id="1"><w:rPr><w:vanish/></w:rPr></w:rPrChange>'),
      '',
    ],
    [
      'a hidden paragraph mark',
      `<w:p><w:pPr><w:rPr><w:vanish/></w:rPr></w:pPr><w:r><w:t>approved</w:t></w:r></w:p>`,
      '',
    ],
  ])('%s', async (_, body, style) => {
    await expectShown(docx(p('seen') + body, style));
  });

  it('also in a PDF, where docx-preview would hide all text of a hidden style', async () => {
    const bytes = docx(within(`${ofStyle}<w:vanish w:val="0"/>`), characterStyle('<w:vanish/>'));

    const { docx: printed } = await prepareBytes(bytes);

    const parts = partsOf(printed);
    expect(textOf(parts, 'word/document.xml')).toContain('approved');
    for (const name of Object.keys(parts)) expect(textOf(parts, name)).not.toContain('vanish');
  });
});

describe('headers and footers', () => {
  const header = (id: string): Link => ({ id, type: 'header', target: `${id}.xml` });
  const parts = {
    'word/h1.xml': wordPart('hdr', p('first')),
    'word/h2.xml': wordPart('hdr', p('usual')),
  };
  const section = (more: string) =>
    `<w:sectPr><w:headerReference w:type="first" r:id="h1"/><w:headerReference w:type="default" r:id="h2"/>${more}</w:sectPr>`;

  it('are left out when the option that shows them is off', async () => {
    const { text } = await convertBytes(
      'a.docx',
      docx(p('body') + section(''), '', [header('h1'), header('h2')], parts),
    );

    expect(text).toBe('body\n\n---\n\nHeader:\n\nusual\n');
  });

  it('of the first page are kept when a later section shows them', async () => {
    const body = `<w:p><w:pPr>${section('')}</w:pPr></w:p>${p('body')}<w:sectPr><w:titlePg/></w:sectPr>`;

    const { text } = await convertBytes(
      'a.docx',
      docx(body, '', [header('h1'), header('h2')], parts),
    );

    expect(text).toContain('first');
  });
});
