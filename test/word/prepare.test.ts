import { describe, expect, it } from 'vitest';
import { textOf, zipOf } from '../fixtures/zip.ts';
import { docxOf, namespaces, paragraph } from '../print/docx-fixture.ts';
import { prepareBytes, prepared, shown } from './prepared.ts';

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
    expect(facts.hiddenWords).toBe(3);
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

  it('reads the tables, lists and links of an imported page as plain lines', async () => {
    const html =
      '<html><title>Not shown</title><h1>Head</h1><ul><li>one</ul><a href="http://x.test/">link</a>' +
      '<table><tr><td>A<td>B<tr><td>1<td>2</table><img src="a.png" alt="picture"></html>';

    const { xml } = await prepared('<w:altChunk r:id="chunk"/>', {
      parts: { 'chunk.html': { type: 'aFChunk', content: html } },
    });

    expect(shown(xml)).toEqual(['Head', '- one', 'link', 'A; B', '1; 2']);
  });

  it('does not read an imported page that is nested too deeply', async () => {
    const { xml, facts } = await prepared('<w:altChunk r:id="chunk"/>', {
      parts: { 'chunk.html': { type: 'aFChunk', content: `<html>${'<div>'.repeat(2_000)}deep` } },
    });

    expect(shown(xml)).toEqual([]);
    expect(facts).toMatchObject({ chunks: 0, chunksUnread: 1 });
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
