/**
 * Names of remote files. The Files API takes 1 to 255 characters, none of `< > : " | ? * \ /` and
 * none from U+0000 to U+001F. Ours carry a mark, so that a file made by an attempt that died can be
 * found again, and so that files of other apps, and of other deployments of Dropline, in the workspace are
 * left alone (docs/decisions/0009).
 */

import { createHash } from 'node:crypto';

/** Counted in UTF-16 units: at least as strict as any other reading of "characters". */
const maxLength = 255;

/**
 * Replaced by `_`: what the API forbids, other control characters, line separators, and halves of
 * surrogate pairs, which no UTF-8 can carry.
 */
const unfit = /[<>:"|?*\\/\p{Cc}\p{Zl}\p{Zp}\p{Cs}]/gu;

/** A part after the last dot that looks like an extension, and not like the end of a sentence. */
const extension = /(?<=[^\s.])\.[\p{L}\p{N}]{1,10}$/u;

/** Stands for names of which nothing is left. */
const nameless = 'document';

/**
 * A name that the API accepts, as near to `name` as can be; of a name that already is one, the name
 * itself. Spaces and dots at both ends go, for no reader would see them.
 * @param limit longest result, in UTF-16 units
 */
export function legalFilename(name: string, limit: number = maxLength): string {
  const replaced = name.replace(/^[\s.]+/u, '').replace(unfit, '_');
  return trimmedEnd(cut(replaced, limit)) || nameless;
}

/** What tells the files of one deployment from those of another: 8 hex digits of the hash of its name. */
export function deploymentTag(name: string): string {
  return createHash('sha256').update(name).digest('hex').slice(0, 8);
}

/**
 * The name of a converted content in the Files API: `<stem>.<first 16 of sha256>-<deployment>.<ext>`.
 * @param originalName last part of the object's key
 * @param sha256 of the content, 64 lower-case hex digits
 * @param deployment its tag, 8 lower-case hex digits
 * @param ext of the converted content, 1 to 10 of a to z and 0 to 9; throws RangeError otherwise
 */
export function markedFilename(
  originalName: string,
  sha256: string,
  deployment: string,
  ext: string,
): string {
  if (!/^[0-9a-f]{8}$/.test(deployment)) throw new RangeError(`Not a tag: ${deployment}`);
  if (!/^[0-9a-f]{64}$/.test(sha256)) throw new RangeError(`Not a SHA-256 in hex: ${sha256}`);
  if (!/^[a-z0-9]{1,10}$/.test(ext)) throw new RangeError(`Not an extension: ${ext}`);
  const mark = `.${sha256.slice(0, 16)}-${deployment}`;
  let stem = originalName.replace(extension, '');
  // A name that carries this very mark already, such as a file that was downloaded and dropped again.
  if (stem.endsWith(mark)) stem = stem.slice(0, -mark.length);
  const ending = `${mark}.${ext}`;
  return `${legalFilename(stem, maxLength - ending.length)}${ending}`;
}

/** The mark in a remote file's name; undefined when it is none of Dropline's. */
export function readMark(
  filename: string,
): { sha16: string; deployment: string; ext: string } | undefined {
  const mark = /^.+\.([0-9a-f]{16})-([0-9a-f]{8})\.([a-z0-9]{1,10})$/su.exec(filename);
  const [, sha16 = '', deployment = '', ext = ''] = mark ?? [];
  return mark ? { sha16, deployment, ext } : undefined;
}

/** The first `limit` units, less one where the cut would part a surrogate pair. */
function cut(text: string, limit: number): string {
  const short = text.slice(0, limit);
  return short.isWellFormed() ? short : short.slice(0, -1);
}

/** A loop, for `[\s.]+$` takes quadratic time on long runs within the text. */
function trimmedEnd(text: string): string {
  let end = text.length;
  while (end > 0 && /[\s.]/u.test(text.charAt(end - 1))) end--;
  return text.slice(0, end);
}
