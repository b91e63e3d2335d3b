import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { bundledTypefaces } from '../../shared/print/fonts.ts';
import { type Prepared, prepareDocx } from '../../shared/word/to-pdf/index.ts';
import { type Parts, partsOf, textOf, zipOf } from '../fixtures/zip.ts';
import {
  docxOf,
  emf,
  type Fixture,
  image,
  namespaces,
  paragraph,
  picture,
  textBox,
} from '../print/docx-fixture.ts';

let dir: string;

beforeAll(async () => {
  dir = await mkdtemp(path.join(os.tmpdir(), 'prepare-test-'));
});

afterAll(() => rm(dir, { recursive: true, force: true }));

async function prepareBytes(docx: Uint8Array): Promise<Prepared> {
  const file = path.join(dir, 'in.docx');
  await writeFile(file, docx);
  return prepareDocx(file, bundledTypefaces);
}

async function prepared(
  body: string,
  fixture: Fixture = {},
): Promise<Prepared & { xml: string; parts: Parts }> {
  const made = await prepareBytes(docxOf(body, fixture));
  const parts = partsOf(made.docx);
  return { ...made, xml: plain(textOf(parts, 'word/document.xml')), parts };
}

/** Decodes the character references of the XML. */
function plain(xml: string): string {
  return xml.replace(/&#x([0-9a-f]+);/g, (_, point) =>
    String.fromCodePoint(Number.parseInt(point, 16)),
  );
}

/** Text of the paragraphs that docx-preview would show. */
function shown(xml: string): string[] {
  return [...xml.matchAll(/<w:p[ >].*?<\/w:p>/g)].map(([paragraph]) =>
    [...paragraph.matchAll(/<w:t[^>]*>([^<]*)<\/w:t>/g)].map(([, text]) => text).join(''),
  );
}

