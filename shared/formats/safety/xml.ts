import type { Readable } from 'node:stream';
import { RejectDocument } from '../../journey/errors.ts';
import type { Limits } from '../limits.ts';
import { openZip, type SafeZip } from './zip.ts';

/**
 * One linear pass over XML bytes before a parser sees them: size, depth, document types and
 * entities. It does not check well-formedness; it parses only what is needed to count nesting.
 */

export interface XmlCheck {
  bytes: number;
  elements: number;
  /** Deepest nesting of elements, the root being 1. */
  depth: number;
}

export interface XmlRules {
  /**
   * Accept a document type without an internal subset (XHTML in EPUB, manifests of old
   * OpenDocument files). OOXML forbids document types (ECMA-376 part 2, 9.1.1).
   */
  allowDoctype?: boolean;
}

const lt = 0x3c;
const gt = 0x3e;
const slash = 0x2f;
const bang = 0x21;
const question = 0x3f;
const dash = 0x2d;
const bracket = 0x5d;
const open = 0x5b;
const quote = 0x22;
const apostrophe = 0x27;

/** Counts nesting in chunks of UTF-8 (or any ASCII-compatible) XML, given to `push`. */
export class XmlScanner {
  readonly check: XmlCheck = { bytes: 0, elements: 0, depth: 0 };
  #state: 'text' | 'lt' | 'tag' | 'bang' | 'comment' | 'cdata' | 'pi' = 'text';
  #depth = 0;
  #closing = false;
  #quote = 0;
  #last = 0;
  #beforeLast = 0;
  #markup = '';
  readonly #limits: Pick<Limits, 'maxXmlBytes' | 'maxXmlDepth'>;
  readonly #rules: XmlRules;

  constructor(limits: Pick<Limits, 'maxXmlBytes' | 'maxXmlDepth'>, rules: XmlRules = {}) {
    this.#limits = limits;
    this.#rules = rules;
  }

  /** @throws RejectDocument `normalize.xml_entities`, `normalize.xml_depth`, `normalize.too_large` */
  push(chunk: Buffer): void {
    this.check.bytes += chunk.length;
    if (this.check.bytes > this.#limits.maxXmlBytes) {
      throw new RejectDocument({
        code: 'normalize.too_large',
        message: `An XML part has more than ${this.#limits.maxXmlBytes} bytes.`,
      });
    }
    let at = 0;
    while (at < chunk.length) {
      if (this.#state === 'text') {
        const next = chunk.indexOf(lt, at);
        if (next < 0) return;
        this.#state = 'lt';
        at = next + 1;
      } else {
        this.#step(chunk[at] ?? 0);
        at += 1;
      }
    }
  }

