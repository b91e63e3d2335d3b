import { SaxesParser } from 'saxes';
import { RejectDocument } from '../../journey/errors.ts';

/**
 * XML of office parts as events with canonical prefixes. Producers may bind any prefix to a namespace
 * (ECMA-376 part 1, 8.4), and Strict files use other namespaces than Transitional ones; readers here
 * see `w:p` whatever the file calls it.
 */

/** Attributes by name, with canonical prefixes. */
export type Attributes = Record<string, string>;

export interface XmlHandlers {
  open(name: string, attributes: Attributes): void;
  close(name: string): void;
  text?(text: string): void;
}

const schemas = 'http://schemas.openxmlformats.org';
const strict = 'http://purl.oclc.org/ooxml';
const microsoft = 'http://schemas.microsoft.com/office';
const odf = 'urn:oasis:names:tc:opendocument:xmlns';

const canonicalPrefixes: Record<string, string> = {
  [`${schemas}/wordprocessingml/2006/main`]: 'w',
  [`${strict}/wordprocessingml/main`]: 'w',
  [`${schemas}/officeDocument/2006/relationships`]: 'r',
  [`${strict}/officeDocument/relationships`]: 'r',
  [`${schemas}/package/2006/relationships`]: 'rel',
  [`${schemas}/package/2006/content-types`]: 'ct',
  [`${schemas}/drawingml/2006/wordprocessingDrawing`]: 'wp',
  [`${strict}/drawingml/wordprocessingDrawing`]: 'wp',
  [`${schemas}/drawingml/2006/main`]: 'a',
  [`${strict}/drawingml/main`]: 'a',
  [`${schemas}/drawingml/2006/picture`]: 'pic',
  [`${strict}/drawingml/picture`]: 'pic',
  [`${schemas}/drawingml/2006/chart`]: 'c',
  [`${strict}/drawingml/chart`]: 'c',
  [`${schemas}/drawingml/2006/diagram`]: 'dgm',
  [`${strict}/drawingml/diagram`]: 'dgm',
  [`${schemas}/officeDocument/2006/math`]: 'm',
  [`${strict}/officeDocument/math`]: 'm',
  [`${schemas}/markup-compatibility/2006`]: 'mc',
  [`${schemas}/spreadsheetml/2006/main`]: 's',
  [`${strict}/spreadsheetml/main`]: 's',
  [`${schemas}/presentationml/2006/main`]: 'p',
  [`${strict}/presentationml/main`]: 'p',
  [`${odf}:office:1.0`]: 'office',
  [`${odf}:table:1.0`]: 'table',
  [`${odf}:text:1.0`]: 'text',
  [`${odf}:drawing:1.0`]: 'draw',
  [`${odf}:style:1.0`]: 'style',
  'http://purl.org/dc/elements/1.1/': 'dc',
  'urn:schemas-microsoft-com:vml': 'v',
  'urn:schemas-microsoft-com:office:office': 'o',
  [`${microsoft}/word/2010/wordprocessingShape`]: 'wps',
  [`${microsoft}/word/2010/wordprocessingGroup`]: 'wpg',
  [`${microsoft}/word/2010/wordprocessingCanvas`]: 'wpc',
  [`${microsoft}/word/2010/wordml`]: 'w14',
  [`${microsoft}/drawing/2014/chartex`]: 'cx',
  [`${microsoft}/drawing/2017/model3d`]: 'am3d',
};

/**
 * Maps names as the file writes them to names with canonical prefixes. Declarations stay in force
 * after their element: no known producer binds one prefix to two namespaces in one part.
 */
class Names {
  readonly #prefixes = new Map<string, string>();
  readonly #canonical = new Map<string, string>();
  #attributesAsWritten = true;

