import { createHash } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import sharp from 'sharp';
import { ApiError, fileExpired, fileMissing, invalid } from './errors.ts';
import type { StoredFile } from './file-store.ts';
import type { DocumentBlock, ImageBlock } from './message-schema.ts';
import type { EmulatorState } from './state.ts';
import { byteTokens, imageTokens, pageTokens, textTokens } from './tokens.ts';

/** The content of a block, once its source has been looked up and checked. */
export type Material = { tokens: number; sha256: string } & (
  | { kind: 'text'; text: string }
  | { kind: 'pdf'; pageCount: number; pages: { number: number; text: string }[] }
  | { kind: 'blocks'; blocks: string[]; images: ImageFacts[] }
  | ({ kind: 'image' } & ImageFacts)
);

export interface ImageFacts {
  format: string;
  width: number;
  height: number;
  sizeBytes: number;
}

/** Longer text is too long for any model and is not read. */
const longestTextBytes = 16 * 1024 * 1024;
const largestSide = 8_000;

/** The file of a `file` source. Throws 404 when it is unknown, deleted or expired. */
export function fileOfSource(state: EmulatorState, id: string): StoredFile {
  const file = state.files.get(id);
  if (!file) throw fileMissing(id);
  if (state.files.expired(file)) throw fileExpired(id);
  return file;
}

/** Material of a document block; `at` is the path of the block, for error messages. */
export async function documentMaterial(
  state: EmulatorState,
  block: DocumentBlock,
  at: string,
): Promise<Material> {
  const { source } = block;
  switch (source.type) {
    case 'url':
      throw invalid(`${at}.source: the emulator has no network and fetches no URLs`);
    case 'text':
      return textMaterial(source.data, at);
    case 'base64': {
      const bytes = decodeBase64(source.data, `${at}.source.data`);
      return pdfMaterial(state, sha256Of(bytes), bytes, at);
    }
    case 'content':
      return contentMaterial(source.content, at);
    case 'file':
      return fileMaterial(state, fileOfSource(state, source.file_id), at);
  }
}

async function fileMaterial(state: EmulatorState, file: StoredFile, at: string): Promise<Material> {
  const path = state.files.path(file.id);
  if (file.mimeType === 'application/pdf') return pdfMaterial(state, file.sha256, path, at);
  if (file.mimeType !== 'text/plain') {
    const message = `${at}.source.file_id: a document block takes application/pdf or text/plain, not ${file.mimeType}`;
    throw invalid(message);
  }
  if (file.sizeBytes > longestTextBytes) {
    return { kind: 'text', text: '', tokens: byteTokens(file.sizeBytes), sha256: file.sha256 };
  }
  return textMaterial(decodeUtf8(await readBytes(path, file.id), at), at, file.sha256);
}

/** A file deleted between its look-up and its reading is not found, like any other. */
async function readBytes(path: string, id: string): Promise<Buffer> {
  try {
    return await readFile(path);
  } catch {
    throw fileMissing(id);
  }
}

function textMaterial(text: string, at: string, sha256 = sha256Of(text)): Material {
  if (text.trim() === '') throw invalid(`${at}.source: the document is empty`);
  return { kind: 'text', text, tokens: textTokens(text), sha256 };
}

async function pdfMaterial(
  state: EmulatorState,
  sha256: string,
  source: string | Buffer,
  at: string,
): Promise<Material> {
  const { pageCount, encrypted, pages } = await state.pdfs.read(sha256, source);
  if (encrypted) throw invalid(`${at}.source: the PDF is encrypted or password protected`);
  if (pageCount === 0) throw invalid(`${at}.source: the PDF has no pages`);
  const read = pages.reduce((sum, page) => sum + textTokens(page.text), 0);
  const tokens = Math.ceil((read / pages.length) * pageCount) + pageCount * pageTokens;
  return { kind: 'pdf', pageCount, pages, tokens, sha256 };
}

