import { afterEach, expect, test } from 'vitest';
import { sha256Of } from '../world/digest.ts';
import { memoryLedger } from '../world/memory-dynamodb.ts';
import { World } from '../world/world.ts';

let world: World;
afterEach(() => world.close());

const hours = 3_600_000;

/** Works on visible messages; lets time pass when all of them wait. */
async function workFor(ms: number): Promise<void> {
  const until = world.now() + ms;
  while (world.now() < until) if (!(await world.work())) world.advance(1_000);
}

const text = 'The quarterly report. Sales rose by 12 percent. Costs fell. Staff grew to 40 people.';

test('a document that was deferred 100 times does not become a dead letter', async () => {
  world = await World.create(memoryLedger());
  const contentSha256 = sha256Of(text);
  const facts = { contentSha256, sizeBytes: 84, filename: 'a', mimeType: 'text/plain' };
  // Another worker holds the claim on the content for ten minutes.
  await world.contents.claim(facts, undefined, 'another', 600_000);
  world.deliver(world.drop('a.txt', text));
  await world.work({ only: ['intake'] });

  for (let times = 0; times < 100; times += 1) {
    const life = await world.work({ only: ['upload'] });
    expect(life, `delivery ${times}`).toBeDefined();
    world.advance(5_000);
  }

  expect(world.queues.upload.deadLetters).toEqual([]);
  expect(world.queues.upload.messages).toHaveLength(1);
  const waiting = await world.record('a.txt');
  expect(waiting?.status).toBe('normalized');
  expect(waiting?.attempts).toEqual({ normalize: 1 });
  expect(world.calls('files.upload')).toEqual([]);

  world.advance(600_000);
  await world.drain();
  expect((await world.record('a.txt'))?.status).toBe('ready');
});

test('waiting for a distant slot does not count as an attempt', async () => {
  world = await World.create(memoryLedger(), { filesPerMinute: 1 });
  const texts = ['Turbines are turned by wind.', 'Valves let water pass.', 'Pumps lift the water.'];
  world.deliver(...texts.map((each, index) => world.drop(`${index}.txt`, each)));

  await world.drain();

  for (const index of texts.keys()) {
    const record = await world.record(`${index}.txt`);
    expect(record).toMatchObject({ status: 'ready', attempts: { upload: 1 } });
  }
});

test('a 429 with a wait does not count as an attempt, however often it comes', async () => {
  world = await World.create(memoryLedger());
  const refused = { kind: 'error', status: 429, retryAfter: 30, count: 8 } as const;
  world.emulator.addFault({ ...refused, operation: 'files.upload' });
  world.emulator.addFault({ ...refused, operation: 'messages.create' });
  world.deliver(world.drop('a.txt', text));

  await world.drain();

  const record = await world.record('a.txt');
  expect(record).toMatchObject({
    status: 'ready',
    attempts: { normalize: 1, upload: 1, summarize: 1 },
    usage: { calls: 1 },
  });
});

test('a document whose file is gone in the words of the first documentation is uploaded again', async () => {
  world = await World.create(memoryLedger());
  world.emulator.addFault({ kind: 'file_missing', operation: 'messages.create' });
  world.deliver(world.drop('a.txt', text));

  await world.drain();

  expect(await world.record('a.txt')).toMatchObject({ status: 'ready', evictions: 1 });
});

test.each([
  ['500', { kind: 'error', status: 500 } as const],
  ['504', { kind: 'error', status: 504 } as const],
  ['429 without a wait', { kind: 'error', status: 429, retryAfter: null } as const],
  ['409', { kind: 'error', status: 409 } as const],
  ['no reply', { kind: 'lost_reply' } as const],
])('files that answer %s for hours cost no document an attempt', async (_, fault) => {
  world = await World.create(memoryLedger());
  world.deliver(world.drop('gone.txt', 'A text that is given up.'));
  await world.drain();
  world.emulator.addFault({ ...fault, operation: 'files.*', count: 'all' });
  world.deliver(world.drop('a.txt', text), world.remove('gone.txt'));

  await workFor(3 * hours);

  expect(await world.record('a.txt')).toMatchObject({
    status: 'normalized',
    attempts: { normalize: 1 },
  });
  for (const { deadLetters } of Object.values(world.queues)) expect(deadLetters).toEqual([]);

  world.emulator.clearFaults();
  await world.drain();
  const record = await world.record('a.txt');
  expect(record).toMatchObject({
    status: 'ready',
    attempts: { normalize: 1, upload: 1, summarize: 1 },
    usage: { calls: 1 },
  });
  expect((await world.record('gone.txt'))?.status).toBe('removed');
  expect(world.emulator.files()).toHaveLength(1);
});

test('the list that a stray is looked for in may fail for hours', async () => {
  world = await World.create(memoryLedger());
  world.emulator.addFault({ kind: 'lost_reply', operation: 'files.upload' });
  world.emulator.addFault({ kind: 'error', status: 500, operation: 'files.list', count: 'all' });
  world.deliver(world.drop('a.txt', text));

  await workFor(3 * hours);
  expect(await world.record('a.txt')).toMatchObject({ status: 'normalized' });

  world.emulator.clearFaults();
  await world.drain();
  expect(await world.record('a.txt')).toMatchObject({ status: 'ready', attempts: { upload: 1 } });
  expect(world.emulator.files()).toHaveLength(1);
  expect(world.calls('files.upload')).toHaveLength(1);
});