describe('text that docx-preview would skip', () => {
  it.each([
    [
      'a content control around a cell',
      '<w:tbl><w:tr><w:sdt><w:sdtContent><w:tc>TEXT</w:tc></w:sdtContent></w:sdt></w:tr></w:tbl>',
    ],
    [
      'a content control around a row',
      '<w:tbl><w:sdt><w:sdtContent><w:tr><w:tc>TEXT</w:tc></w:tr></w:sdtContent></w:sdt></w:tbl>',
    ],
    [
      'a content control in a cell',
      '<w:tbl><w:tr><w:tc><w:sdt><w:sdtContent>TEXT</w:sdtContent></w:sdt></w:tc></w:tr></w:tbl>',
    ],
    ['custom XML around a block', '<w:customXml>TEXT</w:customXml>'],
    ['an inserted block', '<w:ins>TEXT</w:ins>'],
    ['moved text', '<w:moveTo>TEXT</w:moveTo>'],
  ])('is kept from %s', async (_, body) => {
    const { xml } = await prepared(body.replace('TEXT', paragraph('the words')));

    expect(shown(xml)).toContain('the words');
    expect(xml).not.toMatch(/w:(sdt|customXml|ins|moveTo)\b/);
  });

  it.each([
    [
      'a simple field',
      '<w:fldSimple w:instr="DATE"><w:r><w:t>today</w:t></w:r></w:fldSimple>',
      'today',
    ],
    [
      'a field in one run',
      '<w:r><w:fldChar w:fldCharType="begin"/><w:instrText>DATE</w:instrText><w:fldChar w:fldCharType="separate"/><w:t>today</w:t><w:fldChar w:fldCharType="end"/></w:r>',
      'today',
    ],
    [
      'an insertion in a link',
      '<w:hyperlink w:anchor="x"><w:ins><w:r><w:t>today</w:t></w:r></w:ins></w:hyperlink>',
      'today',
    ],
    ['a non-breaking hyphen', '<w:r><w:t>to</w:t><w:noBreakHyphen/><w:t>day</w:t></w:r>', 'to-day'],
    [
      'ruby',
      '<w:r><w:ruby><w:rt><w:r><w:t>とうきょう</w:t></w:r></w:rt><w:rubyBase><w:r><w:t>東京</w:t></w:r></w:rubyBase></w:ruby></w:r>',
      '東京(とうきょう)',
    ],
    ['a Wingdings character', '<w:r><w:sym w:font="Wingdings" w:char="F0FC"/></w:r>', '✓'],
    [
      'text set in Symbol',
      '<w:r><w:rPr><w:rFonts w:ascii="Symbol"/></w:rPr><w:t>\uf061</w:t></w:r>',
      'α',
    ],
    [
      'a ticked box of a form',
      '<w:r><w:fldChar w:fldCharType="begin"><w:ffData><w:checkBox><w:checked/></w:checkBox></w:ffData></w:fldChar></w:r><w:r><w:fldChar w:fldCharType="end"/></w:r>',
      '☒',
    ],
    [
      'a list of a form',
      '<w:r><w:fldChar w:fldCharType="begin"><w:ffData><w:ddList><w:result w:val="1"/><w:listEntry w:val="red"/><w:listEntry w:val="blue"/></w:ddList></w:ffData></w:fldChar></w:r><w:r><w:fldChar w:fldCharType="end"/></w:r>',
      'blue',
    ],
  ])('is kept from %s', async (_, runs, text) => {
    const { xml } = await prepared(`<w:p>${runs}</w:p>`);

    expect(shown(xml)).toContain(text);
  });

  it('is kept from several bodies', async () => {
    const { xml } = await prepared(`${paragraph('one')}</w:body><w:body>${paragraph('two')}`);

    expect(shown(xml)).toEqual(['one', 'two']);
  });

  it('is kept from a Strict file', async () => {
    const body = `<x:p xmlns:x="http://purl.oclc.org/ooxml/wordprocessingml/main"><x:r><x:t>strict</x:t></x:r></x:p>`;

    const { xml } = await prepared(body);

    expect(xml).toContain('<x:t>strict</x:t>');
    expect(xml).not.toContain('purl.oclc.org');
  });

  it('leaves out what was deleted, and counts it', async () => {
    const { xml, facts } = await prepared(
      `<w:p><w:r><w:t>kept</w:t></w:r><w:del><w:r><w:delText>gone</w:delText></w:r></w:del></w:p>`,
    );

    expect(shown(xml)).toEqual(['kept']);
    expect(facts.deletions).toBe(1);
  });

  it('does not expect text that is hidden, directly or by its style', async () => {
    const styles = `<w:styles ${namespaces}><w:style w:type="paragraph" w:styleId="top"><w:rPr><w:vanish/></w:rPr></w:style></w:styles>`;

    const { paragraphs, facts } = await prepared(
      `<w:p><w:r><w:rPr><w:vanish/></w:rPr><w:t>two words</w:t></w:r></w:p>${paragraph('form', '<w:pStyle w:val="top"/>')}${paragraph('seen')}`,
      { parts: { 'styles.xml': { type: 'styles', content: styles } } },
    );

    expect(paragraphs).toEqual([['seen']]);
    expect(facts.hiddenWords).toBe(2);
  });
});

describe('lists', () => {
  it('have the numbers that Word counts, even where a list starts again', async () => {
    const numbering = `<w:numbering ${namespaces}><w:abstractNum w:abstractNumId="0"><w:lvl w:ilvl="0"><w:start w:val="1"/><w:numFmt w:val="decimal"/><w:lvlText w:val="%1."/></w:lvl><w:lvl w:ilvl="1"><w:start w:val="1"/><w:numFmt w:val="lowerLetter"/><w:lvlText w:val="%1.%2)"/></w:lvl></w:abstractNum><w:num w:numId="1"><w:abstractNumId w:val="0"/></w:num><w:num w:numId="2"><w:abstractNumId w:val="0"/><w:lvlOverride w:ilvl="0"><w:startOverride w:val="7"/></w:lvlOverride></w:num></w:numbering>`;
    const item = (id: number, level: number) =>
      paragraph('x', `<w:numPr><w:ilvl w:val="${level}"/><w:numId w:val="${id}"/></w:numPr>`);

    const { xml } = await prepared(item(1, 0) + item(1, 1) + item(1, 0) + item(2, 0), {
      parts: { 'numbering.xml': { type: 'numbering', content: numbering } },
    });

    expect(shown(xml)).toEqual(['1.\u2002x', '1.a)\u2002x', '2.\u2002x', '7.\u2002x']);
  });
});