  declare(attributes: Attributes): void {
    for (const key in attributes) {
      if (!key.startsWith('xmlns')) continue;
      const own = key.slice(6);
      const prefix = canonicalPrefixes[attributes[key] ?? ''] ?? own;
      if (prefix === '' || this.#prefixes.get(own) === prefix) continue;
      this.#prefixes.set(own, prefix);
      this.#canonical.clear();
      if (own !== '' && own !== prefix) this.#attributesAsWritten = false;
    }
  }

  element(name: string): string {
    let canonical = this.#canonical.get(name);
    if (canonical === undefined) {
      canonical = this.#rename(name, true);
      this.#canonical.set(name, canonical);
    }
    return canonical;
  }

  attributes(attributes: Attributes): Attributes {
    if (this.#attributesAsWritten) return attributes;
    const renamed: Attributes = {};
    for (const key in attributes) renamed[this.#rename(key, false)] = attributes[key] ?? '';
    return renamed;
  }

  #rename(name: string, isElement: boolean): string {
    const colon = name.indexOf(':');
    if (colon < 0 && !isElement) return name;
    const own = colon < 0 ? '' : name.slice(0, colon);
    const prefix = this.#prefixes.get(own) ?? own;
    return prefix === '' ? name : `${prefix}:${name.slice(colon + 1)}`;
  }
}

/**
 * Reads one XML part. It does not recurse, so depth costs no stack.
 * @param partName for error messages only
 * @throws RejectDocument `normalize.corrupt` if it is not well-formed, `normalize.xml_entities` if it
 *   declares a document type, which OOXML forbids (ECMA-376 part 2, 9.1.1)
 */
export function readXml(bytes: Buffer, partName: string, handlers: XmlHandlers): void {
  parserFor(partName, handlers).write(decodeXml(bytes, partName)).close();
}

/**
 * Like `readXml`, for a part too large to hold in memory: UTF-8 only, with a limit on nesting.
 * @param afterChunk awaited between chunks, to write what the handlers have collected
 * @throws RejectDocument like `readXml`, and `normalize.xml_depth`
 */
export async function readXmlStream(
  chunks: AsyncIterable<Buffer>,
  partName: string,
  handlers: XmlHandlers,
  maxDepth: number,
  afterChunk: () => Promise<void> = async () => {},
): Promise<void> {
  const parser = parserFor(partName, limitDepth(handlers, maxDepth));
  const decoder = new TextDecoder('utf-8', { fatal: true });
  for await (const chunk of chunks) {
    parser.write(decodeChunk(decoder, chunk, partName));
    await afterChunk();
  }
  parser.write(decodeChunk(decoder, undefined, partName)).close();
  await afterChunk();
}

function limitDepth(handlers: XmlHandlers, maxDepth: number): XmlHandlers {
  let depth = 0;
  return {
    open(name, attributes) {
      depth += 1;
      if (depth > maxDepth) {
        throw new RejectDocument({
          code: 'normalize.xml_depth',
          message: `Elements are nested more than ${maxDepth} deep.`,
        });
      }
      handlers.open(name, attributes);
    },
    close(name) {
      depth -= 1;
      handlers.close(name);
    },
    text: (text) => handlers.text?.(text),
  };
}

function decodeChunk(
  decoder: InstanceType<typeof TextDecoder>,
  chunk: Buffer | undefined,
  partName: string,
): string {
  try {
    return chunk ? decoder.decode(chunk, { stream: true }) : decoder.decode();
  } catch (cause) {
    throw corruptPart(partName, cause);
  }
}

function parserFor(partName: string, handlers: XmlHandlers) {
  const names = new Names();
  const parser = new SaxesParser({ xmlns: false, position: false });
  parser.on('error', (cause) => {
    throw corruptPart(partName, cause);
  });
  parser.on('doctype', () => {
    throw new RejectDocument({
      code: 'normalize.xml_entities',
      message: `${partName} declares a document type, which can hide an attack.`,
    });
  });
  parser.on('opentag', (tag) => {
    for (const key in tag.attributes) {
      if (key.startsWith('xmlns')) {
        names.declare(tag.attributes);
        break;
      }
    }
    handlers.open(names.element(tag.name), names.attributes(tag.attributes));
  });
  parser.on('closetag', (tag) => handlers.close(names.element(tag.name)));
  if (handlers.text) {
    const text = handlers.text.bind(handlers);
    parser.on('text', text);
    parser.on('cdata', text);
  }
  return parser;
}

/**
 * Decodes an XML part by its byte order mark or its declaration (XML 1.0, appendix F).
 * @throws RejectDocument `normalize.corrupt`
 */
export function decodeXml(bytes: Buffer, partName: string): string {
  const label = wideLabel(bytes) ?? declaredLabel(bytes) ?? 'utf-8';
  try {
    return new TextDecoder(label, { fatal: true }).decode(bytes);
  } catch (cause) {
    throw corruptPart(partName, cause);
  }
}

function wideLabel(bytes: Buffer): string | undefined {
  const [a, b] = bytes;
  if ((a === 0xff && b === 0xfe) || (a === 0x3c && b === 0)) return 'utf-16le';
  if ((a === 0xfe && b === 0xff) || (a === 0 && b === 0x3c)) return 'utf-16be';
  return undefined;
}

function declaredLabel(bytes: Buffer): string | undefined {
  const head = bytes.subarray(0, 120).toString('latin1');
  return /^[^<]{0,3}<\?xml[^>]*encoding\s*=\s*["']([\w.:-]+)["']/.exec(head)?.[1];
}

function corruptPart(partName: string, cause: unknown): RejectDocument {
  return new RejectDocument({
    code: 'normalize.corrupt',
    message: `${partName} inside the file is damaged and cannot be read.`,
    cause,
  });
}

/** The value of an on/off property (ECMA-376 part 1, 22.9.2.7); a property without a value is on. */
export function isOn(value: string | undefined): boolean {
  return value !== '0' && value !== 'false' && value !== 'off';
}
