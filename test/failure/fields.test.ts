import { afterEach, describe, expect, test } from 'vitest';
import { textPdf } from '../fixtures/pdfs.ts';
import { crashEverywhere } from '../world/crash.ts';
import { checkInvariants } from '../world/invariants.ts';
import { memoryLedger } from '../world/memory-dynamodb.ts';
import { settleDown } from '../world/settle-down.ts';
import { staging, type World } from '../world/world.ts';
import {
  begin,
  callsOf,
  costEntries,
  drop,
  fileIds,
  first,
  paidCalls,
  pausedBefore,
  present,
  remove,
  second,
  summarizeOne,
  waitsForSummary,
  workVisible,
  world,
} from './support.ts';

/* Fields that a profile's schema asks for: paid once, with quotes that are looked up, and gone with their document. */

afterEach(() => world.close());

const schema = {
  type: 'object',
  properties: {
    staff: { type: 'integer' },
    facts: { type: 'array', items: { type: 'string' } },
  },
  required: ['staff'],
};
const configOf = (...profiles: object[]) => JSON.stringify({ profiles });
const both = configOf({ prefix: '', schema });
const alone = configOf({ prefix: '', schema, summary: false });

async function dropped(key: string, content: string | Uint8Array) {
  drop(key, content);
  await world.drain();
  return present(key);
}

const outcomes = async () => (await costEntries()).map(({ outcome }) => outcome).toSorted();
const answersKept = async () =>
  (await world.items()).filter(({ sk }) => String(sk).startsWith('ANSWER#')).length;

describe('a profile with a schema', () => {
  test('has two answers about one file, each asked by a call of its own', async () => {
    await begin({ config: both });

    const record = await dropped('a.txt', first);

    expect(record).toMatchObject({
      status: 'ready',
      usage: { calls: 2 },
      answers: { summary: { outcome: 'answered' }, fields: { outcome: 'answered' } },
      fields: { data: { staff: expect.any(Number) }, ungrounded: 0, unchecked: 0 },
    });
    expect(record.summary?.text).toContain('Sales rose');
    expect(record.summary?.checked).toEqual({
      count: record.summary?.citations.length,
      verified: record.summary?.citations.length,
    });
    expect(fileIds()).toEqual([record.fileId]);
    expect(world.calls('files.upload')).toHaveLength(1);
    expect(await outcomes()).toEqual(['answered', 'answered']);
    const entries = await costEntries();
    const spent = entries.reduce((sum, { costUsd = 0 }) => sum + costUsd, 0);
    expect(record.usage?.costUsd).toBeCloseTo(spent, 12);
  });

  test('and no summary has one', async () => {
    await begin({ config: alone });

    const record = await dropped('a.txt', first);

    expect(record).toMatchObject({ status: 'ready', usage: { calls: 1 } });
    expect(record.summary).toBeUndefined();
    expect(Object.keys(record.answers ?? {})).toEqual(['fields']);
    for (const { location } of record.fields?.evidence ?? []) {
      expect(location?.type).toBe('char');
    }
  });

  test('tells of the first answer while the second is asked', async () => {
    await begin({ config: both });
    await waitsForSummary();
    await summarizeOne();
    const asking = await pausedBefore('claude.createMessage', (gate) => summarizeOne({ gate }));

    const meanwhile = await present('a.txt');
    await asking.resume();
    await world.drain();

    expect(meanwhile).toMatchObject({ status: 'uploaded', usage: { calls: 1 } });
    expect(meanwhile.summary?.text).toContain('Sales rose');
    expect(meanwhile.fields).toBeUndefined();
    expect(await present('a.txt')).toMatchObject({ status: 'ready', usage: { calls: 2 } });
  });

  test('shares both answers with a document of the same content, without a call', async () => {
    await begin({ config: both });
    const a = await dropped('a.txt', first);
    const b = await dropped('b.txt', first);

    expect(b.fields).toEqual(a.fields);
    expect(b).toMatchObject({ status: 'ready', usage: { calls: 0, costUsd: 0 } });
    expect(b.answers).toMatchObject({
      summary: { sharedFrom: a.documentId },
      fields: { sharedFrom: a.documentId },
    });
    expect(paidCalls()).toBe(2);
  });

  test('that others wait for wakes them, for each of its answers', async () => {
    await begin({ config: both });
    world.deliver(...['a', 'b', 'c'].map((name) => world.drop(`${name}.txt`, first)));
    await world.work();
    await world.work();
    await world.work();
    for (let uploads = 0; uploads < 3; uploads += 1) await world.work({ only: ['upload'] });

    const asking = await pausedBefore('claude.createMessage', (gate) => summarizeOne({ gate }));
    await workVisible();
    expect(await present('b.txt')).toMatchObject({ waiting: { reason: 'answer' } });
    await asking.resume();
    await world.drain();

    for (const key of ['a.txt', 'b.txt', 'c.txt']) {
      const record = await present(key);
      expect(record).toMatchObject({ status: 'ready', fields: { ungrounded: 0 } });
      expect(record).not.toHaveProperty('waiting');
    }
    expect(paidCalls()).toBe(2);
  });

  test('changed to have one, asks that alone of a content whose summary is there', async () => {
    await begin();
    const before = await dropped('a.txt', first);
    world.config = both;

    const now = await dropped('a.txt', first);

    expect(now).toMatchObject({
      status: 'ready',
      fileId: before.fileId,
      fields: { ungrounded: 0 },
    });
    expect(now.answers?.summary?.question).toBe(before.answers?.summary?.question);
    expect(paidCalls()).toBe(2);
  });

  test('delivered again and again, is paid for once', async () => {
    await begin({ config: both });
    await dropped('a.txt', first);
    const before = await present('a.txt');

    world.deliver(...world.events, ...world.events);
    world.queues.summarize.send(
      JSON.stringify({
        dropline: 'step',
        step: 'summarize',
        documentId: before.documentId,
        order: before.order,
      }),
      world.now(),
    );
    await world.drain();
    await settleDown(world);

    expect(await present('a.txt')).toEqual(before);
    expect(paidCalls()).toBe(2);
  });
});