describe('drawings', () => {
  it('shows a text box in a frame after its paragraph', async () => {
    const { xml, facts } = await prepared(
      `<w:p><w:r><w:t>anchor</w:t></w:r><w:r><mc:AlternateContent><mc:Choice Requires="wps">${textBox(paragraph('inside'))}</mc:Choice><mc:Fallback><w:pict/></mc:Fallback></mc:AlternateContent></w:r></w:p>`,
    );

    expect(shown(xml)).toEqual(['anchor', 'inside']);
    expect(xml).toMatch(/<w:tbl>.*inside.*<\/w:tbl>/);
    expect(facts.textBoxes).toBe(1);
  });

  it('shows a text box in a text box of a VML group', async () => {
    const { xml } = await prepared(
      `<w:p><w:r><w:pict><v:group style="width:100pt;height:50pt" coordsize="1000,500"><v:rect style="width:500;height:100"><v:textbox><w:txbxContent><w:p><w:r><w:t>outer</w:t></w:r><w:r>${textBox(paragraph('inner'))}</w:r></w:p></w:txbxContent></v:textbox></v:rect></v:group></w:pict></w:r></w:p>`,
    );

    expect(shown(xml)).toEqual(expect.arrayContaining(['outer', 'inner']));
  });

  it('extracts the pictures of a group, in their size on the page', async () => {
    const inGroup = `<pic:pic><pic:blipFill><a:blip r:embed="a"/></pic:blipFill><pic:spPr><a:xfrm><a:ext cx="50" cy="100"/></a:xfrm></pic:spPr></pic:pic>`;

    const { xml, facts } = await prepared(
      `<w:p><w:r><w:drawing><wp:inline><wp:extent cx="1000000" cy="500000"/><a:graphic><a:graphicData><wpg:wgp><wpg:grpSpPr><a:xfrm><a:chExt cx="100" cy="100"/></a:xfrm></wpg:grpSpPr>${inGroup}${inGroup}</wpg:wgp></a:graphicData></a:graphic></wp:inline></w:drawing></w:r></w:p>`,
      { parts: { 'media/a.png': { type: 'image', content: await image('png') } } },
    );

    expect(facts).toMatchObject({ imagesFound: 2, imagesLost: 0 });
    expect(xml.match(/<wp:extent cx="500000" cy="500000"\/>/g)).toHaveLength(2);
  });

  it('converts TIFF to PNG and ignores a wrong extension', async () => {
    const { parts, facts } = await prepared(picture('a'), {
      parts: { 'media/a.emf': { type: 'image', content: await image('tiff') } },
    });

    const png = parts['word/media/p1.png'] ?? Buffer.alloc(0);
    expect(facts.imagesLost).toBe(0);
    expect(Buffer.from(png).toString('latin1', 1, 4)).toBe('PNG');
  });

  it.each([
    [
      'an EMF drawing',
      'in EMF or WMF format',
      async () => ({ parts: { 'media/a.emf': { type: 'image', content: emf() } } }),
    ],
    [
      'a linked picture',
      'outside the file, not fetched',
      async () => ({ external: { a: { type: 'image', target: 'http://example.test/a.png' } } }),
    ],
    [
      'a damaged picture',
      'damaged',
      async () => ({
        parts: { 'media/a.png': { type: 'image', content: (await image('png')).subarray(0, 20) } },
      }),
    ],
    [
      'a picture that claims 3.6 gigapixels',
      'with too many pixels',
      async () => {
        const content = await image('png');
        content.writeUInt32BE(60_000, 16);
        content.writeUInt32BE(60_000, 20);
        return { parts: { 'media/a.png': { type: 'image', content } } };
      },
    ],
    ['a missing picture', 'missing from the file', async () => ({})],
  ])('counts %s as lost and shows its description', async (_, because, fixture) => {
    const { xml, facts } = await prepared(picture('a'), await fixture());

    expect(facts).toMatchObject({ imagesFound: 1, imagesLost: 1 });
    expect(facts.lostBecause).toEqual(new Map([[because, 1]]));
    expect(shown(xml)).toEqual(['[Picture not shown: A red square]']);
  });

  it('shows a chart as the table of its values', async () => {
    const series = (name: string, values: number[]) =>
      `<c:ser><c:tx><c:strRef><c:strCache><c:pt idx="0"><c:v>${name}</c:v></c:pt></c:strCache></c:strRef></c:tx><c:cat><c:strRef><c:strCache><c:pt idx="0"><c:v>North</c:v></c:pt><c:pt idx="1"><c:v>South</c:v></c:pt></c:strCache></c:strRef></c:cat><c:val><c:numRef><c:numCache>${values.map((value, at) => `<c:pt idx="${at}"><c:v>${value}</c:v></c:pt>`).join('')}</c:numCache></c:numRef></c:val></c:ser>`;
    const chart = `<c:chartSpace ${namespaces}><c:chart><c:title><c:tx><c:rich><a:p><a:r><a:t>Sales</a:t></a:r></a:p></c:rich></c:tx></c:title><c:plotArea><c:barChart>${series('2024', [1, 2])}${series('2025', [3.5, 4.4])}</c:barChart></c:plotArea></c:chart></c:chartSpace>`;

    const { xml, facts } = await prepared(
      '<w:p><w:r><w:drawing><wp:inline><wp:extent cx="1" cy="1"/><a:graphic><a:graphicData><c:chart r:id="chart1"/></a:graphicData></a:graphic></wp:inline></w:drawing></w:r></w:p>',
      { parts: { 'charts/chart1.xml': { type: 'chart', content: chart } } },
    );

    expect(shown(xml)).toEqual([
      '',
      '[Chart (bar): Sales]',
      '',
      '2024',
      '2025',
      'North',
      '1',
      '3.5',
      'South',
      '2',
      '4.4',
    ]);
    expect(facts).toMatchObject({ charts: 1, chartsUnread: 0 });
  });

  it('shows SmartArt as an indented list', async () => {
    const point = (id: string, text: string) =>
      `<dgm:pt modelId="${id}"><dgm:t><a:p><a:r><a:t>${text}</a:t></a:r></a:p></dgm:t></dgm:pt>`;
    const data = `<dgm:dataModel ${namespaces}><dgm:ptLst><dgm:pt modelId="0" type="doc"/>${point('1', 'Plan')}${point('2', 'Do')}${point('3', 'Check')}</dgm:ptLst><dgm:cxnLst><dgm:cxn srcId="0" destId="1" srcOrd="0"/><dgm:cxn srcId="1" destId="2" srcOrd="0"/><dgm:cxn srcId="0" destId="3" srcOrd="1"/></dgm:cxnLst></dgm:dataModel>`;

    const { xml, facts } = await prepared(
      '<w:p><w:r><w:drawing><wp:inline><wp:extent cx="1" cy="1"/><a:graphic><a:graphicData><dgm:relIds r:dm="data1"/></a:graphicData></a:graphic></wp:inline></w:drawing></w:r></w:p>',
      { parts: { 'diagrams/data1.xml': { type: 'diagramData', content: data } } },
    );

    expect(shown(xml)).toEqual(['', '[Diagram]', '• Plan', '• Do', '• Check']);
    expect(facts.diagrams).toBe(1);
  });
});