test('messages that answer 429 without a wait for hours are no attempts', async () => {
  world = await World.create(memoryLedger());
  const fault = { kind: 'error', status: 429, retryAfter: null, count: 'all' } as const;
  world.emulator.addFault({ ...fault, operation: 'messages.create' });
  world.deliver(world.drop('a.txt', text));

  await workFor(3 * hours);
  expect(await world.record('a.txt')).toMatchObject({ status: 'uploaded', usage: { calls: 0 } });

  world.emulator.clearFaults();
  await world.drain();
  expect(await world.record('a.txt')).toMatchObject({
    status: 'ready',
    attempts: { summarize: 1 },
    usage: { calls: 1 },
  });
});

test('a wait of a year stops the fleet for no more than half an hour', async () => {
  world = await World.create(memoryLedger());
  const fault = { kind: 'error', status: 429, retryAfter: 31_536_000 } as const;
  world.emulator.addFault({ ...fault, operation: 'files.upload' });
  world.emulator.addFault({ ...fault, operation: 'messages.create' });
  world.deliver(world.drop('a.txt', text));
  const started = world.now();

  await world.drain();

  expect(await world.record('a.txt')).toMatchObject({ status: 'ready' });
  expect(world.now() - started).toBeLessThan(hours);
});

test.each([
  ['has no capacity', { kind: 'error', status: 529 } as const],
  ['is behind an overloaded gateway', { kind: 'error', status: 503 } as const],
])('an API that %s for hours costs no document an attempt, and is paid once', async (_, fault) => {
  world = await World.create(memoryLedger());
  const outage = { ...fault, count: 'all' } as const;
  world.emulator.addFault({ ...outage, operation: 'files.upload' });
  world.deliver(world.drop('a.txt', text), world.drop('gone.txt', 'A text that is given up.'));
  await workFor(3 * hours);
  expect(await world.record('a.txt')).toMatchObject({
    status: 'normalized',
    attempts: { normalize: 1 },
    error: { code: 'claude.overloaded', step: 'upload' },
  });

  world.emulator.clearFaults();
  world.emulator.addFault({ ...outage, operation: 'messages.create' });
  await workFor(3 * hours);
  expect(await world.record('a.txt')).toMatchObject({
    status: 'uploaded',
    attempts: { normalize: 1, upload: 1 },
    usage: { calls: 0 },
    error: { code: 'claude.overloaded', step: 'summarize' },
  });

  world.emulator.addFault({ ...outage, operation: 'files.delete' });
  world.deliver(world.remove('gone.txt'));
  await workFor(3 * hours);
  expect(world.emulator.files()).toHaveLength(2);

  world.emulator.clearFaults();
  await world.drain();

  const record = await world.record('a.txt');
  expect(record).toMatchObject({
    status: 'ready',
    attempts: { normalize: 1, upload: 1, summarize: 1 },
    usage: { calls: 1 },
  });
  expect(record?.error).toBeUndefined();
  expect(record?.outages).toBeUndefined();
  expect((await world.record('gone.txt'))?.status).toBe('removed');
  expect(world.emulator.files()).toHaveLength(1);
  for (const { deadLetters } of Object.values(world.queues)) expect(deadLetters).toEqual([]);
});

test('a file that alone is answered with 500 ends failed, once others have got through again and again', async () => {
  world = await World.create(memoryLedger());
  world.emulator.addFault({
    kind: 'error',
    status: 500,
    operation: 'files.upload',
    count: 'all',
    filename: 'a*',
  });
  world.deliver(world.drop('a.txt', text));
  for (let n = 0; n < 30; n += 1) {
    world.deliver(world.drop(`b${n}.txt`, `Another text, number ${n}.`));
    await workFor(6 * 60_000);
  }

  const failed = await world.record('a.txt');
  expect(failed).toMatchObject({
    status: 'failed',
    attempts: { normalize: 1, upload: 1 },
    error: { code: 'upload.keeps_failing', step: 'upload' },
  });
  expect(failed?.error?.requestId).toMatch(/^req_/);
  expect(world.queues.upload.deadLetters).toEqual([]);
  expect((await world.record('b29.txt'))?.status).toBe('ready');
});

test('a paid call that fails five times ends the document, which says why', async () => {
  world = await World.create(memoryLedger());
  world.emulator.addFault({
    kind: 'error',
    status: 500,
    operation: 'messages.create',
    count: 'all',
    filename: 'a*',
  });
  world.deliver(world.drop('a.txt', text), world.drop('b.txt', 'Another text altogether.'));

  await world.drain();

  const failed = await world.record('a.txt');
  expect(failed).toMatchObject({
    status: 'failed',
    attempts: { normalize: 1, upload: 1, summarize: 5 },
    error: { code: 'claude.server_error', step: 'summarize' },
  });
  expect((await world.record('b.txt'))?.status).toBe('ready');
});
