/** An event of the inbox, which a test delivers when and as often as it likes. */
export interface InboxEvent {
  key: string;
  /** The version or delete marker that it is about. */
  versionId?: string;
  body: string;
}

/** An S3 event notification with one record, as S3 sends it to the intake queue. */
export function s3Event(
  bucket: string,
  key: string,
  eventName: string,
  sequence: number,
  { versionId, etag, size }: { versionId?: string; etag?: string; size?: number },
): InboxEvent {
  const record = {
    eventVersion: '2.1',
    eventSource: 'aws:s3',
    eventName,
    s3: {
      bucket: { name: bucket },
      object: {
        key: encodeURIComponent(key).replaceAll('%20', '+').replaceAll('%2F', '/'),
        sequencer: `0055AED6DCD9${sequence.toString(16).toUpperCase().padStart(6, '0')}`,
        ...(versionId ? { versionId } : {}),
        ...(etag ? { eTag: etag, size } : {}),
      },
    },
  };
  const body = JSON.stringify({ Records: [record] });
  return { key, ...(versionId ? { versionId } : {}), body };
}