describe('equations', () => {
  it('draws both indices of a letter by nesting them', async () => {
    const run = (text: string) => `<m:r><m:t>${text}</m:t></m:r>`;

    const { xml } = await prepared(
      `<w:p><m:oMath><m:sSubSup><m:e>${run('x')}</m:e><m:sub>${run('i')}</m:sub><m:sup>${run('2')}</m:sup></m:sSubSup></m:oMath></w:p>`,
    );

    expect(xml).toMatch(
      /<m:sSup><m:e><m:sSub>.*x.*i.*<\/m:sSub><\/m:e><m:sup>.*2.*<\/m:sup><\/m:sSup>/,
    );
  });

  it('completes what docx-preview would throw on', async () => {
    const { xml } = await prepared(
      '<w:p><m:oMath><m:nary><m:sub><m:r><m:t>0</m:t></m:r></m:sub></m:nary><m:d><m:e/></m:d><m:rad><m:e/></m:rad></m:oMath></w:p>',
    );

    expect(xml).toMatch(/<m:nary><m:naryPr\/><m:sub>.*<\/m:sub><m:sup\/><m:e\/><\/m:nary>/);
    expect(xml).toMatch(/<m:dPr\/>/);
    expect(xml).toMatch(/<m:rad><m:radPr\/><m:deg\/><m:e\/><\/m:rad>/);
  });
});

