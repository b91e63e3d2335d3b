import { randomBytes } from 'node:crypto';

/** Which changes of a bucket are sent to which queue: one entry of `NotificationConfiguration`. */
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
  /** Hexadecimal; grows with every change in the data directory, even if the clock goes back. */
  sequencer: string;
  /** Absent for deletions. */
  size?: number;
  /** Without quotes. */
  etag?: string;
  at: Date;
  region: string;
}

/** Whether `rule` matches this change. Prefix and suffix are compared with the key before encoding. */
export function ruleMatches(rule: NotificationRule, change: BucketChange): boolean {
  const event = `s3:${change.eventName}`;
  const wanted = rule.event.endsWith('*')
    ? event.startsWith(rule.event.slice(0, -1))
    : event === rule.event;
  return wanted && change.key.startsWith(rule.prefix) && change.key.endsWith(rule.suffix);
}

/**
 * The notification that S3 sends, with one record per message, version 2.1 ("Event message structure" in the
 * S3 user guide).
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

/** The test event that S3 sends to a queue when a notification is configured. */
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

/** A key as in events: form-encoded (a space is `+`), except for slashes. */
function encodeEventKey(key: string): string {
  // Keys come from UTF-8, so there are no lone surrogates.
  return encodeURIComponent(key)
    .replace(/[!'()~]/g, (char) => `%${char.charCodeAt(0).toString(16).toUpperCase()}`)
    .replaceAll('%20', '+')
    .replaceAll('%2F', '/');
}

/** The headers that identify a request. */
export function requestIds() {
  return {
    'x-amz-request-id': randomBytes(8).toString('hex').toUpperCase(),
    'x-amz-id-2': randomBytes(24).toString('base64'),
  };
}
