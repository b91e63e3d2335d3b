import { describe, expect, it } from 'vitest';
import { servicesAgreement } from '../fixtures/agreement.ts';
import { type Link, p, rawDocx, wordPart } from '../fixtures/ooxml.ts';
import { convertBytes } from '../formats/convert-bytes.ts';
import { cell, item, level, numbering, row, table, textOf } from './docx-body.ts';

describe('the services agreement', () => {
  it('keeps headings with their clause numbers', async () => {
    const { text, conversion } = await convertBytes('agreement.docx', await servicesAgreement());

    expect(text).toContain('# Master Services Agreement\n');
    expect(text).toContain('\n## 3. Fees and payment\n');
    expect(text).toContain('\n    (b) call-out at any hour to faults of priority 1 and 2; and\n');
    expect(conversion.fidelity).toEqual({
      route: 'docx→text',
      imagesFound: 0,
      imagesKept: 0,
      warnings: [],
    });
  });

  it('keeps tables with line breaks and empty cells', async () => {
    const { text } = await convertBytes('agreement.docx', await servicesAgreement());

    expect(text).toContain('| Hamburg | 6,850.00 | 92.50 | Ammonia plant,<br>two compressors |\n');
    expect(text).toContain('| Gdańsk | 3,720.00 | 61.50 |  |\n');
  });

  it('keeps footnotes, header and footer under labels of their own', async () => {
    const { text } = await convertBytes('agreement.docx', await servicesAgreement());

    expect(text).toContain('at most by 4 %.[^1]');
    expect(text).toContain('[^1]: Consumer price index (CPIH)');
    expect(text).toContain('Header:\n\nMaster Services Agreement No. MSA-2026-0417');
    expect(text).toContain('Footer:\n\nConfidential. Page');
  });
});

describe('lists', () => {
  it('numbers over levels and starts lower levels again', async () => {
    const levels = level(0, 'decimal', '%1.') + level(1, 'lowerLetter', '%1%2)');
    const body = item('one', 0) + item('a', 1) + item('b', 1) + item('two', 0) + item('a again', 1);

    const text = await textOf(body, [], numbering(levels));

    expect(text).toBe('1. one\n  1a) a\n  1b) b\n2. two\n  2a) a again');
  });

  it('writes Roman, ordinal and zero-padded numbers', async () => {
    const levels =
      level(0, 'upperRoman', '%1') + level(1, 'ordinal', '%2') + level(2, 'decimalZero', '%3');
    const body = item('x', 0).repeat(4) + item('y', 1).repeat(3) + item('z', 2);

    const text = await textOf(body, [], numbering(levels));

    expect(text).toBe('I x\nII x\nIII x\nIV x\n  1st y\n  2nd y\n  3rd y\n    01 z');
  });

  it('continues through two lists that share a definition, and restarts where one overrides the start', async () => {
    const nums =
      '<w:num w:numId="1"><w:abstractNumId w:val="0"/></w:num>' +
      '<w:num w:numId="2"><w:abstractNumId w:val="0"/></w:num>' +
      '<w:num w:numId="3"><w:abstractNumId w:val="0"/><w:lvlOverride w:ilvl="0"><w:startOverride w:val="7"/></w:lvlOverride></w:num>';
    const body = item('a', 0, 1) + item('b', 0, 2) + item('c', 0, 3) + item('d', 0, 3);

    const text = await textOf(body, [], numbering(level(0, 'decimal', '%1.'), nums));

    expect(text).toBe('1. a\n2. b\n7. c\n8. d');
  });

  it('takes numbers from the style of a heading', async () => {
    const styles = wordPart(
      'styles',
      '<w:style w:type="paragraph" w:styleId="H2"><w:name w:val="heading 2"/><w:pPr><w:numPr><w:ilvl w:val="1"/><w:numId w:val="1"/></w:numPr></w:pPr></w:style>',
    );
    const levels = level(0, 'decimal', '%1') + level(1, 'decimal', '%1.%2');

    const text = await textOf(p('Scope', '<w:pStyle w:val="H2"/>'), [], {
      'word/styles.xml': styles,
      ...numbering(levels),
    });

    expect(text).toBe('## 1.1 Scope');
  });

  it('does not number a paragraph whose numbering is switched off', async () => {
    const off = p('plain', '<w:numPr><w:numId w:val="0"/></w:numPr>');

    expect(await textOf(off, [], numbering(level(0, 'decimal', '%1.')))).toBe('plain');
  });

  it('writes bullets and puts a line break within an item below it', async () => {
    const body =
      '<w:p><w:pPr><w:numPr><w:ilvl w:val="0"/><w:numId w:val="1"/></w:numPr></w:pPr><w:r><w:t>a</w:t><w:br/><w:t>b</w:t></w:r></w:p>';

    expect(await textOf(body, [], numbering(level(0, 'bullet', '•')))).toBe('- a\n  b');
  });
});

