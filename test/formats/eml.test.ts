import { describe, expect, test } from 'vitest';
import { codeOf, convertBytes } from './convert-bytes.ts';

const headers = [
  'From: "Ada L." <ada@example.org>',
  'To: bob@example.org, Eve <eve@example.org>',
  'Subject: =?utf-8?B?w4RuZGVydW5n?=',
  'Date: Tue, 01 Oct 2024 12:34:56 -0500',
  'MIME-Version: 1.0',
];

function mail(...lines: string[]): string {
  return [...headers, ...lines].join('\r\n');
}

function part(type: string, body: string | Buffer, ...more: string[]): string {
  const content = Buffer.from(body).toString('base64');
  return [
    `--b`,
    `Content-Type: ${type}`,
    'Content-Transfer-Encoding: base64',
    ...more,
    '',
    content,
  ].join('\r\n');
}

function mixed(...parts: string[]): string {
  return mail('Content-Type: multipart/mixed; boundary=b', '', ...parts, '--b--', '');
}

describe('a mail', () => {
  test('becomes its headers and its text', async () => {
    const { text, conversion } = await convertBytes(
      'a.eml',
      mail('Content-Type: text/plain; charset=utf-8', '', 'Hello Bob,\r\n\r\nall is well.'),
    );

    expect(text).toBe(
      [
        'Subject: Änderung',
        'From: Ada L. <ada@example.org>',
        'To: bob@example.org, Eve <eve@example.org>',
        'Date: 2024-10-01T17:34:56.000Z',
        '',
        'Hello Bob,',
        '',
        'all is well.',
        '',
      ].join('\n'),
    );
    expect(conversion).toMatchObject({ outcome: 'file', mimeType: 'text/plain', parts: [] });
  });

  test.each([
    ['Tue, 1 Oct 2024 12:34:56 -0500 (EST)', '2024-10-01T17:34:56.000Z'],
    ['Tue, 1 Oct 2024 12:34:56 GMT', '2024-10-01T12:34:56.000Z'],
    ['Tue, 1 Oct 2024 12:34:56', 'Tue, 1 Oct 2024 12:34:56'],
    ['Dienstag', 'Dienstag'],
  ])('of %s says that it is of %s', async (date, shown) => {
    const { text } = await convertBytes(
      'a.eml',
      ['From: a@b.c', `Date: ${date}`, '', 'Hi'].join('\r\n'),
    );

    expect(text).toContain(`\nDate: ${shown}\n`);
  });

  test('that is HTML only keeps its tables and links', async () => {
    const { text } = await convertBytes(
      'a.eml',
      mail(
        'Content-Type: text/html; charset=iso-8859-1',
        '',
        '<p>See <a href="https://x.y">this</a><table><tr><td>a<td>b</table>',
      ),
    );

    expect(text).toContain('See [this](https://x.y)\n\n| a | b |');
  });

  test('is read from the plain text if the HTML says less', async () => {
    const { text } = await convertBytes(
      'a.eml',
      mail(
        'Content-Type: multipart/alternative; boundary=b',
        '',
        part('text/plain', 'Everything that there is to say about it.'),
        part('text/html', '<p>View in browser</p>'),
        '--b--',
      ),
    );

    expect(text).toContain('Everything that there is to say about it.');
    expect(text).not.toContain('View in browser');
  });

  test('with more attachments than may become documents counts the rest', async () => {
    const attached = (name: string) =>
      part('text/csv', 'a,b', `Content-Disposition: attachment; filename=${name}.csv`);

    const { conversion, parts } = await convertBytes(
      'a.eml',
      mixed(part('text/plain', 'see below'), attached('a'), attached('b'), attached('c')),
      { limits: { maxParts: 1 } },
    );

    expect(Object.keys(parts)).toEqual(['a.csv']);
    expect(conversion.partsBeyondLimit).toBe(2);
  });

  test('gives its attachments as parts with unique names', async () => {
    const { parts, text } = await convertBytes(
      'a.eml',
      mixed(
        part('text/plain', 'see below'),
        part(
          'application/pdf',
          '%PDF-1.7',
          'Content-Disposition: attachment; filename="../r\u0065port.pdf"',
        ),
        part(
          'application/pdf',
          '%PDF-1.4',
          'Content-Disposition: attachment; filename="report.pdf"',
        ),
        part('text/csv', 'a,b', 'Content-Disposition: attachment'),
      ),
    );

    expect(parts).toEqual({
      'report.pdf': Buffer.from('%PDF-1.7'),
      'report (2).pdf': Buffer.from('%PDF-1.4'),
      'attachment-3.csv': Buffer.from('a,b'),
    });
    expect(text).toContain('- report.pdf (application/pdf, 8 bytes)');
  });

  test('keeps a forwarded mail as part of its text', async () => {
    const inner = 'From: carol@example.org\r\nSubject: inner\r\n\r\nwords of the inner mail';

    const { text } = await convertBytes(
      'a.eml',
      mixed(part('text/plain', 'fyi'), `--b\r\nContent-Type: message/rfc822\r\n\r\n${inner}`),
    );

    expect(text).toContain('words of the inner mail');
    expect(text).toContain('carol@example.org');
  });

  test('leaves out small pictures of its layout, with a warning', async () => {
    const picture = ['Content-Disposition: inline', 'Content-ID: <logo>'];
    const related = [
      'Content-Type: multipart/related; boundary=b',
      '',
      part('text/html', '<p>Hi <img src="cid:logo"></p>'),
      part('image/png', Buffer.alloc(100, 1), ...picture),
      part(
        'image/png',
        Buffer.alloc(40_000, 1),
        'Content-Disposition: attachment; filename=photo.png',
      ),
      '--b--',
    ];

    const { parts, conversion, warnings } = await convertBytes('a.eml', mail(...related));

    expect(Object.keys(parts)).toEqual(['photo.png']);
    expect(conversion.fidelity).toMatchObject({ imagesFound: 2, imagesKept: 1 });
    expect(warnings).toEqual(['normalize.image_lost']);
  });

  test('nested too deeply keeps its text and loses its attachments', async () => {
    const bytes = mixed(
      part('text/plain', 'text'),
      part('text/csv', 'a,b', 'Content-Disposition: attachment'),
    );

    const { parts, text, warnings } = await convertBytes('a.eml', bytes, { depth: 2 });

    expect(parts).toEqual({});
    expect(text).toContain('text');
    expect(warnings).toEqual(['normalize.attachments_dropped']);
  });

  test('is read from UTF-16, and after the first line of an mbox file', async () => {
    const bytes = Buffer.from(`\ufeff${mail('', 'Grüße')}`, 'utf16le');

    const utf16 = await convertBytes('a.eml', bytes);
    const mbox = await convertBytes('a.eml', `From x@y Tue Oct 1 12:00:00 2024\n${mail('', 'Hi')}`);

    expect(utf16.text).toContain('Grüße');
    expect(mbox.text).toContain('Subject: Änderung');
  });

  test('that is a saved web page becomes that page', async () => {
    const page = mail(
      'Content-Type: multipart/related; boundary=b',
      '',
      part('text/html', '<h1>Page</h1><p>words'),
      part('text/css', 'p{}', 'Content-Location: https://x.y/a.css'),
      '--b--',
    );

    const { text, parts } = await convertBytes('page.mhtml', page);

    expect(text).toContain('# Page\n\nwords');
    expect(parts).toEqual({});
  });

  test.each([
    ['no mail header', 'normalize.corrupt', 'just some words\r\nand more\r\n'],
    [
      'an encrypted body',
      'normalize.encrypted',
      mail(
        'Content-Type: multipart/encrypted; protocol="application/pgp-encrypted"; boundary=b',
        '',
        '--b--',
      ),
    ],
  ])('with %s ends as %s', async (_, expected, bytes) => {
    expect(await codeOf(convertBytes('a.eml', bytes))).toBe(expected);
  });
});
