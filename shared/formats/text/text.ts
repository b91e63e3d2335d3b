import { join } from 'node:path';
import { RejectDocument } from '../../journey/errors.ts';
import type { Warning } from '../../journey/record.ts';
import type { Conversion, ConvertInput } from '../types.ts';
import { chunksOf } from './chunks.ts';
import { createDecoder, detectEncoding, type Encoding } from './encoding.ts';
import { TextSink } from './sink.ts';

/** Plain text of any encoding: passed through when it is clean UTF-8, else rewritten as such. */

/** What was taken out of or replaced in a text, in characters. */
export interface Cleaned {
  /** U+FFFD that decoding put in place of bytes. */
  undecodable: number;
  /** NULs, control characters and escape sequences left out. */
  controls: number;
}

/**
 * @throws RejectDocument `normalize.empty` for nothing but white space, `normalize.binary`,
 *   `normalize.too_large`
 */
export async function convertText(input: ConvertInput): Promise<Conversion> {
  const encoding = await detectEncoding(input.path, input.contentType);
  if (encoding.isClean && (await hasInk(input.path))) {
    return {
      outcome: 'pass',
      mimeType: 'text/plain',
      block: 'document',
      fidelity: { route: 'text', encoding: 'utf-8', warnings: [] },
      parts: [],
    };
  }
  const path = join(input.outDir, 'text.txt');
  const cleaned = await rewrite(input, encoding, path);
  return {
    outcome: 'file',
    path,
    mimeType: 'text/plain',
    block: 'document',
    fidelity: {
      route: encoding.label === 'utf-8' ? 'text→clean text' : 'text→utf-8',
      encoding: encoding.label,
      warnings: textWarnings(encoding, cleaned),
    },
    parts: [],
  };
}

/** Whether there is more than white space; reads until the first of it. */
async function hasInk(path: string): Promise<boolean> {
  for await (const chunk of chunksOf(path)) {
    if (/\S/.test(chunk.toString('latin1'))) return true;
  }
  return false;
}

async function rewrite(input: ConvertInput, encoding: Encoding, path: string): Promise<Cleaned> {
  const decoder = createDecoder(encoding.label);
  const cleaner = new TextCleaner(encoding.isClean);
  const sink = await TextSink.open(path, input.limits.maxOutputBytes);
  let characters = 0;
  try {
    const write = async (decoded: string, last: boolean): Promise<void> => {
      characters += decoded.length;
      await sink.write(cleaner.clean(decoded, last));
    };
    for await (const chunk of chunksOf(input.path, encoding.bomBytes)) {
      await write(decoder.push(chunk), false);
    }
    await write(decoder.end(), true);
    await sink.flush();
  } finally {
    await sink.close();
  }
  const { cleaned } = cleaner;
  if (!sink.hasInk) {
    throw new RejectDocument({
      code: 'normalize.empty',
      message: 'The file holds nothing but white space.',
    });
  }
  // A byte order mark says that it is text, however short and damaged.
  if (encoding.bomBytes === 0 && (cleaned.controls + cleaned.undecodable) * 5 > characters) {
    throw new RejectDocument({
      code: 'normalize.binary',
      message: 'The file is named as text but holds binary data.',
    });
  }
  return cleaned;
}

/** Leaves out what text does not have and counts it; feed chunks in order. */
export class TextCleaner {
  readonly cleaned: Cleaned = { undecodable: 0, controls: 0 };
  readonly #isNeeded: boolean;
  #carry = '';

  /** @param isClean the text is known to have nothing to leave out */
  constructor(isClean = false) {
    this.#isNeeded = !isClean;
  }

  /** The chunk without control characters; what may be half an escape sequence waits for more. */
  clean(chunk: string, last = false): string {
    if (!this.#isNeeded) return chunk;
    const text = this.#carry + chunk;
    this.#carry = '';
    if (!dirty.test(text)) return text;
    // biome-ignore lint/suspicious/noControlCharactersInRegex: the start of an escape sequence
    const cut = last ? null : /\x1b(?:\[[0-9;?]{0,30})?$/.exec(text);
    if (cut) this.#carry = text.slice(cut.index);
    const kept = cut ? text.slice(0, cut.index) : text;
    this.cleaned.undecodable += kept.match(/\ufffd/g)?.length ?? 0;
    return kept.toWellFormed().replace(control, () => {
      this.cleaned.controls += 1;
      return '';
    });
  }
}

// biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are what it looks for
const dirty = /[\0-\x08\x0b\x0e-\x1f\x7f\ufffd-\uffff\ud800-\udfff]/;
/** ANSI colours as one, then every other control character but tab, line feed, form feed, return. */
// biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are what it looks for
const control = /\x1b\[[0-9;?]*[a-zA-Z]|[\0-\x08\x0b\x0e-\x1f\x7f\ufffe\uffff]/g;

/** Warnings of a text's encoding and of what was cleaned out of it. */
export function textWarnings(
  encoding: Pick<Encoding, 'label' | 'sure'>,
  cleaned: Cleaned,
): Warning[] {
  const warnings: Warning[] = [];
  if (encoding.label === 'utf-8+windows-1252') {
    warnings.push({
      code: 'normalize.mixed_encodings',
      message: 'The text is UTF-8, with some bytes that were read as windows-1252.',
    });
  } else if (!encoding.sure) {
    warnings.push({
      code: 'normalize.encoding_guessed',
      message: `The text was read as ${encoding.label}, which is a guess.`,
    });
  }
  if (cleaned.undecodable > 0) {
    warnings.push({
      code: 'normalize.undecodable',
      message: `${cleaned.undecodable} characters could not be decoded.`,
    });
  }
  if (cleaned.controls > 0) {
    warnings.push({
      code: 'normalize.control_characters',
      message: `${cleaned.controls} control characters were left out.`,
    });
  }
  return warnings;
}
