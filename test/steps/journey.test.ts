import { afterAll, afterEach, beforeAll, expect, test } from 'vitest';
import { type LedgerServer, startLedgerServer } from '../world/ledger.ts';
import { World, type WorldOptions } from '../world/world.ts';

let server: LedgerServer;
let world: World;

beforeAll(async () => {
  server = await startLedgerServer();
});
afterAll(() => server.close());
afterEach(() => world.close());

const begin = async (options?: WorldOptions) => {
  world = await World.create(server, options);
};

const text = 'The quarterly report. Sales rose by 12 percent. Costs fell. Staff grew to 40 people.';

test('a dropped text ends ready with a file, a summary with citations and its cost', async () => {
  await begin();

  world.deliver(world.drop('reports/q3.txt', text));
  await world.drain();

  const record = await world.record('reports/q3.txt');
  expect(record?.status).toBe('ready');
  expect(world.emulator.files().map((file) => file.id)).toEqual([record?.fileId]);
  expect(record?.summary?.text).toContain('Sales rose by 12 percent');
  const cited = record?.summary?.citations[0];
  if (cited?.location.type !== 'char') throw new Error('no char citation');
  expect(text.slice(cited.location.start, cited.location.end)).toBe(cited.citedText);
  expect(record?.usage?.costUsd).toBeGreaterThan(0);
  expect(record?.usage?.calls).toBe(1);
  expect(record?.attempts).toEqual({ normalize: 1, upload: 1, summarize: 1 });
});

test('an event delivered three times leads to one upload and one paid call', async () => {
  await begin();
  const event = world.drop('a.txt', text);

  world.deliver(event, event);
  await world.drain();
  world.deliver(event);
  await world.drain();

  expect(world.calls('files.upload')).toHaveLength(1);
  expect(world.calls('messages.create')).toHaveLength(1);
});

test('the same content under two keys shares one file and one paid call', async () => {
  await begin();

  world.deliver(world.drop('a.txt', text), world.drop('b.txt', text));
  await world.drain();

  const [a, b] = [await world.record('a.txt'), await world.record('b.txt')];
  expect(a?.fileId).toBe(b?.fileId);
  expect(world.calls('files.upload')).toHaveLength(1);
  expect(world.calls('messages.create')).toHaveLength(1);
  expect([a?.status, b?.status]).toEqual(['ready', 'ready']);
  expect(a?.summary).toEqual(b?.summary);
  const calls = [a?.usage?.calls, b?.usage?.calls];
  expect(calls.toSorted()).toEqual([0, 1]);
  const shared = [a, b].map((one) => one?.answers?.summary?.sharedFrom).filter(Boolean);
  expect(shared).toEqual([a?.usage?.calls === 1 ? a?.documentId : b?.documentId]);
});

test('a file dropped again unchanged makes no upload and no paid call', async () => {
  await begin();
  world.deliver(world.drop('a.txt', text));
  await world.drain();
  const before = await world.record('a.txt');

  world.deliver(world.drop('a.txt', text));
  await world.drain();

  const after = await world.record('a.txt');
  expect(after?.status).toBe('ready');
  expect(after?.sequencer).not.toBe(before?.sequencer);
  expect(after?.summary?.text).toBe(before?.summary?.text);
  expect(after?.answers?.summary).toEqual(before?.answers?.summary);
  expect(after?.usage?.calls).toBe(0);
  expect(world.calls('files.upload')).toHaveLength(1);
  expect(world.calls('files.delete')).toHaveLength(0);
  expect(world.calls('messages.create')).toHaveLength(1);
});

test('new content under a key replaces file and summary and keeps the past version', async () => {
  await begin();
  world.deliver(world.drop('a.txt', text));
  await world.drain();
  const first = await world.record('a.txt');

  world.deliver(world.drop('a.txt', 'Entirely different words stand here now.'));
  await world.drain();

  const second = await world.record('a.txt');
  expect(second?.status).toBe('ready');
  expect(second?.summary?.text).toContain('Entirely different words');
  expect(world.emulator.files().map((file) => file.id)).toEqual([second?.fileId]);
  const past = await world.documents.getPast(first?.documentId ?? '', first?.order ?? '');
  expect(past?.summary?.text).toBe(first?.summary?.text);
});

test('events that arrive in reverse order leave the newest version', async () => {
  await begin();
  const events = [
    world.drop('a.txt', 'first version of the text'),
    world.remove('a.txt'),
    world.drop('a.txt', 'second version of the text'),
  ];

  world.deliver(...events.reverse());
  await world.drain();

  const record = await world.record('a.txt');
  expect(record?.status).toBe('ready');
  expect(record?.summary?.text).toContain('second version');
  expect(world.emulator.files()).toHaveLength(1);
});

test('a removed object takes its remote file with it', async () => {
  await begin();
  world.deliver(world.drop('a.txt', text));
  await world.drain();

  world.deliver(world.remove('a.txt'));
  await world.drain();

  expect((await world.record('a.txt'))?.status).toBe('removed');
  expect(world.emulator.files()).toEqual([]);
});

