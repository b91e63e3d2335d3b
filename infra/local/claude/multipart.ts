import { invalid } from './errors.ts';

/**
 * A strict streaming parser of `multipart/form-data` (RFC 7578). Our own code, because the emulator has
 * to reject what lenient parsers repair: names that are not raw UTF-8, `filename*`, a missing end, bytes
 * outside the parts. Memory does not grow with the size of a part.
 */

export interface PartHead {
  name: string;
  /** Verbatim from the header, decoded as UTF-8; undefined when absent. */
  filename: string | undefined;
  /** Media type without parameters, lower case; undefined when absent. */
  contentType: string | undefined;
}

export interface PartSink {
  write(chunk: Buffer): void | Promise<void>;
  end(): void | Promise<void>;
}

const maxHeadBytes = 16 * 1024;
const maxParts = 32;
const mediaType = /^[a-z0-9!#$&^_.+-]+\/[a-z0-9!#$&^_.+-]+$/;

/** The boundary of a `content-type` header. Throws 400 unless it is multipart/form-data with one. */
export function boundaryOf(contentType: string | undefined): string {
  const match = /^multipart\/form-data\s*;\s*boundary=(?:"([^"]+)"|([^\s;"]+))\s*$/i.exec(
    contentType ?? '',
  );
  const boundary = match?.[1] ?? match?.[2];

  if (
    boundary === undefined ||
    boundary.length > 70 ||
    !/^[\x20-\x7e]*[\x21-\x7e]$/.test(boundary)
  ) {
    throw invalid(
      'content-type: must be multipart/form-data with a boundary of 1 to 70 characters',
    );
  }
  return boundary;
}

/** Reads all parts of `body`; `open` gets each part's head and returns the sink for its bytes. Throws 400. */
export async function readMultipart(
  body: AsyncIterable<Buffer>,
  boundary: string,
  open: (head: PartHead) => PartSink | Promise<PartSink>,
): Promise<void> {
  const delimiter = Buffer.from(`\r\n--${boundary}`, 'latin1');
  // The first delimiter lacks a preceding line break; adding one makes all delimiters equal.
  let rest: Buffer = Buffer.from('\r\n');
  let state: 'start' | 'after-delimiter' | 'head' | 'body' | 'end' = 'start';
  let sink: PartSink | undefined;
  let parts = 0;

  for await (const chunk of body) {
    rest = rest.length === 0 ? chunk : Buffer.concat([rest, chunk]);

    for (;;) {
      if (state === 'start') {
        if (rest.length < delimiter.length) break;
        if (!rest.subarray(0, delimiter.length).equals(delimiter)) {
          throw invalid('multipart body: does not begin with its boundary');
        }
        rest = rest.subarray(delimiter.length);
        state = 'after-delimiter';
      } else if (state === 'after-delimiter') {
        if (rest.length < 2) break;
        const mark = rest.toString('latin1', 0, 2);
        if (mark !== '\r\n' && mark !== '--') {
          throw invalid('multipart body: a boundary is followed by neither a line break nor "--"');
        }
        rest = rest.subarray(2);
        state = mark === '--' ? 'end' : 'head';
      } else if (state === 'head') {
        const end = rest.indexOf('\r\n\r\n');
        if (end > maxHeadBytes || (end < 0 && rest.length > maxHeadBytes)) {
          throw invalid('multipart body: the headers of a part are too long');
        }
        if (end < 0) break;
        if (++parts > maxParts) throw invalid('multipart body: too many parts');
        sink = await open(parseHead(rest.subarray(0, end)));
        rest = rest.subarray(end + 4);
        state = 'body';
      } else if (state === 'body' && sink) {
        const end = rest.indexOf(delimiter);
        if (end < 0) {
          // Holds back only what may be the beginning of a delimiter.
          const from = Math.max(0, rest.length - delimiter.length + 1);
          const hold = rest.indexOf(13, from);
          const ready = hold < 0 ? rest : rest.subarray(0, hold);
          rest = hold < 0 ? Buffer.alloc(0) : rest.subarray(hold);
          if (ready.length > 0) await sink.write(ready);
          break;
        }
        if (end > 0) await sink.write(rest.subarray(0, end));
        await sink.end();
        rest = rest.subarray(end + delimiter.length);
        state = 'after-delimiter';
      } else {
        if (rest.length > 2 || !'\r\n'.startsWith(rest.toString('latin1'))) {
          throw invalid('multipart body: bytes after the last boundary');
        }
        break;
      }
    }
  }

  if (state !== 'end') throw invalid('multipart body: ends before its last boundary');
}

function parseHead(bytes: Buffer): PartHead {
  let text: string;
  try {
    text = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch {
    throw invalid('multipart body: the headers of a part are not UTF-8');
  }

  const headers = new Map<string, string>();
  for (const line of text.split('\r\n')) {
    const colon = line.indexOf(':');
    const name = line.slice(0, colon).toLowerCase();
    if (colon <= 0 || !/^[a-z0-9-]+$/.test(name) || headers.has(name)) {
      throw invalid('multipart body: a part has a malformed or repeated header');
    }
    headers.set(name, line.slice(colon + 1).trim());
  }

  const encoding = headers.get('content-transfer-encoding');
  if (encoding !== undefined && !/^(binary|8bit|7bit)$/i.test(encoding)) {
    throw invalid('multipart body: content-transfer-encoding is not supported (RFC 7578, 4.7)');
  }
  const type = headers.get('content-type')?.split(';')[0]?.trim().toLowerCase();
  if (type !== undefined && !mediaType.test(type)) {
    throw invalid('multipart body: the content-type of a part is malformed');
  }
  return { ...parseDisposition(headers.get('content-disposition')), contentType: type };
}

/** Browsers and undici escape `"` as %22 and line breaks as %0D %0A, and nothing else (WHATWG). */
function parseDisposition(value: string | undefined): Pick<PartHead, 'name' | 'filename'> {
  const malformed = () =>
    invalid('multipart body: a part needs content-disposition: form-data; name="…"');
  if (value === undefined || !/^form-data\s*;/i.test(value)) throw malformed();

  const parameters = new Map<string, string>();
  const parameter = /\s*;\s*([a-z0-9*_-]+)=(?:"([^"]*)"|([^\s;"]+))/giy;
  parameter.lastIndex = 'form-data'.length;
  let at = parameter.lastIndex;

  for (let match = parameter.exec(value); match; match = parameter.exec(value)) {
    const key = (match[1] ?? '').toLowerCase();
    if (parameters.has(key)) throw malformed();
    parameters.set(key, match[2] ?? match[3] ?? '');
    at = parameter.lastIndex;
  }
  if (at !== value.length) throw malformed();
  if (parameters.has('filename*')) {
    throw invalid('multipart body: filename* is not allowed (RFC 7578, 4.2); send raw UTF-8');
  }

  const name = parameters.get('name');
  if (name === undefined || name === '') throw malformed();
  return { name, filename: parameters.get('filename') };
}
