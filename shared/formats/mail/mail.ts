import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import PostalMime, { type Address, type Attachment, type Email } from 'postal-mime';
import { RejectDocument } from '../../journey/errors.ts';
import type { Warning } from '../../journey/record.ts';
import { htmlWarnings } from '../html/html.ts';
import { HtmlText } from '../html/reader.ts';
import { stylesOf } from '../html/style-collector.ts';
import { extensionOf, formatOfContentType, kinds } from '../identify/kinds.ts';
import { PartNames } from '../safety/part-name.ts';
import { createDecoder, detectEncoding } from '../text/encoding.ts';
import { TextCleaner, textWarnings } from '../text/text.ts';
import { countedWere } from '../text/wording.ts';
import type { Conversion, ConvertInput, Part } from '../types.ts';

/**
 * A mail: its headers and body as text, each attachment as its own document. Web archives (MHTML) are
 * mails too; of these only the page is read.
 */

/** Pictures shown in the body up to this size are logos and bullets, not attachments. */
const inlinePictureBytes = 16 * 1024;

/**
 * @throws RejectDocument `normalize.corrupt` if there is no mail header,
 *   `normalize.encrypted`, `normalize.too_many_entries`, `normalize.too_large`
 */
export async function convertEml(input: ConvertInput): Promise<Conversion> {
  const mail = await PostalMime.parse(await readMail(input), { maxNestingDepth: 64 });
  checkMail(mail, input);
  const attachments = await saveAttachments(mail, input);
  const body = bodyOf(mail, input.limits.maxXmlDepth);
  const cleaner = new TextCleaner();
  const sections = [headerLines(mail), body.text, attachmentLines(attachments.parts)];
  const text = cleaner.clean(`${sections.filter(Boolean).join('\n\n')}\n`, true);
  const path = join(input.outDir, 'mail.txt');
  await writeFile(path, text);
  return {
    outcome: 'file',
    path,
    mimeType: 'text/plain',
    block: 'document',
    fidelity: {
      route: 'eml→text',
      imagesFound: attachments.picturesFound,
      imagesKept: attachments.picturesKept,
      warnings: [
        ...attachments.warnings,
        ...textWarnings({ label: 'utf-8', sure: true }, cleaner.cleaned),
        ...body.warnings,
      ],
    },
    parts: attachments.parts,
    ...(attachments.beyondLimit > 0 && { partsBeyondLimit: attachments.beyondLimit }),
  };
}

/** The mail's bytes, converted to UTF-8 if it was saved as UTF-16 or UTF-32. */
async function readMail(input: ConvertInput): Promise<Buffer> {
  const { label, bomBytes } = await detectEncoding(input.path);
  const bytes = (await readFile(input.path)).subarray(bomBytes);
  if (!/^utf-(?:16|32)/.test(label)) return withoutMboxLine(bytes);
  const decoder = createDecoder(label);
  return withoutMboxLine(Buffer.from(decoder.push(bytes) + decoder.end()));
}

/** Mails cut out of an mbox file begin with a line `From sender date`, which is not a header. */
function withoutMboxLine(bytes: Buffer): Buffer {
  if (bytes.toString('latin1', 0, 5) !== 'From ') return bytes;
  return bytes.subarray(bytes.indexOf(0x0a) + 1);
}

function checkMail(mail: Email, { limits }: ConvertInput): void {
  const telling = ['from', 'to', 'subject', 'date', 'message-id', 'received', 'mime-version'];
  if (!mail.headers.some(({ key }) => telling.includes(key))) {
    throw new RejectDocument({
      code: 'normalize.corrupt',
      message: 'The file is named as a mail but has no mail headers.',
    });
  }
  const type = mail.headers.find(({ key }) => key === 'content-type')?.value ?? '';
  if (/multipart\/encrypted|pkcs7-mime.*enveloped-data/is.test(type)) {
    throw new RejectDocument({
      code: 'normalize.encrypted',
      message: 'The mail is encrypted (S/MIME or PGP).',
    });
  }
  if (mail.attachments.length > limits.maxZipEntries) {
    throw new RejectDocument({
      code: 'normalize.too_many_entries',
      message: `The mail has ${mail.attachments.length} attachments; the limit is ${limits.maxZipEntries}.`,
    });
  }
}

interface Attachments {
  parts: Part[];
  beyondLimit: number;
  picturesFound: number;
  picturesKept: number;
  warnings: Warning[];
}