test('a remote file stays while another document refers to it', async () => {
  await begin();
  world.deliver(world.drop('a.txt', text), world.drop('b.txt', text));
  await world.drain();

  world.deliver(world.remove('a.txt'));
  await world.drain();

  expect(world.emulator.files()).toHaveLength(1);
  expect((await world.record('b.txt'))?.status).toBe('ready');
});

test('the retention setting keeps the remote file of a removed object', async () => {
  await begin({ keepRemoteFiles: true });
  world.deliver(world.drop('a.txt', text));
  await world.drain();

  world.deliver(world.remove('a.txt'));
  await world.drain();

  expect(world.emulator.files()).toHaveLength(1);
});

test('an empty file fails alone, with a code and advice', async () => {
  await begin();

  world.deliver(world.drop('empty.txt', ''), world.drop('a.txt', text));
  await world.drain();

  const empty = await world.record('empty.txt');
  expect(empty?.status).toBe('failed');
  expect(empty?.error).toMatchObject({ code: 'normalize.empty', step: 'normalize' });
  expect(empty?.error?.advice).not.toBe('');
  expect((await world.record('a.txt'))?.status).toBe('ready');
});

test('a lost reply to an upload makes no second file', async () => {
  await begin();
  world.emulator.addFault({ kind: 'lost_reply', operation: 'files.upload' });

  world.deliver(world.drop('a.txt', text));
  await world.drain();

  const record = await world.record('a.txt');
  expect(record?.status).toBe('ready');
  expect(record?.attempts.upload).toBe(1);
  expect(world.calls('files.upload')).toHaveLength(1);
  expect(world.emulator.files().map((file) => file.id)).toEqual([record?.fileId]);
});

test('a lost reply to a message is counted in the record', async () => {
  await begin();
  world.emulator.addFault({ kind: 'lost_reply', operation: 'messages.create' });

  world.deliver(world.drop('a.txt', text));
  await world.drain();

  const record = await world.record('a.txt');
  expect(record?.status).toBe('ready');
  expect(record?.usage).toMatchObject({ calls: 2, costUnknownCalls: 1 });
});

test('an overload is retried and not counted as paid', async () => {
  await begin();
  world.emulator.addFault({ kind: 'error', status: 529, operation: 'messages.create', count: 4 });

  world.deliver(world.drop('a.txt', text));
  await world.drain();

  const record = await world.record('a.txt');
  expect(record?.status).toBe('ready');
  expect(record?.usage?.calls).toBe(1);
});

test('a refusal is a failure with its cost, not a success', async () => {
  await begin();
  world.emulator.addFault({ kind: 'refusal', operation: 'messages.create' });

  world.deliver(world.drop('a.txt', text));
  await world.drain();

  const record = await world.record('a.txt');
  expect(record?.status).toBe('failed');
  expect(record?.error?.code).toBe('summarize.refused');
  expect(record?.usage?.costUsd).toBeGreaterThan(0);
  expect(world.calls('messages.create')).toHaveLength(1);
});

test('a file that is gone at Claude is uploaded again, once', async () => {
  await begin();
  world.emulator.addFault({ kind: 'vanish_file', operation: 'messages.create' });

  world.deliver(world.drop('a.txt', text));
  await world.drain();

  const record = await world.record('a.txt');
  expect(record?.status).toBe('ready');
  expect(world.calls('files.upload')).toHaveLength(2);
  expect(world.emulator.files().map((file) => file.id)).toEqual([record?.fileId]);
});

test('a bad key holds documents without burning their attempts, and they resume by themselves', async () => {
  await begin();
  world.emulator.addFault({ kind: 'error', status: 401, operation: 'files.upload' });
  world.deliver(world.drop('a.txt', text), world.drop('b.txt', 'Another text of its own.'));
  await world.drain();
  const held = await world.record('a.txt');

  world.advance(700_000);
  await world.reconcile();
  await world.drain();
  world.advance(700_000);
  await world.reconcile();
  await world.drain();

  expect(held?.status).toBe('held');
  expect(held?.error?.code).toBe('claude.unauthorized');
  expect(held?.attempts.upload).toBeUndefined();
  expect((await world.record('a.txt'))?.status).toBe('ready');
  expect((await world.record('b.txt'))?.status).toBe('ready');
});

test('a file type that is not converted is uploaded as it is under a prefix that asks for it', async () => {
  await begin({ containerUploads: ['data/'] });
  const parquet = Buffer.from('PAR1 \0\x01\x02 not really columns, but binary PAR1');

  world.deliver(world.drop('data/table.parquet', parquet), world.drop('table.parquet', parquet));
  await world.drain();

  const record = await world.record('data/table.parquet');
  expect(record).toMatchObject({ status: 'ready', block: 'container_upload' });
  expect(record?.summary).toBeUndefined();
  expect(world.emulator.files()).toMatchObject([
    { id: record?.fileId, mimeType: 'application/octet-stream' },
  ]);
  expect((await world.record('table.parquet'))?.status).toBe('skipped');
  expect(world.calls('messages.create')).toEqual([]);
});
