import { afterEach, expect, test } from 'vitest';
import type { QueueName } from '../../shared/journey/steps.ts';
import { sha256Of } from '../world/digest.ts';
import { memoryLedger } from '../world/memory-dynamodb.ts';
import { World } from '../world/world.ts';

let world: World;
afterEach(() => world.close());

const text = 'The quarterly report. Sales rose by 12 percent. Costs fell. Staff grew to 40 people.';
const hour = 3_600_000;

/** Kills the worker of a queue on every delivery until its message is a dead letter. */
async function poison(name: QueueName): Promise<void> {
  while (world.queues[name].messages.length > 0) {
    await world.work({ only: [name], kill: { call: 0, when: 'before' } });
    world.advance(hour);
  }
}

/** Brings a file to the queue whose message is to become a dead letter. */
async function upTo(name: QueueName): Promise<void> {
  world.deliver(world.drop('a.txt', text));
  const before: QueueName[] =
    name === 'intake' ? [] : name === 'upload' ? ['intake'] : ['intake', 'upload'];
  for (const each of before) await world.work({ only: [each] });
}

test.each([
  ['normalize', 'intake'],
  ['upload', 'upload'],
  ['summarize', 'summarize'],
] as const)(
  'a message that kills %s each time fails its document, and a redrive restarts it',
  async (step, queue) => {
    world = await World.create(memoryLedger());
    await upTo(queue);
    // A normalizing worker always writes the record before the document can kill it.
    if (step === 'normalize') await world.work({ kill: { call: 1, when: 'before' } });
    world.advance(hour);

    await poison(queue);
    const { deadLetters } = world.queues[queue];
    const { report } = await world.reconcile();

    expect(deadLetters).toHaveLength(1);
    expect(report?.counts.buried).toBe(1);
    const failed = await world.record('a.txt');
    expect(failed?.status).toBe('failed');
    expect(failed?.error).toMatchObject({ code: `${step}.dead_letter`, step });
    expect(failed?.error?.message).toContain('its worker was killed each time');
    expect(failed?.error?.advice).toContain('redrive');

    world.queues[queue].redrive(world.now());
    await world.drain();

    const record = await world.record('a.txt');
    expect(record?.status).toBe('ready');
    expect(record?.error).toBeUndefined();
    expect(world.calls('files.upload')).toHaveLength(1);
    expect(world.calls('messages.create')).toHaveLength(1);
  },
);

test('the last error of a document with a dead letter is kept', async () => {
  world = await World.create(memoryLedger());
  world.emulator.addFault({ kind: 'error', status: 500, operation: 'files.upload' });
  await upTo('upload');
  await world.work({ only: ['upload'] });
  world.advance(hour);
  await poison('upload');

  await world.reconcile();

  expect((await world.record('a.txt'))?.error).toMatchObject({ code: 'upload.dead_letter' });
  expect((await world.record('a.txt'))?.error?.message).toContain('the last error was: ');
});

test('a dead letter of a step that the document has passed does not fail it', async () => {
  world = await World.create(memoryLedger());
  await upTo('upload');
  const [event] = world.events;
  if (!event) throw new Error('nothing was dropped');
  world.queues.intake.deadLetters.push({ id: 'x', body: event.body, visibleAt: 0, receives: 6 });

  const { report } = await world.reconcile();

  expect(report?.counts.buried).toBeUndefined();
  expect((await world.record('a.txt'))?.status).toBe('normalized');
});

test('a dead letter of an older version does not fail the document', async () => {
  world = await World.create(memoryLedger());
  await upTo('upload');
  await poison('upload');
  world.deliver(world.drop('a.txt', 'Entirely new words are here now. They are two sentences.'));
  await world.drain();

  const { report } = await world.reconcile();

  expect(report?.counts.buried).toBeUndefined();
  expect((await world.record('a.txt'))?.status).toBe('ready');
  expect(world.emulator.files()).toHaveLength(1);
});

test('a release among the dead letters is done by the reconciler', async () => {
  world = await World.create(memoryLedger());
  world.deliver(world.drop('a.txt', text));
  await world.drain();
  world.deliver(world.remove('a.txt'));
  await world.work({ only: ['intake'] });
  await poison('upload');
  expect(world.emulator.files()).toHaveLength(1);

  await world.reconcile();

  expect(world.emulator.files()).toEqual([]);
});

test('an upload among the dead letters that came too late leaves no reference behind', async () => {
  world = await World.create(memoryLedger());
  await upTo('upload');
  // It is paused before it adds its reference, while its document is overwritten and the content released;
  // then it adds the reference, dies, and never gets any further.
  const stop = Promise.withResolvers<void>();
  const late = world.work({
    only: ['upload'],
    kill: { call: 3, when: 'after' },
    gate: (call) => (call === 'table.put' ? stop.promise : Promise.resolve()),
  });
  const [{ id } = { id: '' }] = world.queues.upload.messages;
  world.deliver(world.drop('a.txt', 'Entirely new words are here now. They are two sentences.'));
  while (await world.work());
  stop.resolve();
  await late;
  expect(await world.contents.isReferenced(sha256Of(text))).toBe(true);
  world.advance(hour);
  await poisonOne(id);

  await world.reconcile();
  world.advance(7 * hour);
  await world.reconcile();
  await world.drain();

  expect((await world.record('a.txt'))?.status).toBe('ready');
  expect(world.emulator.files()).toHaveLength(1);
  expect(await world.contents.isReferenced(sha256Of(text))).toBe(false);
});

/** Like `poison`, for one message of the upload queue. */
async function poisonOne(id: string): Promise<void> {
  const queue = world.queues.upload;
  const others = queue.messages.filter((message) => message.id !== id);
  for (const other of others) queue.hide(other.id, Number.MAX_SAFE_INTEGER);
  while (queue.messages.some((message) => message.id === id)) {
    await world.work({ only: ['upload'], kill: { call: 0, when: 'before' } });
    world.advance(hour);
  }
  for (const other of others) queue.hide(other.id, world.now());
}

test('a foreign message becomes a dead letter and does no harm', async () => {
  world = await World.create(memoryLedger());
  world.queues.intake.send('{"hello":1}', world.now());
  world.queues.upload.send('no JSON', world.now());
  world.deliver(world.drop('a.txt', text));

  await world.drain();
  const { report } = await world.reconcile();

  expect(world.queues.intake.deadLetters).toHaveLength(1);
  expect(world.queues.upload.deadLetters).toHaveLength(1);
  expect(report?.counts).toEqual({});
  expect((await world.record('a.txt'))?.status).toBe('ready');
});

test('a dry run fails no document', async () => {
  world = await World.create(memoryLedger());
  await upTo('upload');
  await poison('upload');

  const { report } = await world.reconcile({ dryRun: true });

  expect(report?.counts.buried).toBe(1);
  expect((await world.record('a.txt'))?.status).toBe('normalized');
});
