import { textPdf } from '../../fixtures/pdfs.ts';
import { picture } from '../../fixtures/pictures.ts';
import { zipOf } from '../../fixtures/zip.ts';
import type { HostileCase, Targets } from './case.ts';

const MiB = 1024 * 1024;

/** Web pages, mails, and files that are of two types at once. */
export function pageCases(targets: Targets): HostileCase[] {
  return [...references(targets), ...shapes(targets), ...mails(), ...polyglots(targets)];
}

function references({ file, url }: Targets): HostileCase[] {
  const places: Record<string, string> = {
    'a local file': `file://${file}`,
    'a server': `${url}/picture.png`,
    'a share': '\\\\127.0.0.1\\share\\picture.png',
  };
  return Object.entries(places).flatMap(([place, at]) => [
    {
      title: `a web page that loads everything from ${place}`,
      name: 'a.html',
      bytes: () =>
        Buffer.from(
          `<html><link rel=stylesheet href="${at}"><base href="${at}"><script src="${at}"></script><p>x` +
            `<img src="${at}" srcset="${at} 2x"><iframe src="${at}"></iframe><object data="${at}"></object>`,
        ),
      warnings: ['normalize.image_lost'],
    },
    {
      title: `a mail with pictures at ${place}`,
      name: 'a.eml',
      bytes: () =>
        Buffer.from(
          `From: a@b.c\r\nSubject: x\r\nContent-Type: text/html\r\n\r\n<p>x<img src="${at}">`,
        ),
    },
    {
      title: `a mail whose body is at ${place}`,
      name: 'a.eml',
      bytes: () =>
        Buffer.from(
          `From: a@b.c\r\nContent-Type: message/external-body; access-type=URL; URL="${at}"\r\n\r\nContent-Type: text/plain\r\n\r\nx`,
        ),
    },
    {
      title: `an RTF that includes ${place}`,
      name: 'a.rtf',
      bytes: () =>
        Buffer.from(
          `{\\rtf1 words {\\field{\\*\\fldinst INCLUDEPICTURE "${at}"}{\\fldrslt }}{\\*\\template ${at}}}`,
        ),
    },
  ]);
}

function shapes({ file }: Targets): HostileCase[] {
  const laughs = Array.from(
    { length: 9 },
    (_, level) => `<!ENTITY l${level + 1} "${`&l${level};`.repeat(10)}">`,
  ).join('');
  return [
    {
      title: 'a web page nested a million deep',
      name: 'a.html',
      bytes: () => Buffer.from(`<html>${'<div>'.repeat(1_000_000)}`),
      code: 'normalize.xml_depth',
    },
    {
      title: 'a web page of 100,000 attributes',
      name: 'a.html',
      bytes: () => {
        const attributes = Array.from({ length: 100_000 }, (_, at) => `a${at}=x`).join(' ');
        return Buffer.from(`<html><p ${attributes}>words`);
      },
    },
    {
      title: 'a web page that is one comment without an end',
      name: 'a.html',
      bytes: () => Buffer.from(`<html><!--${'- '.repeat(4 * MiB)}`),
      code: 'normalize.empty',
    },
    {
      title: 'a web page of a million links in one paragraph',
      name: 'a.html',
      bytes: () => Buffer.from(`<html>${'<a href=http://a.b>x</a> '.repeat(300_000)}`),
    },
    {
      title: 'a web page of cells that span a thousand columns and rows',
      name: 'a.html',
      bytes: () =>
        Buffer.from(
          `<html><table>${`<tr>${'<td colspan=1000 rowspan=1000>x'.repeat(50)}`.repeat(500)}`,
        ),
    },
    {
      title: 'an XHTML page with entities',
      name: 'a.xhtml',
      bytes: () =>
        Buffer.from(
          `<!DOCTYPE html [<!ENTITY x SYSTEM "file://${file}">${laughs}]><html><p>words &x; &l9;</p></html>`,
        ),
    },
  ];
}

function mails(): HostileCase[] {
  const nested = Array.from(
    { length: 1_000 },
    (_, at) => `Content-Type: multipart/mixed; boundary=b${at}\r\n\r\n--b${at}\r\n`,
  );
  return [
    {
      title: 'a mail nested 1,000 deep',
      name: 'a.eml',
      bytes: () => Buffer.from(`From: a@b.c\r\n${nested.join('')}\r\nx`),
      code: 'normalize.unreadable',
    },
    {
      title: 'a mail of mails of mails',
      name: 'a.eml',
      bytes: () =>
        Buffer.from(`${'From: a@b.c\r\nContent-Type: message/rfc822\r\n\r\n'.repeat(2_000)}x`),
    },
    {
      title: 'a mail of 100,000 headers',
      name: 'a.eml',
      bytes: () => Buffer.from(`From: a@b.c\r\n${'X-Header: value\r\n'.repeat(100_000)}\r\nwords`),
    },
    {
      title: 'a mail of 20,000 attachments',
      name: 'a.eml',
      bytes: () => {
        const part = '--b\r\nContent-Disposition: attachment\r\n\r\nx\r\n';
        return Buffer.from(
          `From: a@b.c\r\nContent-Type: multipart/mixed; boundary=b\r\n\r\n${part.repeat(20_000)}--b--`,
        );
      },
      code: 'normalize.too_many_entries',
    },
    {
      title: 'a mail with an attachment whose name points outside it',
      name: 'a.eml',
      bytes: () =>
        Buffer.from(
          'From: a@b.c\r\nContent-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\nContent-Type: text/plain\r\n' +
            'Content-Disposition: attachment; filename="../../../etc/passwd"\r\n\r\nx\r\n--b--',
        ),
    },
  ];
}

function polyglots({ file, url }: Targets): HostileCase[] {
  return [
    {
      title: 'a drawing with references that pretends to be a PNG',
      name: 'a.png',
      bytes: () =>
        Buffer.from(
          `<svg xmlns="http://www.w3.org/2000/svg"><image href="file://${file}"/><image href="${url}"/></svg>`,
        ),
      warnings: ['normalize.type_mismatch'],
    },
    {
      title: 'a GIF that is also an archive',
      name: 'a.gif',
      bytes: async () => Buffer.concat([await picture('gif', 8, 8), zipOf({ 'a.txt': 'x' })]),
      warnings: ['normalize.polyglot'],
    },
    {
      title: 'a PDF that is also an archive',
      name: 'a.pdf',
      bytes: async () => Buffer.concat([await textPdf(), zipOf({ 'a.txt': 'x' })]),
      warnings: ['normalize.polyglot'],
    },
    {
      title: 'a web page that is named as a table',
      name: 'a.csv',
      bytes: () => Buffer.from('<!DOCTYPE html><html><script>x</script><p>503 Service Unavailable'),
      warnings: ['normalize.type_mismatch'],
    },
  ];
}
