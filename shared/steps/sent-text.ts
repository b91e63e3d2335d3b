import { buffer } from 'node:stream/consumers';
import { z } from 'zod';
import { type ObjectAddress, ObjectChanged, ObjectGone, ObjectUnreadable } from '../aws/objects.ts';
import type { SentText } from '../fields/ground.ts';
import type { DocumentIn } from '../ledger/document-item.ts';
import type { AnswerTools } from './tools.ts';

const pagesSchema = z.array(z.string());

/**
 * The text that went to Claude: the bytes themselves where they are text, the staged text layer of a PDF.
 * @returns `undefined` where there is none (a picture), or it can no longer be read: a newer event is on its way then
 */
export async function sentText(
  { source, mimeType }: DocumentIn<'uploaded'>,
  tools: AnswerTools,
): Promise<SentText | undefined> {
  const { bucket, key, versionId, etag, textLayer } = source;
  if (mimeType === 'text/plain') {
    const text = await read({ bucket, key, versionId, etag }, tools);
    return text === undefined ? undefined : { kind: 'text', text };
  }
  if (mimeType !== 'application/pdf' || textLayer === undefined) return undefined;
  const json = await read({ bucket: tools.stagingBucket, key: textLayer }, tools);
  return json === undefined
    ? undefined
    : { kind: 'pages', pages: pagesSchema.parse(JSON.parse(json)) };
}

async function read(address: ObjectAddress, { objects, log }: AnswerTools) {
  try {
    const { body } = await objects.open(address);
    // A byte order mark counts as a character.
    return new TextDecoder('utf-8', { ignoreBOM: true }).decode(await buffer(body));
  } catch (error) {
    const isGone =
      error instanceof ObjectGone ||
      error instanceof ObjectChanged ||
      error instanceof ObjectUnreadable;
    if (!isGone) throw error;
    log.warn('the text that went to Claude cannot be read: nothing is checked', {
      key: address.key,
      error: String(error),
    });
    return undefined;
  }
}
