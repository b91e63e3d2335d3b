import { open } from 'node:fs/promises';
import { fileTypeFromBuffer } from 'file-type';
import { RejectDocument, SkipDocument } from '../../journey/errors.ts';
import type { Warning } from '../../journey/record.ts';
import { rootNames } from '../safety/cfb.ts';
import type { ConvertInput } from '../types.ts';
import {
  extensionOf,
  type Format,
  formatOfContentType,
  formatOfName,
  kinds,
  textFormats,
} from './kinds.ts';
import {
  bomOf,
  countControls,
  isCleanText,
  isTextWithNuls,
  looksDelimited,
  sniffTextKind,
  wideEncodingOf,
} from './sniff.ts';
import { identifyZip } from './zip-kind.ts';

/**
 * What a file is: by signature, then by extension, then by content type. Text has no signature, so
 * bytes that read as text are what their name claims, unless their beginning says otherwise.
 */

export interface Identified {
  format: Format;
  /** The original's content type, from the format and not from what was declared. */
  mimeType: string;
  /** `normalize.type_mismatch`, `normalize.polyglot`. */
  warnings: Warning[];
}

const headBytes = 64 * 1024;

/**
 * @param input the file; its name and content type are hints
 * @throws RejectDocument `normalize.empty`, `normalize.encrypted`, `normalize.corrupt`,
 *   `normalize.binary` and those of `openZip`
 * @throws SkipDocument `normalize.unsupported`, `normalize.legacy_office`
 */
export async function identify(
  input: Pick<ConvertInput, 'path' | 'name' | 'contentType' | 'limits'>,
): Promise<Identified> {
  const file = await open(input.path);
  try {
    const { buffer, bytesRead } = await file.read(Buffer.alloc(headBytes), 0, headBytes, 0);
    const head = buffer.subarray(0, bytesRead);
    if (head.length === 0) {
      throw new RejectDocument({ code: 'normalize.empty', message: 'The file has no bytes.' });
    }
    const claimed = formatOfName(input.name) ?? formatOfContentType(input.contentType);
    const found = isCompoundFile(head)
      ? compoundFormat(await rootNames(file))
      : await formatOf(head, input, claimed);
    const warnings = mismatch(found, input);
    const { size } = await file.stat();
    const tail = await file.read(Buffer.alloc(1024), 0, 1024, Math.max(0, size - 1024));
    if (isPolyglot(found, head, tail.buffer.subarray(0, tail.bytesRead))) {
      warnings.push({
        code: 'normalize.polyglot',
        message: `The file is ${found} and can also be read as another type.`,
      });
    }
    return { format: found, mimeType: kinds[found].mimeTypes[0] ?? '', warnings };
  } finally {
    await file.close();
  }
}

async function formatOf(
  head: Buffer,
  input: Pick<ConvertInput, 'path' | 'name' | 'limits'>,
  claimed: Format | undefined,
): Promise<Format> {
  if (startsWith(head, '%PDF-')) return 'pdf';
  if (startsWith(head, 'PK\x03\x04') || startsWith(head, 'PK\x05\x06')) {
    return identifyZip(input.path, input.limits);
  }
  if (bomOf(head) || isCleanText(head)) return textFormat(head, claimed);
  const signature = await fileTypeFromBuffer(head);
  const picture = signature && pictureFormats[signature.mime];
  if (picture) return picture;
  if (wideEncodingOf(head)) return textFormat(head, claimed);
  // Readers accept a PDF's header within its first 1,024 bytes (ISO 32000-1, annex H).
  if (head.subarray(0, 1024).includes('%PDF-')) return 'pdf';
  const isTextual = !signature || textSignatures.has(signature.mime);
  const isMostlyText = countControls(head) * 20 <= head.length || isTextWithNuls(head);
  if (isTextual && isMostlyText) return textFormat(head, claimed);
  throw unknownBinary(input.name, claimed, signature?.mime);
}

const pictureFormats: Record<string, Format> = {
  'image/jpeg': 'jpeg',
  'image/png': 'png',
  'image/apng': 'png',
  'image/gif': 'gif',
  'image/webp': 'webp',
};

/** Types that file-type recognises in text. */
const textSignatures = new Set([
  'application/xml',
  'text/calendar',
  'text/vcard',
  'text/vtt',
  'application/rtf',
  'application/x-ms-regedit',
]);