describe('an answer that does not follow the schema', () => {
  const fault = (count: number) => world.emulator.addFault({ kind: 'invalid_output', count });

  test('is asked for once more, and both calls are counted', async () => {
    await begin({ config: alone });
    fault(1);

    const record = await dropped('a.txt', first);

    expect(record).toMatchObject({
      status: 'ready',
      usage: { calls: 2 },
      fields: { ungrounded: 0 },
    });
    expect(record.usage).not.toHaveProperty('costUnknownCalls');
    expect(await outcomes()).toEqual(['answered', 'invalid']);
    const spent = (await costEntries()).reduce((sum, { costUsd = 0 }) => sum + costUsd, 0);
    expect(record.usage?.costUsd).toBeCloseTo(spent, 12);
  });

  test('twice ends the document, with its summary and its file', async () => {
    await begin({ config: both });
    world.emulator.addFault({ kind: 'invalid_output', skip: 1, count: 2 });

    const record = await dropped('a.txt', first);

    expect(record).toMatchObject({
      status: 'failed',
      error: { code: 'summarize.invalid_fields', step: 'summarize' },
      usage: { calls: 3 },
      answers: { summary: { outcome: 'answered' }, fields: { outcome: 'refused' } },
    });
    expect(record.error?.advice).toContain('summarize.invalid_fields');
    expect(record.error?.message).toContain('must NOT have additional properties');
    expect(record.summary?.text).toContain('Sales rose');
    expect(record.fields).toBeUndefined();
    expect(fileIds()).toEqual([record.fileId]);
    expect(await outcomes()).toEqual(['answered', 'invalid', 'refused']);
  });

  test('is asked for again when a person has it retried, and the summary is not', async () => {
    await begin({ config: both });
    world.emulator.addFault({ kind: 'invalid_output', skip: 1, count: 2 });
    await dropped('a.txt', first);

    await world.reconcile({ retry: ['summarize.invalid_fields'] });
    await world.drain();

    const record = await present('a.txt');
    expect(record).toMatchObject({
      status: 'ready',
      usage: { calls: 4 },
      fields: { ungrounded: 0 },
    });
    expect(record).not.toHaveProperty('error');
    expect(paidCalls()).toBe(4);
  });

  test('is told to documents that share it', async () => {
    await begin({ config: alone });
    fault(2);
    await dropped('a.txt', first);

    expect(await dropped('b.txt', first)).toMatchObject({
      status: 'failed',
      error: { code: 'summarize.invalid_fields' },
      usage: { calls: 0 },
    });
    expect(paidCalls()).toBe(2);
  });
});

test('after a refused summary, the fields are not asked for', async () => {
  await begin({ config: both });
  world.emulator.addFault({ kind: 'refusal', category: 'cyber' });

  const record = await dropped('a.txt', first);

  expect(record).toMatchObject({
    status: 'failed',
    error: { code: 'summarize.refused', category: 'cyber' },
  });
  expect(Object.keys(record.answers ?? {})).toEqual(['summary']);
  expect(paidCalls()).toBe(1);
});

test('refused fields leave the summary in the record', async () => {
  await begin({ config: both });
  world.emulator.addFault({
    kind: 'error',
    operation: 'messages.create',
    skip: 1,
    status: 400,
    message: 'output_config.format.schema: too complex',
  });

  const record = await dropped('a.txt', first);

  expect(record.status).toBe('failed');
  expect(record.summary?.text).toContain('Sales rose');
  expect(record.usage).toMatchObject({ calls: 1 });
});

