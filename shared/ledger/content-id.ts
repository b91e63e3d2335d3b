import { createHash } from 'node:crypto';

/**
 * The id of a content: its bytes and how Claude gets them. The same bytes as `text/plain` and as a dataset are two
 * contents, because a remote file has one MIME type. Bytes of the types that Claude reads itself can only ever
 * have one of these types, so their SHA-256 alone is the id.
 * @param contentSha256 of the bytes, 64 hex digits
 * @param mimeType that the remote file gets
 * @returns the SHA-256, followed by a dot and 8 hex digits of the type's hash unless Claude reads the type itself
 */
export function newContentId(contentSha256: string, mimeType: string): string {
  if (readByClaude.test(mimeType)) return contentSha256;
  const tag = createHash('sha256').update(mimeType).digest('hex').slice(0, 8);
  return `${contentSha256}.${tag}`;
}

const readByClaude = /^(text\/plain|application\/pdf|image\/.+)$/;

/** A content as documents, messages and releases name it: its SHA-256, and its id where that is another. */
export interface ContentName {
  contentSha256: string;
  contentId?: string | undefined;
}

/** The id of a content that something names. Version 0.1 kept every content under its SHA-256 alone. */
export const contentIdOf = ({ contentSha256, contentId = contentSha256 }: ContentName): string =>
  contentId;

/** The name of the content with this id. */
export function contentName(contentId: string): ContentName {
  const contentSha256 = contentId.slice(0, 64);
  return contentId === contentSha256 ? { contentSha256 } : { contentSha256, contentId };
}

/** The name of the content of a document. */
export const contentNameOf = (document: ContentName): ContentName =>
  contentName(contentIdOf(document));
