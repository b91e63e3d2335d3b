import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import {
  AlignmentType,
  Document,
  Footer,
  FootnoteReferenceRun,
  Header,
  HeadingLevel,
  ImageRun,
  Math as MathBlock,
  MathFraction,
  MathRun,
  Packer,
  PageNumber,
  PageOrientation,
  Paragraph,
  Table,
  TableCell,
  TableRow,
  TextRun,
} from 'docx';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createRenderer, type Rendered, renderDocx } from '../../shared/print/index.ts';
import { docxOf, emf, image, namespaces, paragraph, picture } from './docx-fixture.ts';
import { type Pdf, readPdf } from './pdf.ts';

const renderer = createRenderer();
let dir: string;

beforeAll(async () => {
  dir = await mkdtemp(path.join(os.tmpdir(), 'render-test-'));
});

afterAll(async () => {
  await renderer.close();
  await rm(dir, { recursive: true, force: true });
});

async function print(docx: Buffer, render = renderer.render): Promise<Rendered & { pdf: Pdf }> {
  const outDir = await mkdtemp(path.join(dir, 'out-'));
  const input = path.join(outDir, 'in.docx');
  await writeFile(input, docx);
  const rendered = await render({
    path: input,
    outDir,
    timeoutMs: 60_000,
    renderer: 'chromium',
  });
  return { ...rendered, pdf: await readPdf(rendered.path) };
}

async function report(): Promise<Buffer> {
  const pictureRun = async (type: 'png' | 'jpg') =>
    new ImageRun({
      type,
      data: await image(type === 'png' ? 'png' : 'jpeg'),
      transformation: { width: 60, height: 40 },
    });
  const row = (cells: string[]) =>
    new TableRow({
      children: cells.map((text) => new TableCell({ children: [new Paragraph(text)] })),
    });
  const margins = {
    headers: { default: new Header({ children: [new Paragraph('Confidential letterhead')] }) },
    footers: {
      default: new Footer({
        children: [
          new Paragraph({
            children: [
              new TextRun({
                children: ['Sheet ', PageNumber.CURRENT, ' of ', PageNumber.TOTAL_PAGES],
              }),
            ],
          }),
        ],
      }),
    },
  };
  const document = new Document({
    title: 'Yearly report',
    footnotes: {
      1: { children: [new Paragraph('First note')] },
      2: { children: [new Paragraph('Second note')] },
    },
    sections: [
      {
        ...margins,
        properties: { page: { size: { width: 11906, height: 16838 } } },
        children: [
          new Paragraph({ text: 'Results', heading: HeadingLevel.HEADING_1 }),
          new Paragraph({ children: [new TextRun('Income rose'), new FootnoteReferenceRun(1)] }),
          new Paragraph({ alignment: AlignmentType.CENTER, children: [await pictureRun('png')] }),
          new Table({ rows: [row(['Region', 'Income']), row(['North', '42'])] }),
          new Paragraph({
            children: [
              new MathBlock({
                children: [
                  new MathFraction({
                    numerator: [new MathRun('7')],
                    denominator: [new MathRun('9')],
                  }),
                ],
              }),
            ],
          }),
        ],
      },
      {
        ...margins,
        properties: {
          page: { size: { width: 11906, height: 16838, orientation: PageOrientation.LANDSCAPE } },
        },
        children: [
          new Paragraph({ children: [new TextRun('Costs fell'), new FootnoteReferenceRun(2)] }),
          new Paragraph({ children: [await pictureRun('jpg')] }),
        ],
      },
    ],
  });
  return Packer.toBuffer(document);
}

describe('a printed report', () => {
  let printed: Rendered & { pdf: Pdf };

  beforeAll(async () => {
    printed = await print(await report());
  });

  it('contains every word once, in order', () => {
    const { text } = printed.pdf;

    expect(text).toMatch(/Results.*Income rose.*Region.*Income.*North.*42.*Costs fell/s);
    expect(text.match(/Income rose/g)).toHaveLength(1);
  });

  it('has a page for each section, in its size and direction', () => {
    expect(printed.pages).toBe(2);
    expect(printed.pdf.sizes).toEqual([
      [595, 842],
      [842, 595],
    ]);
  });

  it('repeats header and footer with the numbers of its own pages', () => {
    expect(printed.pdf.pages[0]).toMatch(/Confidential letterhead.*Sheet 1 of 2/);
    expect(printed.pdf.pages[1]).toMatch(/Confidential letterhead.*Sheet 2 of 2/);
  });

  it('numbers footnotes consecutively, each on its page', () => {
    expect(printed.pdf.pages[0]).toMatch(/Income rose ?1.*1\. ?First note/);
    expect(printed.pdf.pages[1]).toMatch(/Costs fell ?2.*2\. ?Second note/);
  });

  it('paints the pictures and counts them', () => {
    expect(printed.pdf.images).toBe(2);
    expect(printed).toMatchObject({ imagesFound: 2, imagesKept: 2, warnings: [] });
  });

  it('draws equations', () => {
    expect(printed.pdf.pages[0]).toMatch(/7 ?9/);
  });

  it('is tagged and has its headings as an outline', () => {
    expect(printed.pdf.isTagged).toBe(true);
    expect(printed.pdf.outline).toEqual(['Results']);
  });
});

