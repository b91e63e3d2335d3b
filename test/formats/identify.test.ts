import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { identify } from '../../shared/formats/identify/identify.ts';
import { defaultLimits } from '../../shared/formats/limits.ts';
import { docxParts, rawDocx, rawPptx, rawXlsx, sheetData } from '../fixtures/ooxml.ts';
import { zipOf } from '../fixtures/zip.ts';
import { compoundFile } from './compound-file.ts';
import { codeOf } from './convert-bytes.ts';

async function identified(name: string, bytes: Uint8Array | string, contentType?: string) {
  const dir = await mkdtemp(join(tmpdir(), 'dropline-test-'));
  try {
    const path = join(dir, 'file');
    await writeFile(path, bytes);
    return await identify({ path, name, contentType, limits: defaultLimits });
  } finally {
    await rm(dir, { recursive: true, force: true });
  }
}

const docx = rawDocx('<w:p><w:r><w:t>Hello</w:t></w:r></w:p>');
const xlsx = rawXlsx([{ name: 'One', xml: sheetData([['a', 1]]) }]);
const png = Buffer.concat([
  Buffer.from('89504e470d0a1a0a0000000d49484452000000010000000108060000001f15c489', 'hex'),
  Buffer.alloc(200),
]);
const pdf = Buffer.from('%PDF-1.7\n%\xe2\xe3\xcf\xd3\n1 0 obj<<>>endobj\n%%EOF', 'latin1');
const gif = Buffer.concat([Buffer.from('GIF89a'), Buffer.alloc(200)]);
const odt = zipOf({
  mimetype: 'application/vnd.oasis.opendocument.text',
  'content.xml': '<office:document-content/>',
});
const epub = zipOf({ mimetype: 'application/epub+zip', 'META-INF/container.xml': '<container/>' });
const mail = 'From: a@b.c\r\nTo: d@e.f\r\nSubject: hi\r\nDate: now\r\n\r\nbody';