function textFormat(head: Buffer, claimed: Format | undefined): Format {
  const kind = sniffTextKind(head);
  if (kind === 'rtf') return 'rtf';
  if (kind === 'spreadsheet-xml') return 'xls';
  const isTextName = claimed !== undefined && textFormats.includes(claimed);
  // Mails and web pages saved as .txt are meant to be read as text; a web page saved as .csv is not.
  if (isTextName && !((claimed === 'csv' || claimed === 'tsv') && kind === 'html')) return claimed;
  if (kind) return kind;
  const isTableName = claimed === 'xls' || claimed === 'xlsx' || claimed === 'ods';
  return isTableName && looksDelimited(head) ? 'csv' : 'text';
}

function startsWith(head: Buffer, signature: string): boolean {
  return head.subarray(0, signature.length).toString('latin1') === signature;
}

function isCompoundFile(head: Buffer): boolean {
  return head.subarray(0, 8).toString('hex') === 'd0cf11e0a1b11ae1';
}

function compoundFormat(names: Set<string>): Format {
  if (names.has('encryptedpackage') || names.has('encryptioninfo')) {
    throw new RejectDocument({
      code: 'normalize.encrypted',
      message: 'The office document is protected by a password.',
    });
  }
  if (names.has('workbook') || names.has('book')) return 'xls';
  for (const [stream, type] of [
    ['worddocument', 'a Word 97–2003 document (.doc)'],
    ['powerpoint document', 'a PowerPoint 97–2003 presentation (.ppt)'],
  ] as const) {
    if (names.has(stream)) {
      throw new SkipDocument({ code: 'normalize.legacy_office', message: `The file is ${type}.` });
    }
  }
  if (names.has('__properties_version1.0')) {
    throw new SkipDocument({
      code: 'normalize.unsupported',
      message: 'The file is an Outlook message (.msg).',
      advice: 'Save the message as .eml (Outlook on the web: “Download”) or as PDF, and drop that.',
    });
  }
  if (names.size === 0) {
    throw new RejectDocument({
      code: 'normalize.corrupt',
      message: 'The file is an OLE container with a damaged directory.',
    });
  }
  throw new SkipDocument({
    code: 'normalize.unsupported',
    message: 'The file is an OLE container of a type that Dropline does not read.',
  });
}

function unknownBinary(
  name: string,
  claimed: Format | undefined,
  signature: string | undefined,
): RejectDocument | SkipDocument {
  if (signature && !textSignatures.has(signature)) {
    return new SkipDocument({
      code: 'normalize.unsupported',
      message: `The content is ${signature}, which Dropline does not convert.`,
    });
  }
  if (claimed && textFormats.includes(claimed)) {
    return new RejectDocument({
      code: 'normalize.binary',
      message: 'The file is named as text, but its content is binary.',
    });
  }
  if (claimed) {
    return new RejectDocument({
      code: 'normalize.corrupt',
      message: `The file is named as ${claimed}, but its content is something else.`,
    });
  }
  const extension = extensionOf(name);
  return new SkipDocument({
    code: 'normalize.unsupported',
    message: extension
      ? `Dropline does not convert .${extension.slice(0, 20)} files.`
      : 'The file type is unknown.',
  });
}

/** A warning if the name, or without a telling name the content type, claims another type. */
function mismatch(found: Format, input: Pick<ConvertInput, 'name' | 'contentType'>): Warning[] {
  const warn = (what: string): Warning[] => [
    { code: 'normalize.type_mismatch', message: `${what}, but the content is ${found}.` },
  ];
  const named = formatOfName(input.name);
  if (named) {
    return named === found ? [] : warn(`The extension says ${extensionOf(input.name) || named}`);
  }
  const typed = formatOfContentType(input.contentType);
  const bothText = typed && textFormats.includes(typed) && textFormats.includes(found);
  return !typed || typed === found || bothText ? [] : warn(`The content type says ${typed}`);
}

/** A second signature where other readers look for one: a PDF's header, a zip's trailer. */
function isPolyglot(found: Format, head: Buffer, tail: Buffer): boolean {
  const isZip = startsWith(head, 'PK');
  if (found !== 'pdf' && !textFormats.includes(found) && head.subarray(0, 1024).includes('%PDF-')) {
    return true;
  }
  return (
    !isZip &&
    !textFormats.includes(found) &&
    found !== 'xls' &&
    tail.includes('PK\x05\x06', 'latin1')
  );
}
