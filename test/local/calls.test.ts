import { expect, test } from 'vitest';
import { dynamoCalls, jsonCall, s3Call } from '../../infra/local/calls.ts';

test.each([
  ['GET', '/box/parts/1/a.txt', 's3:GetObject box/parts/*'],
  ['HEAD', '/box/a.txt', 's3:GetObject box/*'],
  ['GET', '/box/a.txt?versionId=v1', 's3:GetObjectVersion box/*'],
  ['GET', '/box/?list-type=2', 's3:ListBucket box'],
  ['PUT', '/box/staged/1/2', 's3:PutObject box/staged/*'],
  ['POST', '/box/staged/1/2?uploads', 's3:PutObject box/staged/*'],
  ['DELETE', '/box/staged/1/2', 's3:DeleteObject box/staged/*'],
  ['DELETE', '/box/staged/1/2?uploadId=u', 's3:AbortMultipartUpload box/staged/*'],
  ['POST', '/box?delete', 's3:DeleteObject box/*'],
])('%s %s needs %s', (method, url, right) => {
  expect(s3Call({ method, url })).toBe(right);
});

test('a batch of messages needs the right of one message', () => {
  const QueueUrl = 'http://127.0.0.1:1/000000000000/jobs';

  expect(jsonCall('sqs', 'SendMessageBatch', { QueueUrl })).toBe('sqs:SendMessage jobs');
});

test.each([
  ['GetItem', { TableName: 't', Key: { pk: { S: 'DOC#1' } } }, ['t/DOC#']],
  ['PutItem', { TableName: 't', Item: { pk: { S: 'RECONCILE' } } }, ['t/RECONCILE']],
  ['Query', { TableName: 't', ExpressionAttributeValues: { ':hash': { S: 'A#1' } } }, ['t/A#']],
  ['Query', { TableName: 't', IndexName: 'by-file' }, ['t/index/by-file']],
  ['Scan', { TableName: 't' }, ['t']],
  [
    'BatchGetItem',
    { RequestItems: { t: { Keys: [{ pk: { S: 'A#1' } }, { pk: { S: 'B#1' } }] } } },
    ['t/A#', 't/B#'],
  ],
])('%s of %j needs a right for each kind of item', (operation, body, resources) => {
  expect(dynamoCalls(operation, JSON.stringify(body))).toEqual(
    resources.map((resource) => `dynamodb:${operation} ${resource}`),
  );
});
