import { join } from 'node:path';
import { RejectDocument } from '../../journey/errors.ts';
import type { Warning } from '../../journey/record.ts';
import { HiddenWords, hiddenTextWarnings, withoutTags } from '../safety/visibility.ts';
import type { Conversion, ConvertInput } from '../types.ts';
import { chunksOf } from './chunks.ts';
import { createDecoder, detectEncoding, type Encoding } from './encoding.ts';
import { TextSink } from './sink.ts';
import { counted, countedWere } from './wording.ts';

/** Plain text in any encoding: passed through if it is clean UTF-8, otherwise rewritten as UTF-8. */

/** How many characters of a text were removed or replaced. */
export interface Cleaned {
  /** U+FFFD that decoding put in place of invalid bytes. */
  undecodable: number;
  /** Control characters (NULs too) and escape sequences left out. */
  controls: number;
  /** Words in characters that show nothing, left out. */
  hiddenWords: number;
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

/** Whether there is more than white space; reads no further than needed. */
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
      message: 'The file holds only white space.',
    });
  }
  // With a byte order mark it is text, however short and damaged.
  if (encoding.bomBytes === 0 && (cleaned.controls + cleaned.undecodable) * 5 > characters) {
    throw new RejectDocument({
      code: 'normalize.binary',
      message: 'The file is named as text, but its content is binary.',
    });
  }
  return cleaned;
}

/** Leaves out and counts characters that do not belong in text; takes chunks in order. */
export class TextCleaner {
  readonly cleaned: Cleaned = { undecodable: 0, controls: 0, hiddenWords: 0 };
  readonly #isNeeded: boolean;
  #carry = '';
  readonly #hidden = new HiddenWords();

  /** @param isClean the text is known to need no cleaning */
  constructor(isClean = false) {
    this.#isNeeded = !isClean;
  }

  /** The chunk without control characters; a possible half of an escape sequence is held back. */
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
    const shown = withoutTags(kept.toWellFormed(), (spelt) => {
      this.#hidden.add(spelt);
      this.cleaned.hiddenWords = this.#hidden.count;
    });
    return shown.replace(control, () => {
      this.cleaned.controls += 1;
      return '';
    });
  }
}

// biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are what it looks for
const dirty = /[\0-\x08\x0b\x0e-\x1f\x7f\ufffd-\uffff\ud800-\udfff]/;
/** An ANSI colour sequence, or a control character other than tab, line feed, form feed, return. */
// biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are what it looks for
const control = /\x1b\[[0-9;?]*[a-zA-Z]|[\0-\x08\x0b\x0e-\x1f\x7f\ufffe\uffff]/g;

/** Warnings about a text's encoding and about what was cleaned. */
export function textWarnings(
  encoding: Pick<Encoding, 'label' | 'sure'>,
  cleaned: Cleaned,
): Warning[] {
  const warnings: Warning[] = [];
  if (encoding.label === 'utf-8+windows-1252') {
    warnings.push({
      code: 'normalize.mixed_encodings',
      message: 'The text is UTF-8 with some bytes that were read as windows-1252.',
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
      message: `${counted(cleaned.undecodable, 'character')} could not be decoded.`,
    });
  }
  if (cleaned.controls > 0) {
    warnings.push({
      code: 'normalize.control_characters',
      message: `${countedWere(cleaned.controls, 'control character')} left out.`,
    });
  }
  warnings.push(...hiddenTextWarnings(cleaned.hiddenWords));
  return warnings;
}
