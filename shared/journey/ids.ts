import { createHash } from 'node:crypto';

/**
 * The stable id of a document, which an app can compute itself: the first 26 characters of the
 * lower-case base32 of SHA-256 over `bucket`, a NUL and the key (UTF-8). 130 bits, URL-safe.
 * @param bucket name of the inbox bucket
 * @param key object key as S3 holds it (not URL-encoded)
 * @example
 * import { documentIdOf } from 'dropline-aws';
 * console.log(documentIdOf('inbox', 'a.txt')); // prints v3lifevwn42uktzx2tim4sxafy
 */
export function documentIdOf(bucket: string, key: string): string {
  const digest = createHash('sha256').update(bucket).update('\0').update(key).digest();
  const alphabet = 'abcdefghijklmnopqrstuvwxyz234567';
  let id = '';
  let bits = 0;
  let value = 0;
  for (const byte of digest) {
    value = (value << 8) | byte;
    bits += 8;
    while (bits >= 5) {
      bits -= 5;
      id += alphabet.charAt((value >>> bits) & 31);
      if (id.length === 26) return id;
    }
    value &= (1 << bits) - 1;
  }
  return id;
}
