import { afterEach, describe, expect, test } from 'vitest';
import type { QueueName } from '../../shared/journey/steps.ts';
import { sha256Of } from '../world/digest.ts';
import {
  begin,
  deadLetterTwin,
  drop,
  hour,
  normalizeOne,
  pausedBefore,
  remove,
  uploadOne,
  workVisible,
  world,
} from './support.ts';

afterEach(() => world.close());

const content =
  'The quarterly report. Sales rose by 12 percent. Costs fell. Staff grew to 40 people.';

/** Kills the worker of a queue on every delivery until its message is a dead letter. */
async function poison(name: QueueName): Promise<void> {
  while (world.queues[name].messages.length > 0) {
    await world.work({ only: [name], kill: { call: 0, when: 'before' } });
    world.advance(hour);
  }
}

/** Brings a file to the queue whose message is to become a dead letter. */
async function upTo(name: QueueName): Promise<void> {
  drop('a.txt', content);
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
    await begin();
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
  await begin();
  world.emulator.addFault({ kind: 'error', status: 500, operation: 'files.upload' });
  await upTo('upload');
  await uploadOne();
  world.advance(hour);
  await poison('upload');

  await world.reconcile();

  expect((await world.record('a.txt'))?.error).toMatchObject({ code: 'upload.dead_letter' });
  expect((await world.record('a.txt'))?.error?.message).toContain('the last error was: ');
});

test('a dead letter of a step that the document has passed does not fail it', async () => {
  await begin();
  await upTo('upload');
  const [event] = world.events;
  if (!event) throw new Error('nothing was dropped');
  deadLetterTwin('intake', event.body);

  const { report } = await world.reconcile();

  expect(report?.counts.buried).toBeUndefined();
  expect((await world.record('a.txt'))?.status).toBe('normalized');
});

test('a dead letter of an older version does not fail the document', async () => {
  await begin();
  await upTo('upload');
  await poison('upload');
  drop('a.txt', 'Entirely new words are here now. They are two sentences.');
  await world.drain();

  const { report } = await world.reconcile();

  expect(report?.counts.buried).toBeUndefined();
  expect((await world.record('a.txt'))?.status).toBe('ready');
  expect(world.emulator.files()).toHaveLength(1);
});

test('a release among the dead letters is done by the reconciler', async () => {
  await begin();
  drop('a.txt', content);
  await world.drain();
  remove('a.txt');
  await normalizeOne();
  await poison('upload');
  expect(world.emulator.files()).toHaveLength(1);

  await world.reconcile();

  expect(world.emulator.files()).toEqual([]);
});

test('an upload among the dead letters that came too late leaves no reference behind', async () => {
  await begin();
  await upTo('upload');
  const late = await pausedBefore('table.put', (gate) =>
    uploadOne({ gate, kill: { call: 3, when: 'after' } }),
  );
  // Its document is overwritten, and the content released, before it adds its reference.
  const [{ id } = { id: '' }] = world.queues.upload.messages;
  drop('a.txt', 'Entirely new words are here now. They are two sentences.');
  await workVisible();
  // It adds the reference, and dies; no later delivery gets any further.
  await late.resume();
  expect(await world.contents.isReferenced(sha256Of(content))).toBe(true);
  world.advance(hour);
  await poisonOne(id);

  await world.reconcile();
  world.advance(7 * hour);
  await world.reconcile();
  await world.drain();

  expect((await world.record('a.txt'))?.status).toBe('ready');
  expect(world.emulator.files()).toHaveLength(1);
  expect(await world.contents.isReferenced(sha256Of(content))).toBe(false);
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
  await begin();
  world.queues.intake.send('{"hello":1}', world.now());
  world.queues.upload.send('no JSON', world.now());
  drop('a.txt', content);

  await world.drain();
  const { report } = await world.reconcile();

  expect(world.queues.intake.deadLetters).toHaveLength(1);
  expect(world.queues.upload.deadLetters).toHaveLength(1);
  expect(report?.counts).toEqual({});
  expect((await world.record('a.txt'))?.status).toBe('ready');
});

test('a dry run fails no document', async () => {
  await begin();
  await upTo('upload');
  await poison('upload');

  const { report } = await world.reconcile({ dryRun: true });

  expect(report?.counts.buried).toBe(1);
  expect((await world.record('a.txt'))?.status).toBe('normalized');
});

describe('a document whose dead letter was retried by its code', () => {
  const queues = [
    ['normalize', 'intake'],
    ['upload', 'upload'],
    ['summarize', 'summarize'],
  ] as const;

  /** The document is `failed` with the code of its dead letter. */
  async function buried(step: string, queue: QueueName): Promise<void> {
    await begin();
    await upTo(queue);
    if (step === 'normalize') await world.work({ kill: { call: 1, when: 'before' } });
    world.advance(hour);
    await poison(queue);
    await world.reconcile();
    expect((await world.record('a.txt'))?.error?.code).toBe(`${step}.dead_letter`);
  }

  test.each(queues)('starts again at %s when SQS has dropped the letter', async (step, queue) => {
    await buried(step, queue);
    world.queues[queue].deadLetters.splice(0);

    const { report } = await world.reconcile({ retry: [`${step}.dead_letter`] });
    await world.drain();

    expect(report?.counts).toEqual({ retried: 1 });
    const record = await world.record('a.txt');
    expect(record?.status).toBe('ready');
    expect(record?.error).toBeUndefined();
    expect(world.calls('files.upload')).toHaveLength(1);
    expect(world.calls('messages.create')).toHaveLength(1);
  });

  test.each(queues)(
    'is not ended again by the letter that is still there, in %s',
    async (step, queue) => {
      await buried(step, queue);

      await world.reconcile({ retry: [`${step}.dead_letter`] });
      // The next run sees the letter before a worker has had its turn.
      const { report } = await world.reconcile();
      await world.drain();
      world.queues[queue].redrive(world.now());
      await world.drain();

      expect(report?.counts.buried).toBeUndefined();
      expect((await world.record('a.txt'))?.status).toBe('ready');
      expect(world.calls('messages.create')).toHaveLength(1);
    },
  );

  test.each(queues)('is ended by the next letter, in %s', async (step, queue) => {
    await buried(step, queue);
    await world.reconcile({ retry: [`${step}.dead_letter`] });
    await poison(queue);
    expect(world.queues[queue].deadLetters).toHaveLength(2);

    const { report } = await world.reconcile();

    expect(report?.counts.buried).toBe(1);
    expect((await world.record('a.txt'))?.error?.code).toBe(`${step}.dead_letter`);
  });
});
