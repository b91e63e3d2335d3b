import { createHash } from 'node:crypto';
import { ObjectChanged, ObjectGone, ObjectUnreadable } from '../aws/objects.ts';
import { RejectDocument } from '../journey/errors.ts';
import type { Source } from '../ledger/document-item.ts';
import type { StepTools } from './tools.ts';
import { rejectUnreadable } from './unreadable.ts';

/**
 * The bytes of a content as a stream from S3, hashed on the way: a stream whose bytes are not the
 * content that was claimed fails before its end, so that the upload is aborted and no file made.
 * S3 is asked with the first read, which comes when the upload's turn has come, and let go of when
 * the reader stops.
 * @param sha256 what the bytes must hash to, in hex
 */
export async function* streamContent(
  source: Source,
  sha256: string,
  tools: Pick<StepTools, 'objects'>,
  signal: AbortSignal,
): AsyncGenerator<Uint8Array> {
  const body = await open(source, tools, signal);
  const hash = createHash('sha256');
  // The last chunk is held back until the hash of the whole is known to be right.
  let held: Uint8Array | undefined;
  // Leaving the loop, however that comes about, destroys the stream.
  for await (const chunk of body as AsyncIterable<Uint8Array>) {
    hash.update(chunk);
    if (held) yield held;
    held = chunk;
  }
  if (hash.digest('hex') !== sha256) {
    throw new RejectDocument({
      code: 'upload.source_changed',
      message: `The bytes of ${source.key} are not those that were normalized.`,
    });
  }
  if (held) yield held;
}

async function open(source: Source, tools: Pick<StepTools, 'objects'>, signal: AbortSignal) {
  try {
    return (await tools.objects.open(source, signal)).body;
  } catch (error) {
    if (error instanceof ObjectGone || error instanceof ObjectChanged) {
      throw new RejectDocument({
        code: 'upload.source_lost',
        message: 'The object was removed or overwritten before it could be uploaded.',
        cause: error,
      });
    }
    if (error instanceof ObjectUnreadable) throw rejectUnreadable('upload', error);
    throw error;
  }
}