  #step(byte: number): void {
    switch (this.#state) {
      case 'lt':
        this.#afterLt(byte);
        break;
      case 'tag':
        this.#inTag(byte);
        break;
      case 'bang':
        this.#afterBang(byte);
        break;
      case 'comment':
        this.#untilEnd(byte, dash, dash);
        break;
      case 'cdata':
        this.#untilEnd(byte, bracket, bracket);
        break;
      case 'pi':
        this.#untilEnd(byte, question);
        break;
    }
  }

  #afterLt(byte: number): void {
    this.#last = 0;
    this.#beforeLast = 0;
    if (byte === bang) {
      this.#markup = '';
      this.#state = 'bang';
    } else if (byte === question) {
      this.#state = 'pi';
    } else {
      this.#closing = byte === slash;
      this.#quote = 0;
      this.#last = byte;
      this.#state = 'tag';
    }
  }

  #inTag(byte: number): void {
    if (this.#quote !== 0) {
      if (byte === this.#quote) this.#quote = 0;
    } else if (byte === quote || byte === apostrophe) {
      this.#quote = byte;
    } else if (byte === gt) {
      this.#endTag();
      this.#state = 'text';
    }
    this.#last = byte;
  }

  #endTag(): void {
    if (this.#closing) {
      if (this.#depth > 0) this.#depth -= 1;
      return;
    }
    this.check.elements += 1;
    const depth = this.#depth + 1;
    if (depth > this.check.depth) this.check.depth = depth;
    if (depth > this.#limits.maxXmlDepth) {
      throw new RejectDocument({
        code: 'normalize.xml_depth',
        message: `Elements are nested more than ${this.#limits.maxXmlDepth} deep.`,
      });
    }
    if (this.#last !== slash) this.#depth = depth;
  }

  /** After `<!`: a comment, CDATA or a declaration, as the next characters show. */
  #afterBang(byte: number): void {
    this.#markup += String.fromCharCode(byte);
    if (this.#markup === '--') {
      this.#state = 'comment';
    } else if (this.#markup === '[CDATA[') {
      this.#state = 'cdata';
    } else if (byte === open && !'[CDATA['.startsWith(this.#markup)) {
      throw entities();
    } else if (byte === gt) {
      if (!this.#rules.allowDoctype || !/^DOCTYPE\s/i.test(this.#markup)) throw entities();
      this.#state = 'text';
    } else if (this.#markup.length >= 2 && !this.#rules.allowDoctype) {
      if (!'[CDATA['.startsWith(this.#markup) && this.#markup !== '-') throw entities();
    } else if (this.#markup.length > 2_000) {
      throw entities();
    }
  }

  #untilEnd(byte: number, last: number, beforeLast?: number): void {
    if (
      byte === gt &&
      this.#last === last &&
      (beforeLast === undefined || this.#beforeLast === beforeLast)
    ) {
      this.#state = 'text';
    }
    this.#beforeLast = this.#last;
    this.#last = byte;
  }
}

/**
 * Reads a whole XML stream (an entry's unpacked bytes) through an `XmlScanner`. UTF-16, with or
 * without a byte order mark, is decoded first, so that nothing can hide in it.
 * @throws RejectDocument like `XmlScanner.push`
 */
export async function checkXmlStream(
  stream: Readable,
  limits: Pick<Limits, 'maxXmlBytes' | 'maxXmlDepth'>,
  rules: XmlRules = {},
): Promise<XmlCheck> {
  const scanner = new XmlScanner(limits, rules);
  let decoder: InstanceType<typeof TextDecoder> | undefined;
  let first = true;
  try {
    for await (const chunk of stream as AsyncIterable<Buffer>) {
      if (first) {
        const wide = wideEncoding(chunk);
        if (wide) decoder = new TextDecoder(wide);
        first = false;
      }
      scanner.push(decoder ? Buffer.from(decoder.decode(chunk, { stream: true })) : chunk);
    }
  } finally {
    stream.destroy();
  }
  return scanner.check;
}

/** Like `checkXmlStream`, for bytes in memory. */
export function checkXml(
  bytes: Buffer,
  limits: Pick<Limits, 'maxXmlBytes' | 'maxXmlDepth'>,
  rules: XmlRules = {},
): XmlCheck {
  const scanner = new XmlScanner(limits, rules);
  const wide = wideEncoding(bytes);
  scanner.push(wide ? Buffer.from(new TextDecoder(wide).decode(bytes)) : bytes);
  return scanner.check;
}

/**
 * Opens an office file (OOXML, OpenDocument, EPUB): `openZip`, then unpacks every entry once, within
 * its stated size and checksum, and checks every XML entry. After that it is safe to give the file
 * to a library that inflates and parses without limits.
 * @returns the open zip, which the caller closes
 * @throws RejectDocument like `openZip`, `SafeZip.verify` and `XmlScanner.push`
 */
export async function openXmlPackage(
  path: string,
  limits: Limits,
  rules: XmlRules = {},
): Promise<SafeZip> {
  const zip = await openZip(path, limits);
  try {
    for (const entry of zip.entries) {
      if (isXmlName(entry.name)) checkXml(await zip.read(entry, limits.maxXmlBytes), limits, rules);
    }
    await zip.verify((entry) => !isXmlName(entry.name));
    return zip;
  } catch (error) {
    zip.close();
    throw error;
  }
}

function isXmlName(name: string): boolean {
  return /\.(?:xml|rels|vml|opf|ncx|xhtml|xsd)$/i.test(name);
}

/** UTF-16, known by its mark or by the NUL beside the first `<` (XML 1.0, appendix F). */
function wideEncoding(bytes: Buffer): 'utf-16le' | 'utf-16be' | undefined {
  const [a, b] = bytes;
  if ((a === 0xff && b === 0xfe) || (a === lt && b === 0)) return 'utf-16le';
  if ((a === 0xfe && b === 0xff) || (a === 0 && b === lt)) return 'utf-16be';
  return undefined;
}

function entities(): RejectDocument {
  return new RejectDocument({
    code: 'normalize.xml_entities',
    message:
      'The XML inside the file declares a document type or entities, which can hide an attack.',
  });
}