async function contentMaterial(
  content: Extract<DocumentBlock['source'], { type: 'content' }>['content'],
  at: string,
): Promise<Material> {
  const parts = typeof content === 'string' ? [{ type: 'text' as const, text: content }] : content;
  const blocks: string[] = [];
  const images: ImageFacts[] = [];
  let tokens = 0;

  for (const [index, part] of parts.entries()) {
    if (part.type === 'text') {
      if (part.text.trim() === '') {
        throw invalid(`${at}.source.content.${index}.text: must contain non-whitespace text`);
      }
      blocks.push(part.text);
      tokens += textTokens(part.text);
    } else {
      if (part.source.type !== 'base64') {
        throw invalid(`${at}.source.content.${index}.source: the emulator takes base64 here`);
      }
      const bytes = decodeBase64(part.source.data, `${at}.source.content.${index}.source.data`);
      const facts = await imageFacts(
        bytes,
        part.source.media_type,
        `${at}.source.content.${index}`,
      );
      // An image has a number among the blocks but nothing to quote.
      blocks.push('');
      images.push(facts);
      tokens += imageTokens(facts.width, facts.height);
    }
  }
  return { kind: 'blocks', blocks, images, tokens, sha256: sha256Of(JSON.stringify(parts)) };
}

/** Material of an image block. Throws 400 for an image of another type or of excessive size. */
export async function imageMaterial(
  state: EmulatorState,
  block: ImageBlock,
  at: string,
): Promise<Material> {
  const { source } = block;
  let bytes: Buffer;
  let mediaType: string;

  if (source.type === 'url') {
    throw invalid(`${at}.source: the emulator has no network and fetches no URLs`);
  }
  if (source.type === 'file') {
    const file = fileOfSource(state, source.file_id);
    if (!/^image\/(jpeg|png|gif|webp)$/.test(file.mimeType)) {
      const message = `${at}.source.file_id: an image block takes image/jpeg, image/png, image/gif or image/webp, not ${file.mimeType}`;
      throw invalid(message);
    }
    mediaType = file.mimeType;
    bytes = await readBytes(state.files.path(file.id), file.id);
  } else {
    mediaType = source.media_type;
    bytes = decodeBase64(source.data, `${at}.source.data`);
  }

  const facts = await imageFacts(bytes, mediaType, at);
  const { width, height } = facts;
  if (
    Math.max(width, height) > largestSide &&
    block.transformations?.oversized_image !== 'downsize'
  ) {
    const message = `${at}.source: image dimensions ${width}x${height} exceed the maximum of ${largestSide} pixels`;
    throw new ApiError(400, message, {
      details: {
        error_code: 'image_dimensions_too_large',
        max_side_length_pixels: largestSide,
        paths: [at],
      },
    });
  }
  return { kind: 'image', ...facts, tokens: imageTokens(width, height), sha256: sha256Of(bytes) };
}

/** Format and dimensions from the image's header. */
async function imageFacts(bytes: Buffer, mediaType: string, at: string): Promise<ImageFacts> {
  const facts = await sharp(bytes, { limitInputPixels: false })
    .metadata()
    .catch(() => undefined);
  if (!facts?.format || !facts.width || !facts.height) {
    throw invalid(`${at}.source: Could not process image`);
  }
  if (`image/${facts.format}` !== mediaType) {
    throw invalid(
      `${at}.source: the image was specified as ${mediaType} but appears to be image/${facts.format}`,
    );
  }
  // For an animation, sharp reports the height of all frames stacked.
  const height = facts.pageHeight ?? facts.height;
  return { format: facts.format, width: facts.width, height, sizeBytes: bytes.length };
}

function decodeBase64(data: string, at: string): Buffer {
  if (data === '' || data.length % 4 !== 0 || !/^[A-Za-z0-9+/]+={0,2}$/.test(data)) {
    throw invalid(`${at}: Invalid base64 data`);
  }
  return Buffer.from(data, 'base64');
}

function decodeUtf8(bytes: Buffer, at: string): string {
  try {
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch {
    throw invalid(`${at}.source: the text is not valid UTF-8`);
  }
}

function sha256Of(data: string | Buffer): string {
  return createHash('sha256').update(data).digest('hex');
}
