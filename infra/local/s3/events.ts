import { randomBytes } from 'node:crypto';

/** Which changes of a bucket go to which queue: one entry of `NotificationConfiguration`. */
export interface NotificationRule {
  id: string;
  queueArn: string;
  /** Such as `s3:ObjectCreated:*`. */
  event: string;
  prefix: string;
  suffix: string;
}

export type EventName =
  | 'ObjectCreated:Put'
  | 'ObjectCreated:Copy'
  | 'ObjectCreated:CompleteMultipartUpload'
  | 'ObjectRemoved:Delete'
  | 'ObjectRemoved:DeleteMarkerCreated';

/** A change of one object. */
export interface BucketChange {
  eventName: EventName;
  bucket: string;
  /** Not URL-encoded. */
  key: string;
  /** Only in a bucket with versioning. */
  versionId?: string;
  /** Hexadecimal, grows with every change in the data directory, whatever the clock does. */
  sequencer: string;
  /** Absent for deletions. */
  size?: number;
  /** Without quotes. */
  etag?: string;
  at: Date;
  region: string;
}

/** Whether `rule` asks for this change. Prefix and suffix compare with the key as S3 holds it. */
export function ruleMatches(rule: NotificationRule, change: BucketChange): boolean {
  const event = `s3:${change.eventName}`;
  const wanted = rule.event.endsWith('*')
    ? event.startsWith(rule.event.slice(0, -1))
    : event === rule.event;
  return wanted && change.key.startsWith(rule.prefix) && change.key.endsWith(rule.suffix);
}

/**
 * The notification that S3 sends, one record a message, as "Event message structure" in the S3 user
 * guide describes version 2.1.
 */
export function notification(change: BucketChange, rule: NotificationRule): string {
  return JSON.stringify({
    Records: [
      {
        eventVersion: '2.1',
        eventSource: 'aws:s3',
        awsRegion: change.region,
        eventTime: change.at.toISOString(),
        eventName: change.eventName,
        userIdentity: { principalId: 'AWS:LOCAL' },
        requestParameters: { sourceIPAddress: '127.0.0.1' },
        responseElements: requestIds(),
        s3: {
          s3SchemaVersion: '1.0',
          configurationId: rule.id,
          bucket: {
            name: change.bucket,
            ownerIdentity: { principalId: 'LOCAL' },
            arn: `arn:aws:s3:::${change.bucket}`,
          },
          object: {
            key: encodeEventKey(change.key),
            ...(change.size === undefined ? {} : { size: change.size }),
            ...(change.etag === undefined ? {} : { eTag: change.etag }),
            ...(change.versionId === undefined ? {} : { versionId: change.versionId }),
            sequencer: change.sequencer,
          },
        },
      },
    ],
  });
}

/** What S3 sends to a queue when a notification is configured, before any object is written. */
export function testEvent(bucket: string, at: Date): string {
  const ids = requestIds();
  return JSON.stringify({
    Service: 'Amazon S3',
    Event: 's3:TestEvent',
    Time: at.toISOString(),
    Bucket: bucket,
    RequestId: ids['x-amz-request-id'],
    HostId: ids['x-amz-id-2'],
  });
}

/** A key as events carry it: form encoding (space is `+`), slashes left alone. */
function encodeEventKey(key: string): string {
  // A lone surrogate cannot be in a key: keys come from UTF-8.
  return encodeURIComponent(key)
    .replace(/[!'()~]/g, (char) => `%${char.charCodeAt(0).toString(16).toUpperCase()}`)
    .replaceAll('%20', '+')
    .replaceAll('%2F', '/');
}

/** The headers by which S3 names a request. */
export function requestIds() {
  return {
    'x-amz-request-id': randomBytes(8).toString('hex').toUpperCase(),
    'x-amz-id-2': randomBytes(24).toString('base64'),
  };
}
