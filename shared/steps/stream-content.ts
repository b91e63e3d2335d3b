import { createHash } from 'node:crypto';
import { ObjectChanged, ObjectGone } from '../aws/objects.ts';
import { RejectDocument } from '../errors.ts';
import type { Source } from '../ledger/document-item.ts';
import type { StepTools } from './tools.ts';

/**
 * The bytes of a content as a stream from S3, hashed on the way: a stream whose bytes are not the
 * content that was claimed fails before its end, so that the upload is aborted and no file made.
 * @param sha256 what the bytes must hash to, in hex
 */
export async function streamContent(
  source: Source,
  sha256: string,
  tools: Pick<StepTools, 'objects'>,
  signal: AbortSignal,
): Promise<AsyncIterable<Uint8Array>> {
  try {
    const { body } = await tools.objects.open(source, signal);
    return checked(body, source, sha256);
  } catch (error) {
    if (error instanceof ObjectGone || error instanceof ObjectChanged) {
      throw new RejectDocument({
        code: 'upload.source_lost',
        message: 'The object was removed or overwritten before it could be uploaded.',
        cause: error,
      });
    }
    throw error;
  }
}

async function* checked(body: AsyncIterable<Uint8Array>, source: Source, sha256: string) {
  const hash = createHash('sha256');
  // The last chunk is held back until the hash of the whole is known to be right.
  let held: Uint8Array | undefined;
  for await (const chunk of body) {
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
