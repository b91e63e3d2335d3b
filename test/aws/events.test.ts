import { expect, test } from 'vitest';
import { changesOf, stepMessageOf, UnreadableMessage } from '../../shared/aws/events.ts';

const notification = (eventName: string, object: Record<string, unknown>) =>
  JSON.stringify({
    Records: [
      {
        eventVersion: '2.1',
        eventSource: 'aws:s3',
        eventName,
        s3: { bucket: { name: 'inbox' }, object: { sequencer: '0A1B', ...object } },
      },
    ],
  });

test.each([
  ['ObjectCreated:Put', 'created'],
  ['ObjectCreated:CompleteMultipartUpload', 'created'],
  ['ObjectRemoved:Delete', 'removed'],
  ['ObjectRemoved:DeleteMarkerCreated', 'removed'],
  ['LifecycleExpiration:DeleteMarkerCreated', 'removed'],
])('%s is a change of kind %s', (eventName, kind) => {
  const changes = changesOf(notification(eventName, { key: 'a.txt', size: 3, eTag: 'e' }));

  expect(changes).toMatchObject([{ kind, bucket: 'inbox', key: 'a.txt', sequencer: '0A1B' }]);
});

test('a key is decoded by the rules of S3 events', () => {
  const key = 'my+folder/a%2Bb+%E2%82%AC+100%25.txt';

  const [change] = changesOf(notification('ObjectCreated:Put', { key }));

  expect(change?.key).toBe('my folder/a+b € 100%.txt');
});

test('an event of another kind is not a change', () => {
  const changes = changesOf(notification('ObjectTagging:Put', { key: 'a.txt' }));

  expect(changes).toEqual([]);
});

test("S3's test event is not a change", () => {
  const body = JSON.stringify({ Service: 'Amazon S3', Event: 's3:TestEvent', Bucket: 'inbox' });

  expect(changesOf(body)).toEqual([]);
});

test.each([
  ['invalid JSON', 'hello'],
  ['another JSON', '{"a":1}'],
  [
    'a sequencer that is no number',
    notification('ObjectCreated:Put', { key: 'a', sequencer: '!' }),
  ],
  ['a malformed key encoding', notification('ObjectCreated:Put', { key: '%zz' })],
])('%s is rejected as unreadable', (_what, body) => {
  expect(() => changesOf(body)).toThrow(UnreadableMessage);
});

test.each([
  ['invalid JSON', 'hello'],
  ['no step', '{"documentId":"d","order":"1"}'],
  ['an unknown step', '{"step":"dance","documentId":"d","order":"1"}'],
  ['an upload without its content', '{"step":"upload","documentId":"d","order":"1"}'],
])('a step message with %s is rejected as unreadable', (_what, body) => {
  expect(() => stepMessageOf(body)).toThrow(UnreadableMessage);
});