describe('tables', () => {
  it('keeps columns in line over merged cells', async () => {
    const body = table(
      row(cell(p('A')), cell(p('B'), '<w:gridSpan w:val="2"/>')),
      row(cell(p('tall'), '<w:vMerge w:val="restart"/>'), cell(p('1')), cell(p('2'))),
      row(cell(p(''), '<w:vMerge/>'), cell(p('3')), cell(p('4'))),
    );

    expect(await textOf(body)).toBe(
      '| A | B |  |\n| --- | --- | --- |\n| tall | 1 | 2 |\n|  | 3 | 4 |',
    );
  });

  it('escapes bars, so that a cell stays one', async () => {
    expect(await textOf(table(row(cell(p('a|b')), cell(p('c')))))).toBe(
      '| a\\|b | c |\n| --- | --- |',
    );
  });

  it('writes a table within a cell as lines of that cell', async () => {
    const inner = table(row(cell(p('x')), cell(p('y'))), row(cell(p('1')), cell(p('2'))));
    const body = table(row(cell(p('left')), cell(p('before') + inner + p('after'))));

    expect(await textOf(body)).toContain('| left | before<br>x; y<br>1; 2<br>after |');
  });

  it('does not take a frame around a single cell for a table', async () => {
    expect(await textOf(table(row(cell(p('a') + p('b')))))).toBe('a\n\nb');
  });

  it('leaves out a row that a tracked change deletes', async () => {
    const deleted = `<w:tr><w:trPr><w:del w:id="1" w:author="x"/></w:trPr>${cell(p('gone'))}${cell(p('gone'))}</w:tr>`;

    const text = await textOf(table(row(cell(p('a')), cell(p('b'))), deleted));

    expect(text).toBe('| a | b |\n| --- | --- |');
  });
});

describe('runs', () => {
  it('keeps insertions and move targets, leaves out deletions and move sources, and warns', async () => {
    const run = (text: string) => `<w:r><w:t>${text}</w:t></w:r>`;
    const body = `<w:p>${run('a')}<w:ins w:id="1">${run('b')}</w:ins><w:del w:id="2"><w:r><w:delText>c</w:delText></w:r></w:del><w:moveFrom w:id="3">${run('d')}</w:moveFrom><w:moveTo w:id="4">${run('e')}</w:moveTo></w:p>`;

    const { text, warnings } = await convertBytes('a.docx', rawDocx(body));

    expect(text).toBe('abe\n');
    expect(warnings).toEqual(['normalize.tracked_changes']);
  });

  it('joins a paragraph whose mark is deleted with the next', async () => {
    const first = p('one ', '<w:rPr><w:del w:id="1"/></w:rPr>');

    expect(await textOf(first + p('two') + p('three'))).toBe('one two\n\nthree');
  });

  it('keeps the last paragraph of a cell although its mark is deleted', async () => {
    const body = table(row(cell(p('kept', '<w:rPr><w:del w:id="1"/></w:rPr>')), cell(p('b'))));

    expect(await textOf(body)).toBe('| kept | b |\n| --- | --- |');
  });

  it('leaves hidden text out and warns about it', async () => {
    const body = `<w:p><w:r><w:rPr><w:vanish/></w:rPr><w:t>secret</w:t></w:r></w:p>${p('seen')}`;

    const { text, warnings } = await convertBytes('a.docx', rawDocx(body));

    expect(text).toBe('seen\n');
    expect(warnings).toEqual(['normalize.hidden_text']);
  });

  it('marks struck-through text as one over its runs', async () => {
    const struck = (text: string) => `<w:r><w:rPr><w:strike/></w:rPr><w:t>${text}</w:t></w:r>`;

    expect(await textOf(`<w:p>${struck('EUR ')}${struck('500')}</w:p>`)).toBe('~~EUR 500~~');
  });

  it('does not let a power become a larger number', async () => {
    const body =
      '<w:p><w:r><w:t>10</w:t></w:r><w:r><w:rPr><w:vertAlign w:val="superscript"/></w:rPr><w:t>-6</w:t></w:r></w:p>';

    expect(await textOf(body)).toBe('10^-6');
  });

  it('reads symbols of the Wingdings and Symbol fonts as Unicode', async () => {
    const body =
      '<w:p><w:r><w:sym w:font="Wingdings" w:char="F0FC"/></w:r><w:r><w:rPr><w:rFonts w:ascii="Symbol"/></w:rPr><w:t>&#xF061;</w:t></w:r></w:p>';

    expect(await textOf(body)).toBe('✓α');
  });

  it('shows form fields: check boxes and the chosen entry of a list', async () => {
    const field = (type: string, data: string) =>
      `<w:r><w:fldChar w:fldCharType="begin"><w:ffData>${data}</w:ffData></w:fldChar></w:r><w:r><w:instrText> ${type} </w:instrText></w:r><w:r><w:fldChar w:fldCharType="separate"/></w:r><w:r><w:fldChar w:fldCharType="end"/></w:r>`;
    const body = `<w:p>${field('FORMCHECKBOX', '<w:checkBox><w:default w:val="0"/><w:checked/></w:checkBox>')}${field('FORMCHECKBOX', '<w:checkBox><w:default w:val="0"/></w:checkBox>')}${field('FORMDROPDOWN', '<w:ddList><w:result w:val="1"/><w:listEntry w:val="red"/><w:listEntry w:val="blue"/></w:ddList>')}</w:p>`;

    expect(await textOf(body)).toBe('☒☐blue');
  });

  it('reads text inside content controls, smart tags and unknown wrappers', async () => {
    const body = `<w:sdt><w:sdtPr/><w:sdtContent><w:customXml>${p('a')}</w:customXml></w:sdtContent></w:sdt><w:p><w:smartTag><x:y xmlns:x="urn:x"><w:r><w:t>b</w:t></w:r></x:y></w:smartTag></w:p>`;

    expect(await textOf(body)).toBe('a\n\nb');
  });

  it('keeps links as relationships and as fields, and bare ones bare', async () => {
    const links: Link[] = [
      { id: 'r1', type: 'hyperlink', target: 'https://example.org/a', external: true },
    ];
    const linked = (text: string) =>
      `<w:hyperlink r:id="r1"><w:r><w:t>${text}</w:t></w:r></w:hyperlink>`;
    const field =
      '<w:r><w:fldChar w:fldCharType="begin"/></w:r><w:r><w:instrText>HYPERLINK "mailto:a@b.example"</w:instrText></w:r><w:r><w:fldChar w:fldCharType="separate"/></w:r><w:r><w:t>write</w:t></w:r><w:r><w:fldChar w:fldCharType="end"/></w:r>';
    const body = `<w:p>${linked('terms')}</w:p><w:p>${linked('https://example.org/a')}</w:p><w:p>${field}</w:p>`;

    expect(await textOf(body, links)).toBe(
      '[terms](https://example.org/a)\n\nhttps://example.org/a\n\n[write](mailto:a@b.example)',
    );
  });
});

