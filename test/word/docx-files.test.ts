import { describe, expect, it } from 'vitest';
import { drawnPicture, type Link, p, rawDocx, wordPart } from '../fixtures/ooxml.ts';
import { edited, replaceIn } from '../fixtures/zip.ts';
import { convertBytes } from '../formats/convert-bytes.ts';
import { cell, item, level, numbering, row, table, textOf } from './docx-body.ts';

describe('unusual files', () => {
  it('reads a document that binds other prefixes', async () => {
    const docx = rawDocx(p('hello'));

    const renamed = edited(docx, (parts) => {
      const xml = Buffer.from(parts['word/document.xml'] ?? '').toString();
      parts['word/document.xml'] = Buffer.from(
        xml
          .replaceAll('<w:', '<ns0:')
          .replaceAll('</w:', '</ns0:')
          .replace('xmlns:w=', 'xmlns:ns0='),
      );
    });

    expect((await convertBytes('a.docx', renamed)).text).toBe('hello\n');
  });

  it('reads a document in the Strict namespaces', async () => {
    const strict = edited(rawDocx(p('hello')), (parts) => {
      replaceIn(
        parts,
        'word/document.xml',
        'http://schemas.openxmlformats.org/wordprocessingml/2006/main',
        'http://purl.oclc.org/ooxml/wordprocessingml/main',
      );
    });

    expect((await convertBytes('a.docx', strict)).text).toBe('hello\n');
  });

  it('finds the main part by its relationship, whatever its name', async () => {
    const moved = edited(rawDocx(p('hello')), (parts) => {
      parts['text/main.xml'] = parts['word/document.xml'] ?? Buffer.alloc(0);
      delete parts['word/document.xml'];
      replaceIn(parts, '_rels/.rels', 'word/document.xml', '/text/main.xml');
    });

    expect((await convertBytes('a.docx', moved)).text).toBe('hello\n');
  });

  it('reads parts in UTF-16 and with a byte order mark', async () => {
    const docx = edited(rawDocx(p('größe')), (parts) => {
      const xml = Buffer.from(parts['word/document.xml'] ?? '').toString();
      parts['word/document.xml'] = Buffer.from(
        `\ufeff${xml.replace('encoding="UTF-8"', 'encoding="UTF-16"')}`,
        'utf16le',
      );
    });

    expect((await convertBytes('a.docx', docx)).text).toBe('größe\n');
  });

  it('reports a blank document as blank', async () => {
    const { text, warnings } = await convertBytes('a.docx', rawDocx('<w:p/>'));

    expect(text).toBe('This document is blank.\n');
    expect(warnings).toEqual(['normalize.no_text']);
  });

  it('survives a style that is based on itself', async () => {
    const styles = wordPart(
      'styles',
      '<w:style w:type="paragraph" w:styleId="A"><w:name w:val="A"/><w:basedOn w:val="B"/></w:style><w:style w:type="paragraph" w:styleId="B"><w:name w:val="B"/><w:basedOn w:val="A"/></w:style>',
    );

    const text = await textOf(p('x', '<w:pStyle w:val="A"/>'), [], { 'word/styles.xml': styles });

    expect(text).toBe('x');
  });
});

