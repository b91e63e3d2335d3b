import { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import { Follower } from '../../infra/local/cli/follow.ts';
import { Records } from '../../infra/local/cli/records.ts';
import { documentIdOf } from '../../shared/journey/ids.ts';
import type { DocumentItem } from '../../shared/ledger/document-item.ts';
import { Documents } from '../../shared/ledger/documents.ts';
import { changed, error, impliedBy } from '../ledger/support.ts';
import { type LedgerServer, startLedgerServer } from '../world/ledger.ts';

let server: LedgerServer;
let client: DynamoDBClient;
let tables = 0;
let documents: Documents;
let records: Records;
let changes: Map<string, string>;
const clock = { now: Date.parse('2026-11-22T12:00:00Z') };

beforeAll(async () => {
  server = await startLedgerServer();
  client = new DynamoDBClient({
    endpoint: server.url,
    region: 'us-east-1',
    credentials: { accessKeyId: 'test', secretAccessKey: 'test' },
  });
});
afterAll(() => {
  client.destroy();
  server.close();
});
beforeEach(async () => {
  documents = new Documents(await server.create(), () => clock.now);
  tables += 1;
  records = new Records(client, `ledger-${tables}`);
  changes = new Map();
});

/** The event of a drop, applied as the normalize step does; the host sees the change of the object. */
async function drop(key: string, sequencer = '01'): Promise<DocumentItem> {
  changes.set(key, sequencer);
  return (await documents.receive(changed(sequencer, { key }), 'default')).document;
}

async function to(document: DocumentItem, status: DocumentItem['status']): Promise<DocumentItem> {
  const moved = await documents.move(document, status, impliedBy[status]);
  return moved ?? expect.unreachable('there is no other writer');
}

async function stop(document: DocumentItem, as: 'failed' | 'held'): Promise<DocumentItem> {
  const stopped = await documents.setAside(document, as, error);
  return stopped ?? expect.unreachable('there is no other writer');
}

async function begin() {
  const follower = new Follower({ records, inbox: 'inbox', changes, now: () => clock.now });
  await follower.start();
  const reported = async () =>
    (await follower.look()).map(({ what, record }) => [what, record.key, record.status]);
  return { follower, reported };
}

/** Moves the clock to the next search for documents that were not just dropped. */
const later = () => {
  clock.now += 3000;
};

test('a held document is reported once, with its code and advice, then when it resumes and ends', async () => {
  const { follower, reported } = await begin();
  const held = await stop(await to(await drop('a.txt'), 'normalized'), 'held');

  const [news] = await follower.look();
  expect(news?.what).toBe('held');
  expect(news?.record).toMatchObject({ key: 'a.txt', error: { code: error.code, advice: 'a' } });
  expect(await reported()).toEqual([]);
  expect(follower.tally).toEqual({ total: 1, done: 0, failed: 0, held: 1, waiting: [] });

  const resumed = await to(held, 'normalized');
  expect(await reported()).toEqual([['resumed', 'a.txt', 'normalized']]);
  expect(await reported()).toEqual([]);
  expect(follower.tally).toEqual({ total: 1, done: 0, failed: 0, held: 0, waiting: [] });

  await to(await to(resumed, 'uploaded'), 'ready');
  expect(await reported()).toEqual([['ended', 'a.txt', 'ready']]);
  expect(follower.tally).toEqual({ total: 1, done: 1, failed: 0, held: 0, waiting: [] });
});

test('a document that is held again is reported again', async () => {
  const { reported } = await begin();
  const held = await stop(await drop('a.txt'), 'held');
  await reported();
  const resumed = await to(held, 'received');
  await reported();
  await stop(resumed, 'held');

  expect(await reported()).toEqual([['held', 'a.txt', 'held']]);
});

test('a failed document that is retried is reported, although it was not dropped again', async () => {
  const { reported } = await begin();
  const failed = await stop(await drop('a.txt'), 'failed');
  expect(await reported()).toEqual([['ended', 'a.txt', 'failed']]);

  const back = await to(failed, 'uploaded');
  later();
  expect(await reported()).toEqual([['resumed', 'a.txt', 'uploaded']]);
  await to(back, 'ready');

  expect(await reported()).toEqual([['ended', 'a.txt', 'ready']]);
});

test('a failed document that is retried and ends between two checks is reported', async () => {
  const { reported } = await begin();
  const failed = await stop(await drop('a.txt'), 'failed');
  await reported();
  await to(await to(failed, 'uploaded'), 'ready');
  later();

  expect(await reported()).toEqual([['ended', 'a.txt', 'ready']]);
});

test('documents that an earlier run left open, held or failed are followed', async () => {
  const open = await drop('open.txt');
  await stop(await drop('held.txt'), 'held');
  const failed = await stop(await drop('failed.txt'), 'failed');
  changes.clear();

  const { reported } = await begin();
  expect(await reported()).toEqual([['held', 'held.txt', 'held']]);
  await documents.setAside(open, 'skipped', error);
  await to(failed, 'received');
  later();

  expect((await reported()).sort()).toEqual([
    ['ended', 'open.txt', 'skipped'],
    ['resumed', 'failed.txt', 'received'],
  ]);
});

test('a held attachment, which was never dropped, is reported', async () => {
  const { reported } = await begin();
  const parent = documentIdOf('inbox', 'mail.eml');
  const part = changed('01', { bucket: 'staging', key: 'parts/a.pdf', parent });
  await stop((await documents.receive(part, 'default')).document, 'held');
  later();

  expect(await reported()).toEqual([['held', 'parts/a.pdf', 'held']]);
});

test('the version before a new drop is not reported, and the new one is not "resumed"', async () => {
  const { reported, follower } = await begin();
  const old = await stop(await drop('a.txt', '01'), 'failed');
  await reported();

  changes.set('a.txt', '02');
  expect(await reported()).toEqual([]);
  const next = await drop('a.txt', '02');
  expect(await reported()).toEqual([]);
  await documents.setAside(next, 'skipped', error);

  expect(old.status).toBe('failed');
  expect(await reported()).toEqual([['ended', 'a.txt', 'skipped']]);
  expect(follower.tally).toMatchObject({ total: 1, done: 1, failed: 0 });
});

test('more documents than are checked at once are all reported', async () => {
  const { follower, reported } = await begin();
  for (let n = 0; n < 130; n += 1) await stop(await drop(`${n}.txt`), 'held');

  const first = await reported();
  const second = await reported();

  expect(new Set([...first, ...second].map(([, key]) => key)).size).toBe(130);
  expect(follower.tally).toEqual({ total: 130, done: 0, failed: 0, held: 130, waiting: [] });
});

test('a document waiting for the Claude API is counted until it moves on', async () => {
  const { follower } = await begin();
  const document = await to(await drop('a.txt'), 'normalized');
  await documents.waitsForService(document, { ...error, code: 'claude.unreachable' });
  await follower.look();
  expect(follower.tally.waiting).toEqual(['claude.unreachable']);

  await documents.move(document, 'uploaded', impliedBy.uploaded, { remove: ['error', 'outages'] });
  await follower.look();

  expect(follower.tally.waiting).toEqual([]);
});
