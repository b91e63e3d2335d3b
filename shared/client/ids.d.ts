/**
 * The stable id of a document, which an app can compute by itself: the first 26 characters of the
 * lower-case base32 of SHA-256 over `bucket`, a NUL and the key (UTF-8). 130 bits, URL-safe.
 * @param bucket name of the inbox bucket
 * @param key object key as S3 holds it (not URL-encoded)
 */
export declare function documentIdOf(bucket: string, key: string): string;