async function saveAttachments(mail: Email, input: ConvertInput): Promise<Attachments> {
  const { attachments } = mail;
  const found: Attachments = {
    parts: [],
    beyondLimit: 0,
    picturesFound: attachments.filter(isPicture).length,
    picturesKept: 0,
    warnings: [],
  };
  const isPage = /^mht(?:ml)?$/.test(extensionOf(input.name));
  const isTooDeep = (input.depth ?? 0) > input.limits.maxNesting;
  const wanted = isPage || isTooDeep ? [] : attachments.filter((one) => !isDecoration(one));
  if (isTooDeep && attachments.length > 0) {
    found.warnings.push({
      code: 'normalize.attachments_dropped',
      message: `${countedWere(attachments.length, 'attachment')} left out: the mail is nested in ${input.depth} other files.`,
    });
  } else if (wanted.length < attachments.length) {
    found.warnings.push({
      code: 'normalize.image_lost',
      message: isPage
        ? `Pictures and style sheets of the page were left out: ${attachments.length}.`
        : `${countedWere(attachments.length - wanted.length, 'small picture')} left out.`,
    });
  }
  const names = new PartNames();
  found.beyondLimit = Math.max(0, wanted.length - input.limits.maxParts);
  for (const attachment of wanted.slice(0, input.limits.maxParts)) {
    const bytes = bytesOf(attachment);
    const path = join(input.outDir, `part-${found.parts.length}`);
    await writeFile(path, bytes);
    found.parts.push({
      name: names.take(nameOf(attachment, found.parts.length + 1)),
      path,
      sizeBytes: bytes.length,
      contentType: attachment.mimeType,
    });
    if (isPicture(attachment)) found.picturesKept += 1;
  }
  return found;
}

function bytesOf({ content }: Attachment): Uint8Array {
  return typeof content === 'string' ? Buffer.from(content) : new Uint8Array(content);
}

function isPicture({ mimeType }: Attachment): boolean {
  return mimeType.startsWith('image/');
}

function isDecoration(attachment: Attachment): boolean {
  return (
    isPicture(attachment) &&
    attachment.related === true &&
    attachment.disposition !== 'attachment' &&
    bytesOf(attachment).length <= inlinePictureBytes
  );
}

function nameOf({ filename, mimeType }: Attachment, number: number): string {
  const format = formatOfContentType(mimeType);
  const extension =
    mimeType === 'message/rfc822' ? 'eml' : (format && kinds[format].extensions[0]) || 'bin';
  if (!filename) return `attachment-${number}.${extension}`;
  return extensionOf(filename) === '' && format ? `${filename}.${extension}` : filename;
}

/** The headers that matter to a reader, in the order that mail programs show them. */
function headerLines(mail: Email): string {
  const lines = [
    ['Subject', mail.subject],
    ['From', mail.from && addressText(mail.from)],
    ['To', mail.to?.map(addressText).join(', ')],
    ['Cc', mail.cc?.map(addressText).join(', ')],
    ['Reply-To', mail.replyTo?.map(addressText).join(', ')],
    ['Date', dateOf(mail)],
  ];
  return lines
    .filter(([, value]) => value)
    .map(([name, value]) => `${name}: ${value?.replace(/\s+/g, ' ')}`)
    .join('\n');
}

/** What ends a date that says how far from UTC it is (RFC 5322, 3.3 and 4.3), comments aside. */
const zone = /(?:[+-]\d{2}:?\d{2}|\b(?:UT|UTC|GMT|Z|[ECMP][SD]T))\s*(?:\([^()]*\)\s*)*$/i;

/**
 * The date in UTC. One without a zone stays as it is written: the parser would take it for the time of the
 * machine that converts.
 */
function dateOf({ date, headers }: Email): string | undefined {
  const written = headers.find(({ key }) => key === 'date')?.value.trim();
  return written === undefined || zone.test(written) ? date : written;
}

function addressText(address: Address): string {
  if (address.group) return `${address.name}: ${address.group.map(addressText).join(', ')}`;
  const { name, address: mailbox = '' } = address;
  return name && name !== mailbox ? `${name} <${mailbox}>` : mailbox;
}

/** The HTML body, which keeps tables and links, if it says as much as the plain one. */
function bodyOf(mail: Email, maxDepth: number): { text: string; warnings: Warning[] } {
  const plain = (mail.text ?? '').replaceAll('\r\n', '\n').trim();
  if (!mail.html) return { text: plain, warnings: [] };
  const html = new HtmlText(maxDepth, { styles: stylesOf(mail.html) });
  html.write(mail.html);
  html.end();
  const text = html.take();
  // The plain body often repeats what the HTML one hides; that is no reason to prefer it.
  if (wordCount(text) + html.hidden.count < 0.9 * wordCount(plain))
    return { text: plain, warnings: [] };
  return { text, warnings: htmlWarnings({ images: 0, hidden: html.hidden.count }) };
}

function wordCount(text: string): number {
  return text.match(/[\p{L}\p{N}]+/gu)?.length ?? 0;
}

function attachmentLines(parts: Part[]): string {
  if (parts.length === 0) return '';
  const lines = parts.map(({ name, contentType, sizeBytes }) => {
    return `- ${name} (${contentType ?? 'unknown type'}, ${sizeBytes} bytes)`;
  });
  return `Attachments:\n${lines.join('\n')}`;
}