describe('pages', () => {
  const pageBreak = '<w:r><w:br w:type="page"/></w:r>';
  const breaks = (xml: string) => xml.match(/w:type="page"/g)?.length ?? 0;

  it("break once where an explicit break meets one of Word's last layout", async () => {
    const { xml } = await prepared(
      `${paragraph('one')}<w:p>${pageBreak}</w:p><w:p><w:r><w:lastRenderedPageBreak/><w:t>two</w:t></w:r></w:p>`,
    );

    expect(breaks(xml)).toBe(1);
    expect(shown(xml).filter((text) => text !== '')).toEqual(['one', 'two']);
  });

  it('do not begin with an empty one', async () => {
    const { xml } = await prepared(paragraph('one', '<w:pageBreakBefore/>'));

    expect(breaks(xml)).toBe(0);
  });

  it('split a list paragraph without numbering it twice', async () => {
    const { xml } = await prepared(
      `<w:p><w:pPr><w:numPr><w:numId w:val="0"/></w:numPr></w:pPr><w:r><w:t>before</w:t><w:br w:type="page"/><w:t>after</w:t></w:r></w:p>`,
    );

    expect(shown(xml)).toEqual(['before', '', 'after']);
    expect(xml.match(/<w:numPr>/g)).toHaveLength(1);
  });

  it('end with a section that starts a new page, and pass its headers on', async () => {
    const section = (inner: string) =>
      `<w:sectPr>${inner}<w:pgSz w:w="11906" w:h="16838"/></w:sectPr>`;
    const header = `<w:hdr ${namespaces}>${paragraph('letterhead')}</w:hdr>`;

    const { xml, page } = await prepared(
      `${paragraph('one')}<w:p><w:pPr>${section('<w:headerReference w:type="default" r:id="header1"/>')}</w:pPr></w:p>${paragraph('two')}${section('')}`,
      { parts: { 'header1.xml': { type: 'header', content: header } } },
    );

    expect(breaks(xml)).toBe(1);
    expect(xml.match(/w:headerReference/g)).toHaveLength(2);
    expect(page).toEqual({ width: 595.3, height: 841.9 });
  });
});

describe('hostile content', () => {
  it('reads an imported web page as text and never passes it on', async () => {
    const html =
      '<html><script>fetch("http://127.0.0.1/")</script><p onclick="x()">Imported words</p></html>';

    const { xml, facts } = await prepared('<w:altChunk r:id="chunk"/>', {
      parts: { 'chunk.html': { type: 'aFChunk', content: html } },
    });

    expect(shown(xml)).toEqual(['Imported words']);
    expect(xml).not.toMatch(/script|onclick|altChunk/);
    expect(facts.chunks).toBe(1);
  });

  it('keeps links to the web and no others', async () => {
    const link = (id: string) =>
      `<w:hyperlink r:id="${id}"><w:r><w:t>${id}</w:t></w:r></w:hyperlink>`;

    const { parts } = await prepared(`<w:p>${link('web')}${link('script')}${link('file')}</w:p>`, {
      external: {
        web: { type: 'hyperlink', target: 'https://example.test/' },
        script: { type: 'hyperlink', target: 'javascript:alert(1)' },
        file: { type: 'hyperlink', target: 'file:///etc/passwd' },
      },
    });

    const rels = textOf(parts, 'word/_rels/document.xml.rels');
    expect(rels).toContain('https://example.test/');
    expect(rels).not.toMatch(/javascript|passwd/);
  });

  it('refuses a part that unpacks to more than it states', async () => {
    const docx = docxOf(paragraph('word '.repeat(1_000)));
    // The central directory's entry of the main part (APPNOTE 4.3.12); its size is at 24, its name at 46.
    const at = docx.lastIndexOf('word/document.xml') - 46;
    expect(docx.readUInt32LE(at)).toBe(0x02014b50);
    docx.writeUInt32LE(100, at + 24);

    await expect(prepareBytes(docx)).rejects.toMatchObject({ code: 'normalize.zip_bomb' });
  });

  it('throws on a file that is not a docx', async () => {
    await expect(prepareBytes(Buffer.from('no zip'))).rejects.toThrow(Error);
    await expect(prepareBytes(zipOf({}))).rejects.toThrow('the part word/document.xml');
  });
});