describe('documents that mammoth gets in stretches', () => {
  it('keep a long table whole', async () => {
    const cells = (at: number) =>
      Array.from({ length: 8 }, (_, column) => cell(p(`${at}.${column}`)));
    const body = table(...Array.from({ length: 2_000 }, (_, at) => row(...cells(at))));

    const text = await textOf(p('before') + body + p('after'));

    const rows = Array.from(
      { length: 2_000 },
      (_, at) => `| ${Array.from({ length: 8 }, (_, column) => `${at}.${column}`).join(' | ')} |`,
    );
    rows.splice(1, 0, `|${' --- |'.repeat(8)}`);
    expect(text).toBe(`before\n\n${rows.join('\n')}\n\nafter`);
  });

  it('continue the numbers of a long list', async () => {
    const body = item('word '.repeat(100), 0).repeat(2_000);

    const text = await textOf(body, [], numbering(level(0, 'decimal', '%1.')));

    const numbers = [...text.matchAll(/^(\d+)\. word/gm)].map(([, number]) => Number(number));
    expect(numbers).toEqual(Array.from({ length: 2_000 }, (_, at) => at + 1));
  });

  it('keep every word of a paragraph that is longer than a stretch', async () => {
    const words = Array.from({ length: 100_000 }, (_, at) => `word${at}`);
    const run = (text: string, at: number) =>
      `<w:r>${at % 2 ? '<w:rPr><w:strike/></w:rPr>' : ''}<w:t>${text} </w:t></w:r>`;
    const half = words.slice(0, 50_000).map(run).join('');

    const text = await textOf(`<w:p>${half}</w:p>${p(words.slice(50_000).join(' '))}`);

    expect(text.match(/word\d+/g)).toEqual(words);
  });

  it('are refused for a table row that is too long for mammoth', async () => {
    const docx = rawDocx(table(row(cell(p('x')), cell(p('much '.repeat(2_000_000))))));

    await expect(convertBytes('a.docx', docx)).rejects.toMatchObject({
      code: 'normalize.too_complex',
    });
  });
});

describe('what mammoth alone would lose', () => {
  it('keeps tabs and spaces as typed', async () => {
    const body =
      '<w:p><w:r><w:t>Total</w:t><w:tab/><w:t xml:space="preserve">EUR  5</w:t></w:r></w:p>';

    expect(await textOf(body)).toBe('Total\tEUR  5');
  });

  it('takes the address of a link field and not its tip', async () => {
    const body =
      '<w:p><w:r><w:fldChar w:fldCharType="begin"/></w:r><w:r><w:instrText>HYPERLINK "https://example.org/?a=1&amp;b=2" \\o "tip"</w:instrText></w:r><w:r><w:fldChar w:fldCharType="separate"/></w:r><w:r><w:t>terms</w:t></w:r><w:r><w:fldChar w:fldCharType="end"/></w:r><w:r><w:t> apply</w:t></w:r></w:p>';

    expect(await textOf(body)).toBe('[terms](https://example.org/?a=1&b=2) apply');
  });

  it('keeps markup that the author wrote as text', async () => {
    const labels = numbering(level(0, 'decimal', '&lt;%1&gt; &quot;&amp;&quot;'));

    const text = await textOf(item('<b>x</b> &amp; \ufdd0y\ufdd1', 0), [], labels);

    expect(text).toBe('<1> "&" <b>x</b> &amp; y');
  });

  it('keeps notes without a reference, and survives references without a note', async () => {
    const footnotes = wordPart('footnotes', `<w:footnote w:id="7">${p('lonely')}</w:footnote>`);
    const body =
      '<w:p><w:r><w:t>x</w:t><w:footnoteReference w:id="2"/><w:commentReference w:id="3"/></w:r></w:p>';

    const text = await textOf(body, [], { 'word/footnotes.xml': footnotes });

    expect(text).toBe('x[^1][comment 1]\n\n---\n\nFootnotes:\n\n(without a reference): lonely');
  });

  it('keeps the paragraphs, list numbers and tables of a note with it', async () => {
    const content =
      p('first') + item('second', 0) + table(row(cell(p('a')), cell(p('b'))), row(cell(p('c'))));
    const footnotes = wordPart('footnotes', `<w:footnote w:id="2">${content}</w:footnote>`);
    const body = '<w:p><w:r><w:t>x</w:t><w:footnoteReference w:id="2"/></w:r></w:p>';

    const text = await textOf(body, [], {
      'word/footnotes.xml': footnotes,
      ...numbering(level(0, 'decimal', '%1.')),
    });

    expect(text).toContain('[^1]: first\n  1. second\n  a; b\n  c');
  });

  it('opens no file and no address, whatever the relationships say', async () => {
    const links: Link[] = [
      { id: 'r1', type: 'image', target: 'file:///etc/hostname', external: true },
    ];

    const { text, warnings } = await convertBytes(
      'a.docx',
      rawDocx(p('text') + drawnPicture('r1', 'r:link'), links),
    );

    expect(text).toBe('text\n\n[picture]\n');
    expect(warnings).toContain('normalize.image_lost');
  });
});