describe('scripts of the world', () => {
  it.each([
    ['Chinese', '中华人民共和国长门见车马风页飞老高用'],
    ['Japanese', '日本語の文章です'],
    ['Korean', '대한민국의 글자'],
    ['Arabic', 'اللغة العربية'],
    ['Hebrew', 'שלום עולם'],
    ['Thai', 'ภาษาไทย'],
    ['Devanagari', 'नमक और आम'],
    ['Bengali', 'বাংলা'],
    ['Tamil', 'தமிழ்'],
    ['Georgian', 'ქართული'],
    ['emoji', '😀🚀'],
    ['symbols', '→ ✓ ☐ ∑'],
  ])('come back from the PDF: %s', async (_, text) => {
    const { pdf } = await print(docxOf(paragraph(text)));

    const letters = (of: string) => [...of.normalize('NFKC').replace(/\s/g, '')].sort().join('');
    expect(letters(pdf.text)).toBe(letters(text));
  });
});

it('embeds the font of a script once, in whatever sizes it is used', async () => {
  const sizes = [16, 24, 32, 48, 72];
  const runs = sizes.map(
    (size) =>
      `<w:p><w:r><w:rPr><w:sz w:val="${size}"/></w:rPr><w:t>اللغة العربية 中华</w:t></w:r></w:p>`,
  );

  const { path: pdf } = await print(docxOf(runs.join('')));

  const fonts = (await readFile(pdf, 'latin1')).match(/\/FontName \/\w+\+[\w-]+/g) ?? [];
  expect(fonts.map((font) => font.replace(/.*\+/, '')).toSorted()).toEqual([
    'Amiri-Regular',
    'Arimo-Regular',
    'NotoSansSC-Regular',
  ]);
});

describe('what cannot be shown', () => {
  it('is counted and named in a warning', async () => {
    const { imagesFound, imagesKept, warnings, pdf } = await print(
      docxOf(paragraph('words') + picture('a') + picture('b'), {
        parts: {
          'media/a.png': { type: 'image', content: await image('gif') },
          'media/b.emf': { type: 'image', content: emf() },
        },
      }),
    );

    expect({ imagesFound, imagesKept, painted: pdf.images }).toEqual({
      imagesFound: 2,
      imagesKept: 1,
      painted: 1,
    });
    expect(warnings).toEqual([
      {
        code: 'render.images_lost',
        message: '1 of 2 pictures are not in the PDF: 1 in EMF or WMF format.',
      },
    ]);
  });

  it('is added at the end when it is text', async () => {
    // docx-preview skips a table that is marked as hidden; Word shows it.
    const hidden = `<w:tbl><w:tblPr><w:hidden/></w:tblPr><w:tr><w:tc>${paragraph('overlooked words')}</w:tc></w:tr></w:tbl>`;

    const { pdf, warnings } = await print(docxOf(paragraph('seen words') + hidden));

    expect(pdf.pages.at(-1)).toMatch(/could not be shown in its place.*overlooked words/);
    expect(warnings.map(({ code }) => code)).toEqual(['render.text_appended']);
  });
});

it('shows what a run shows again, and not what is hidden, tiny or white', async () => {
  const styles = `<w:styles ${namespaces}><w:style w:type="character" w:styleId="H"><w:rPr><w:vanish/></w:rPr></w:style></w:styles>`;
  const run = (text: string, properties: string) =>
    `<w:p><w:r><w:rPr>${properties}</w:rPr><w:t>${text}</w:t></w:r></w:p>`;
  const body =
    run('seen', '') +
    run('again', '<w:rStyle w:val="H"/><w:vanish w:val="0"/>') +
    run('styled', '<w:rStyle w:val="H"/>') +
    run('tiny', '<w:sz w:val="2"/>') +
    run('white', '<w:color w:val="FFFFFF"/>') +
    run('inverse', '<w:color w:val="FFFFFF"/><w:shd w:val="clear" w:fill="000000"/>');

  const { pdf, warnings } = await print(
    docxOf(body, { parts: { 'styles.xml': { type: 'styles', content: styles } } }),
  );

  expect(pdf.text.split(/\s+/)).toEqual(['seen', 'again', 'inverse']);
  expect(warnings).toEqual([{ code: 'render.hidden_text', message: '3 hidden words left out.' }]);
});

it('renders one document without keeping a browser', async () => {
  const { pdf } = await print(docxOf(paragraph('alone')), renderDocx);

  expect(pdf.text).toBe('alone');
});

it('prints documents that arrive together one at a time', async () => {
  const words = ['one', 'two', 'three'];

  const printed = await Promise.all(words.map(async (word) => print(docxOf(paragraph(word)))));

  expect(printed.map(({ pdf }) => pdf.text)).toEqual(words);
});