describe('stories other than the body', () => {
  it('names the author of a comment and marks its place', async () => {
    const comments = wordPart(
      'comments',
      `<w:comment w:id="5" w:author="Jo" w:date="2026-02-03T10:00:00Z">${p('Why?')}</w:comment>`,
    );
    const body = '<w:p><w:r><w:t>Price</w:t></w:r><w:r><w:commentReference w:id="5"/></w:r></w:p>';

    expect(await textOf(body, [], { 'word/comments.xml': comments })).toBe(
      'Price[comment 1]\n\n---\n\nComments:\n\n[comment 1]: Jo, 2026-02-03: Why?',
    );
  });

  it('distinguishes endnotes from footnotes and leaves separators out', async () => {
    const footnotes = wordPart(
      'footnotes',
      `<w:footnote w:id="-1" w:type="separator">${p('sep')}</w:footnote><w:footnote w:id="2">${p('foot')}</w:footnote>`,
    );
    const endnotes = wordPart('endnotes', `<w:endnote w:id="2">${p('end')}</w:endnote>`);
    const body =
      '<w:p><w:r><w:t>x</w:t><w:footnoteReference w:id="2"/><w:endnoteReference w:id="2"/></w:r></w:p>';

    const text = await textOf(body, [], {
      'word/footnotes.xml': footnotes,
      'word/endnotes.xml': endnotes,
    });

    expect(text).toBe(
      'x[^1][^e1]\n\n---\n\nFootnotes:\n\n[^1]: foot\n\n---\n\nEndnotes:\n\n[^e1]: end',
    );
  });

  it('writes a header that three sections share only once', async () => {
    const links = [1, 2, 3].map((at) => ({ id: `h${at}`, type: 'header', target: `h${at}.xml` }));
    const parts = Object.fromEntries(
      [1, 2, 3].map((at) => [`word/h${at}.xml`, wordPart('hdr', p('Draft'))]),
    );
    const section = (at: number) =>
      `<w:p><w:pPr><w:sectPr><w:headerReference w:type="default" r:id="h${at}"/></w:sectPr></w:pPr></w:p>`;

    const text = await textOf(p('x') + section(1) + section(2) + section(3), links, parts);

    expect(text).toBe('x\n\n---\n\nHeader:\n\nDraft');
  });

  it('keeps a watermark as text', async () => {
    const header = wordPart(
      'hdr',
      '<w:p><w:r><w:pict><v:shape><v:textpath string="CONFIDENTIAL"/></v:shape></w:pict></w:r></w:p>',
    );
    const body = `${p('x')}<w:sectPr><w:headerReference w:type="default" r:id="h1"/></w:sectPr>`;

    const text = await textOf(body, [{ id: 'h1', type: 'header', target: 'h1.xml' }], {
      'word/h1.xml': header,
    });

    expect(text).toContain('Header:\n\nCONFIDENTIAL');
  });
});
