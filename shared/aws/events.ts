import { z } from 'zod';
import {
  announcementSchema,
  type ObjectChange,
  type StepMessage,
  stepMessageSchema,
} from '../journey/messages.ts';

/** The only file that knows the form of an S3 notification. */

/** https://docs.aws.amazon.com/AmazonS3/latest/userguide/notification-content-structure.html */
const s3RecordSchema = z.object({
  eventSource: z.literal('aws:s3'),
  eventName: z.string(),
  s3: z.object({
    bucket: z.object({ name: z.string().min(1) }),
    object: z.object({
      key: z.string().min(1),
      size: z.int().nonnegative().optional(),
      eTag: z.string().optional(),
      versionId: z.string().optional(),
      sequencer: z.string().regex(/^[0-9a-f]{1,64}$/i),
    }),
  }),
});

const notificationSchema = z.object({ Records: z.array(s3RecordSchema) });
const testEventSchema = z.object({ Event: z.literal('s3:TestEvent') });

/** A message that Dropline cannot read. Nothing can be recorded, so it goes to the dead-letter queue. */
export class UnreadableMessage extends Error {
  override readonly name = 'UnreadableMessage';
}

/**
 * The changes that a message of the intake queue announces: an S3 notification, S3's test event (no
 * changes), or a change that Dropline itself announces.
 * @throws UnreadableMessage when it is none of these
 */
export function changesOf(body: string): ObjectChange[] {
  const message = parseJson(body);
  if (testEventSchema.safeParse(message).success) return [];
  const announcement = announcementSchema.safeParse(message);
  if (announcement.success) return [announcement.data.change];
  const notification = notificationSchema.safeParse(message);
  if (!notification.success) {
    throw new UnreadableMessage(`not an S3 event: ${z.prettifyError(notification.error)}`);
  }
  return notification.data.Records.flatMap((record) => {
    const kind = kindOf(record.eventName);
    if (!kind) return [];
    const { bucket, object } = record.s3;
    // With a version id, only that version was removed: it may be an old one or a delete marker.
    const ofVersion = record.eventName.endsWith(':Delete') && object.versionId !== undefined;
    return [
      {
        kind,
        ...(ofVersion ? { ofVersion } : {}),
        bucket: bucket.name,
        key: decodeEventKey(object.key),
        versionId: object.versionId,
        etag: object.eTag,
        sequencer: object.sequencer,
        sizeBytes: object.size,
      },
    ];
  });
}

/**
 * The work that a message of a step's queue asks for.
 * @throws UnreadableMessage when it is not a step message
 */
export function stepMessageOf(body: string): StepMessage {
  const message = stepMessageSchema.safeParse(parseJson(body));
  if (!message.success) {
    throw new UnreadableMessage(`not a step message: ${z.prettifyError(message.error)}`);
  }
  return message.data;
}

/** S3 encodes keys in events like an HTML form: `+` for a space, the rest percent-encoded. */
function decodeEventKey(encoded: string): string {
  try {
    return decodeURIComponent(encoded.replaceAll('+', ' '));
  } catch (error) {
    throw new UnreadableMessage(`not a URL-encoded key: "${encoded}"`, { cause: error });
  }
}

function kindOf(eventName: string): ObjectChange['kind'] | undefined {
  if (eventName.startsWith('ObjectCreated:')) return 'created';
  if (eventName.startsWith('ObjectRemoved:')) return 'removed';
  if (eventName.startsWith('LifecycleExpiration:')) return 'removed';
  return undefined;
}

function parseJson(body: string): unknown {
  try {
    return JSON.parse(body);
  } catch (error) {
    throw new UnreadableMessage('not JSON', { cause: error });
  }
}
