/**
 * Names of remote files. The Files API accepts 1 to 255 characters, except `< > : " | ? * \ /` and
 * U+0000 to U+001F. Our names carry a mark: it finds the file of an attempt that died, and tells our
 * files from those of other apps and other deployments in the workspace (docs/decisions/0009).
 */

import { createHash } from 'node:crypto';

/** Counted in UTF-16 units: at least as strict as any other reading of "characters". */
const maxLength = 255;

/**
 * Replaced by `_`: what the API forbids, other control characters, line separators, and halves of
 * surrogate pairs, which UTF-8 cannot encode.
 */
const unfit = /[<>:"|?*\\/\p{Cc}\p{Zl}\p{Zp}\p{Cs}]/gu;

/** An ending after the last dot that looks like an extension rather than the end of a sentence. */
const extension = /(?<=[^\s.])\.[\p{L}\p{N}]{1,10}$/u;

/** Replaces a name of which nothing is left. */
const nameless = 'document';

/**
 * The closest name to `name` that the API accepts; a legal name is returned unchanged. Leading and
 * trailing spaces and dots are dropped, because readers would not see them.
 * @param limit maximum length of the result, in UTF-16 units
 */
export function legalFilename(name: string, limit: number = maxLength): string {
  const replaced = name.replace(/^[\s.]+/u, '').replace(unfit, '_');
  return trimmedEnd(cut(replaced, limit)) || nameless;
}

/** The tag of a deployment in its file names: the first 8 hex digits of the SHA-256 of its name. */
export function deploymentTag(name: string): string {
  return createHash('sha256').update(name).digest('hex').slice(0, 8);
}

/**
 * The name of converted content in the Files API: `<stem>.<first 16 of sha256>-<deployment>.<ext>`.
 * @param originalName last part of the object's key
 * @param sha256 of the converted content, 64 lower-case hex digits
 * @param deployment `deploymentTag` of the deployment, 8 lower-case hex digits
 * @param ext of the converted content, 1 to 10 characters of a to z and 0 to 9
 * @throws RangeError when a part is malformed
 * @example markedFilename('Lease.docx', sha256, deploymentTag('prod'), 'pdf')
 * // 'Lease.9f86d081884c7d65-6754af96.pdf'
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
  // The name already carries this mark, as of a file that was downloaded and dropped again.
  if (stem.endsWith(mark)) stem = stem.slice(0, -mark.length);
  const ending = `${mark}.${ext}`;
  return `${legalFilename(stem, maxLength - ending.length)}${ending}`;
}

/** The mark in a remote file's name; undefined when the file is not Dropline's. */
export function readMark(
  filename: string,
): { sha16: string; deployment: string; ext: string } | undefined {
  const mark = /^.+\.([0-9a-f]{16})-([0-9a-f]{8})\.([a-z0-9]{1,10})$/su.exec(filename);
  const [, sha16 = '', deployment = '', ext = ''] = mark ?? [];
  return mark ? { sha16, deployment, ext } : undefined;
}

/**
 * A name of a remote file as people know it: without the mark, if it has one.
 * @example unmarkedFilename('Lease.9f86d081884c7d65-6754af96.pdf') // 'Lease.pdf'
 */
export function unmarkedFilename(filename: string): string {
  const mark = readMark(filename);
  if (!mark) return filename;
  return filename.replace(`.${mark.sha16}-${mark.deployment}.${mark.ext}`, `.${mark.ext}`);
}

/** The first `limit` units, or one fewer where the cut would split a surrogate pair. */
function cut(text: string, limit: number): string {
  const short = text.slice(0, limit);
  return short.isWellFormed() ? short : short.slice(0, -1);
}

/** A loop, because `[\s.]+$` takes quadratic time on long runs within the text. */
function trimmedEnd(text: string): string {
  let end = text.length;
  while (end > 0 && /[\s.]/u.test(text.charAt(end - 1))) end--;
  return text.slice(0, end);
}