describe('a file', () => {
  test.each<[string, string, Uint8Array | string]>([
    ['pdf', 'a.pdf', pdf],
    ['png', 'a.png', png],
    ['gif', 'a.gif', gif],
    ['docx', 'a.docx', docx],
    ['xlsx', 'a.xlsx', xlsx],
    ['pptx', 'a.pptx', rawPptx([])],
    ['odt', 'a.odt', odt],
    ['epub', 'a.epub', epub],
    ['zip', 'a.zip', zipOf({ 'a.txt': 'x' })],
    ['rtf', 'a.rtf', '{\\rtf1 hello}'],
    ['xls', 'a.xls', compoundFile(['Workbook'])],
    ['csv', 'a.csv', 'a,b\n1,2\n'],
    ['tsv', 'a.tsv', 'a\tb\n'],
    ['html', 'a.html', '<!doctype html><p>x'],
    ['eml', 'a.eml', mail],
    ['text', 'a.md', '# x'],
    ['text', 'Makefile', 'all:\n\ttrue\n'],
    ['text', 'a.xml', '<?xml version="1.0"?><a/>'],
  ])('that is %s is identified without a warning', async (format, name, bytes) => {
    expect(await identified(name, bytes)).toMatchObject({ format, warnings: [] });
  });

  test.each<[string, string, Uint8Array | string, string]>([
    ['a docx called .pdf', 'a.pdf', docx, 'docx'],
    ['an xlsx called .docx', 'a.docx', xlsx, 'xlsx'],
    ['a PNG called .jpg', 'a.jpg', png, 'png'],
    ['a PDF called .txt', 'a.txt', pdf, 'pdf'],
    [
      'an SVG called .png',
      'a.png',
      '<svg xmlns="http://www.w3.org/2000/svg"><text>x</text></svg>',
      'text',
    ],
    ['a page called .xls', 'a.xls', '<html><table><tr><td>1</table>', 'html'],
    ['a table called .xls', 'a.xls', 'a\tb\n1\t2\n3\t4\n', 'csv'],
    ['a page called .csv', 'a.csv', '<!DOCTYPE html><html>error 503</html>', 'html'],
    ['a mail called .doc', 'a.doc.pdf', mail, 'eml'],
    ['text called .docx', 'a.docx', 'just words', 'text'],
    ['a zip called .docx', 'a.docx', zipOf({ 'a.txt': 'x' }), 'zip'],
  ])('that is %s is identified by its content, with a warning', async (_, name, bytes, format) => {
    const found = await identified(name, bytes);

    expect(found.format).toBe(format);
    expect(found.warnings.map(({ code }) => code)).toEqual(['normalize.type_mismatch']);
  });

  test('without a telling name is identified by its content type, with a warning if that is wrong', async () => {
    expect(await identified('blob', 'a,b\n1,2\n', 'text/csv')).toMatchObject({
      format: 'csv',
      warnings: [],
    });
    expect((await identified('blob', pdf, 'image/png')).warnings).toHaveLength(1);
    expect((await identified('blob', pdf, 'application/octet-stream')).warnings).toEqual([]);
  });

  test('that begins like a picture is text if all of it is text', async () => {
    expect(await identified('cars.txt', 'BMW is a car maker.\n')).toMatchObject({
      format: 'text',
      warnings: [],
    });
    expect(await identified('mz.txt', 'MZ 250 motorcycles\n')).toMatchObject({
      format: 'text',
      warnings: [],
    });
  });

  test('with a PDF header after some junk is a PDF', async () => {
    const found = await identified('a.pdf', Buffer.concat([Buffer.from([0, 1, 2, 255]), pdf]));

    expect(found.format).toBe('pdf');
  });

  test.each<[string, string, Buffer]>([
    ['a GIF and a zip', 'a.gif', Buffer.concat([gif, zipOf({ 'a.txt': 'x' })])],
    ['a PDF and a zip', 'a.pdf', Buffer.concat([pdf, zipOf({ 'a.txt': 'x' })])],
    ['a GIF and a PDF', 'a.gif', Buffer.concat([gif, pdf])],
  ])('that is %s at once is identified as the first, with a warning', async (_, name, bytes) => {
    const found = await identified(name, bytes);

    expect(found.format).toBe(name.slice(2));
    expect(found.warnings.map(({ code }) => code)).toEqual(['normalize.polyglot']);
  });

  test.each<[string, string, string, Uint8Array | string]>([
    ['is empty', 'normalize.empty', 'a.txt', ''],
    [
      'is an encrypted docx',
      'normalize.encrypted',
      'a.docx',
      compoundFile(['EncryptionInfo', 'EncryptedPackage']),
    ],
    [
      'is a Word 97 document',
      'normalize.legacy_office',
      'a.doc',
      compoundFile(['1Table', 'WordDocument']),
    ],
    [
      'is a Word 97 document called .docx',
      'normalize.legacy_office',
      'a.docx',
      compoundFile(['WordDocument']),
    ],
    [
      'is a PowerPoint 97 presentation',
      'normalize.legacy_office',
      'a.ppt',
      compoundFile(['PowerPoint Document']),
    ],
    [
      'is an Outlook message',
      'normalize.unsupported',
      'a.msg',
      compoundFile(['__properties_version1.0']),
    ],
    ['is a damaged OLE container', 'normalize.corrupt', 'a.xls', compoundFile([]).subarray(0, 100)],
    [
      'is a program',
      'normalize.unsupported',
      'a.exe',
      Buffer.concat([Buffer.from('MZ\x90\0\x03\0\0\0'), Buffer.alloc(300)]),
    ],
    [
      'is a video',
      'normalize.unsupported',
      'a.mp4',
      Buffer.concat([Buffer.from('0000001c6674797069736f6d', 'hex'), Buffer.alloc(100)]),
    ],
    ['is a Java archive', 'normalize.unsupported', 'a.jar', zipOf({ 'META-INF/MANIFEST.MF': 'x' })],
    ['is noise called .docx', 'normalize.corrupt', 'a.docx', noise(2_000)],
    ['is noise called .txt', 'normalize.binary', 'a.txt', noise(2_000)],
    ['is noise called .xyz', 'normalize.unsupported', 'a.xyz', noise(2_000)],
    ['is half a docx', 'normalize.corrupt', 'a.docx', docx.subarray(0, docx.length / 2)],
  ])('that %s ends as %s', async (_, expected, name, bytes) => {
    expect(await codeOf(identified(name, bytes))).toBe(expected);
  });

  test('is identified by the parts of its package, not by their order', async () => {
    const parts = Object.entries(docxParts('<w:p/>')).reverse();

    const found = await identified('a.docx', zipOf(Object.fromEntries(parts)));

    expect(found.format).toBe('docx');
  });
});

function noise(length: number): Buffer {
  const bytes = Buffer.alloc(length);
  let state = 12_345;
  for (let at = 0; at < length; at += 1) {
    state = (state * 1_103_515_245 + 12_345) & 0x7fffffff;
    bytes[at] = state >> 16;
  }
  return bytes;
}