test('a document that is held before its second question keeps its summary, and resumes with that question', async () => {
  await begin({ config: both });
  world.emulator.addFault({ kind: 'spend_cap', operation: 'messages.create', skip: 1 });
  const held = await dropped('a.txt', first);
  expect(held).toMatchObject({ status: 'held', usage: { calls: 1 } });
  expect(held.summary?.text).toContain('Sales rose');

  world.advance(3_600_000);
  await world.reconcile({ resume: true, meanwhile: true });
  await world.drain();

  const record = await present('a.txt');
  expect(record).toMatchObject({ status: 'ready', usage: { calls: 2 }, fields: { ungrounded: 0 } });
  expect(paidCalls()).toBe(2);
});

test('a file that Claude lost before the second question is uploaded again, and the summary is not paid again', async () => {
  await begin({ config: both });
  world.emulator.addFault({ kind: 'vanish_file', operation: 'messages.create', skip: 1 });

  const record = await dropped('a.txt', first);

  expect(record).toMatchObject({ status: 'ready', usage: { calls: 2 }, fields: { ungrounded: 0 } });
  expect(fileIds()).toEqual([record.fileId]);
  expect(world.calls('files.upload')).toHaveLength(2);
  expect(paidCalls()).toBe(2);
});

describe('a removal', () => {
  /** The world up to the nth question. */
  const waitsForQuestion = async (nth: number, w = world) => {
    await waitsForSummary(w);
    if (nth > 0) await summarizeOne({}, w);
  };

  /** A worker that has the reply to the nth question and has not written it down. */
  async function holdsReply(nth: number) {
    const calls = await callsOf('summarize', (w) => waitsForQuestion(nth, w), { config: both });
    const before = calls.slice(0, calls.indexOf('claude.createMessage'));
    const writes = before.filter((call) => call === 'table.update').length;
    return pausedBefore('table.update', (gate) => summarizeOne({ gate }), writes);
  }

  test.each([0, 1])('after call %i wins, and nothing that was said is left', async (nth) => {
    await begin({ config: both });
    await waitsForQuestion(nth);
    const asking = await holdsReply(nth);
    remove('a.txt');
    await workVisible();
    await asking.resume();
    await world.drain();
    await settleDown(world);

    const record = await present('a.txt');
    expect(record.status).toBe('removed');
    expect(record).not.toHaveProperty('summary');
    expect(record).not.toHaveProperty('fields');
    expect(await answersKept()).toBe(0);
    expect(fileIds()).toEqual([]);
    expect(await outcomes()).toHaveLength(nth + 1);
    await checkInvariants(world, { 'a.txt': null }, 0);
  });

  test('between the two questions leaves nothing to ask', async () => {
    await begin({ config: both });
    await waitsForSummary();
    await summarizeOne();
    remove('a.txt');
    await world.drain();

    expect(paidCalls()).toBe(1);
    expect(await answersKept()).toBe(0);
  });

  test('takes the text layer of a PDF along', async () => {
    await begin({ config: alone });
    await dropped('a.pdf', await textPdf(2));
    expect((await world.buckets.list(staging)).objects).toHaveLength(1);

    remove('a.pdf');
    await world.drain();

    expect((await world.buckets.list(staging)).objects).toEqual([]);
  });
});

test('a newer version between the two questions is asked about both, and the older about one', async () => {
  await begin({ config: both });
  await waitsForSummary();
  await summarizeOne();

  const record = await dropped('a.txt', second);

  expect(record).toMatchObject({ status: 'ready', fields: { ungrounded: 0 } });
  expect(record.summary?.text).toContain('Costs fell');
  expect(paidCalls()).toBe(3);
});

describe('wherever a worker dies, the invariants hold', () => {
  test.each([
    {
      name: 'a text is asked for a summary and fields',
      events: (w: World) => [w.drop('a.txt', first)],
      expected: { 'a.txt': 'Sales rose' },
    },
    {
      name: 'two documents with one content are',
      events: (w: World) => [w.drop('a.txt', first), w.drop('b.txt', first)],
      expected: { 'a.txt': 'Sales rose', 'b.txt': 'Sales rose' },
    },
    {
      name: 'a text is removed in the middle',
      events: (w: World) => [w.drop('a.txt', first), w.remove('a.txt')],
      expected: { 'a.txt': null },
    },
    {
      name: 'the fields of a text are invalid once',
      prepare: async (w: World) => {
        w.emulator.addFault({ kind: 'invalid_output', skip: 1 });
      },
      events: (w: World) => [w.drop('a.txt', first)],
      expected: { 'a.txt': 'Sales rose' },
      moreCalls: 1,
    },
  ])(
    '$name',
    async (scenario) => {
      const points = await crashEverywhere(memoryLedger(), {
        ...scenario,
        options: { config: both },
      });

      expect(points).toBeGreaterThan(20);
      await begin();
    },
    240_000,
  );

  test('a PDF has its text layer staged', async () => {
    const pdf = await textPdf(2);
    await crashEverywhere(memoryLedger(), {
      name: 'pdf',
      options: { config: both },
      events: (w) => [w.drop('a.pdf', pdf)],
      expected: { 'a.pdf': 'Page 1' },
    });
    await begin();
  }, 240_000);
});
