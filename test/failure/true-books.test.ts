import { zipSync } from 'fflate';
import { afterEach, describe, expect, test } from 'vitest';
import { partOf, type World } from '../world/world.ts';
import {
  begin,
  callsOf,
  costEntries,
  drop,
  fileIds,
  first,
  hour,
  ledger,
  normalizeOne,
  paidCalls,
  pausedBefore,
  pausedBeforePaying,
  present,
  remove,
  status,
  summarizeOne,
  uploadOne,
  waitsForSummary,
  workVisible,
  world,
} from './support.ts';

/** Every paid call is in the books, no call that was not made is, and an answer belongs to those who refer to it. */

afterEach(() => world.close());

const refusedOnce = (w: World): void => {
  w.emulator.addFault({ kind: 'refusal', operation: 'messages.create', count: 1 });
};

/** The call at which the worker writes the reply into the answer. */
async function replyWriteOf(happen: (w: World) => Promise<void>): Promise<number> {
  const calls = await callsOf('summarize', happen);
  return calls.indexOf('table.update', calls.indexOf('claude.createMessage'));
}

async function sweepLater(): Promise<void> {
  world.advance(hour);
  await world.reconcile({ sweep: true });
  await world.drain();
}

describe('a reply that was written, and whose worker died before its cost was', () => {
  test('is in the books although the document is removed at once', async () => {
    const call = await replyWriteOf(waitsForSummary);
    await begin();
    await waitsForSummary();
    await summarizeOne({ kill: { call, when: 'after' } });
    expect(await costEntries()).toEqual([]);

    remove('a.txt');
    await workVisible();
    await world.drain();
    await sweepLater();

    expect(await status('a.txt')).toBe('removed');
    expect(await costEntries()).toMatchObject([{ outcome: 'answered' }]);
  });

  test('is in the books although another document has the refusal retried', async () => {
    const refused = async (w: World) => {
      refusedOnce(w);
      await waitsForSummary(w);
    };
    const call = await replyWriteOf(refused);
    await begin();
    await refused(world);
    await summarizeOne({ kill: { call, when: 'after' } });
    drop('b.txt', first);
    await normalizeOne();
    await uploadOne();
    await summarizeOne();
    expect(await status('b.txt')).toBe('failed');

    await world.reconcile({ retry: ['summarize.refused'] });
    await world.drain();

    expect(paidCalls()).toBe(2);
    const outcomes = (await costEntries()).map(({ outcome }) => outcome).toSorted();
    expect(outcomes).toEqual(['answered', 'refused']);
  });
});

describe('a deleter that waits for Claude while a newcomer takes the content over', () => {
  const deleting = async () => {
    await begin();
    drop('a.txt', first);
    await world.drain();
    remove('a.txt');
    await normalizeOne();
    return pausedBefore('claude.deleteFile', (gate) => uploadOne({ gate }));
  };

  test('leaves the answer to the newcomer that has copied it', async () => {
    const deleter = await deleting();
    drop('b.txt', first);
    await normalizeOne();
    await uploadOne();
    await summarizeOne();
    expect(await status('b.txt')).toBe('ready');

    await deleter.resume();
    await world.drain();
    drop('c.txt', first);
    await world.drain();

    expect(await status('c.txt')).toBe('ready');
    expect(paidCalls()).toBe(1);
    expect(ledger.items().filter(({ sk }) => String(sk).startsWith('ANSWER#'))).toHaveLength(1);
  });

  test('leaves the call that a newcomer is making', async () => {
    await begin({ config: JSON.stringify({ profiles: [{ prefix: 'raw/', mode: 'off' }] }) });
    drop('raw/a.txt', first);
    await world.drain();
    remove('raw/a.txt');
    await normalizeOne();
    const deleter = await pausedBefore('claude.deleteFile', (gate) => uploadOne({ gate }));
    drop('b.txt', first);
    await normalizeOne();
    await uploadOne();
    const asker = await pausedBeforePaying();

    await deleter.resume();
    await asker.resume();
    await world.drain();

    expect(await present('b.txt')).toMatchObject({ status: 'ready', usage: { calls: 1 } });
    expect(paidCalls()).toBe(1);
    expect(fileIds()).toHaveLength(1);
  });
});

describe('a call that was never sent', () => {
  const throttled = () =>
    Object.assign(new Error('slow down'), { name: 'ThrottlingException', $metadata: {} });

  test('because the ledger throttles the pace is not counted and costs no attempt', async () => {
    await begin();
    await waitsForSummary();
    for (let deliveries = 0; deliveries < 5; deliveries += 1) {
      let asked = false;
      await world.work({
        only: ['summarize'],
        fault: async (call, make) => {
          if (call === 'claude.createMessage') asked = true;
          else if (asked && call === 'table.get') {
            asked = false;
            throw throttled();
          }
          return make();
        },
      });
      world.advance(hour / 4);
    }

    expect(paidCalls()).toBe(0);
    expect(await present('a.txt')).toMatchObject({ status: 'uploaded', usage: { calls: 0 } });
    expect(await costEntries()).toEqual([]);
    await world.drain();
    expect(await present('a.txt')).toMatchObject({ status: 'ready', usage: { calls: 1 } });
  });

  test('because the key cannot be read is not counted', async () => {
    await begin();
    await waitsForSummary();
    Object.defineProperty(world, 'apiKey', {
      get: () => {
        throw throttled();
      },
    });
    for (let deliveries = 0; deliveries < 5; deliveries += 1) {
      await summarizeOne();
      world.advance(hour / 4);
    }

    expect(await present('a.txt')).toMatchObject({ status: 'uploaded', usage: { calls: 0 } });
    expect(await costEntries()).toEqual([]);
  });

  test('because the claim was refused after it had taken effect is not counted', async () => {
    await begin();
    await waitsForSummary();
    let once = true;
    await world.work({
      only: ['summarize'],
      fault: async (call, make) => {
        const result = await make();
        if (!once || call !== 'table.put') return result;
        once = false;
        throw throttled();
      },
    });
    await world.drain();

    expect(await present('a.txt')).toMatchObject({ status: 'ready', usage: { calls: 1 } });
    expect(await costEntries()).toMatchObject([{ outcome: 'answered' }]);
  });
});

describe('twenty equal files of one archive', () => {
  test.each([
    ['lost', 'lost_reply', 'summarize.reply_lost', 5],
    ['unreadable', 'malformed', 'summarize.unexpected_reply', 1],
  ] as const)(
    'whose replies are %s pay no more than one file would',
    async (_, kind, code, calls) => {
      await begin();
      world.emulator.addFault({ kind, operation: 'messages.create', count: 'all' });
      const entries = Array.from({ length: 20 }, (_, index) => [
        `${index}.txt`,
        Buffer.from(first),
      ]);
      drop('a.zip', zipSync(Object.fromEntries(entries)));
      await world.drain();
      for (let runs = 0; runs < 3; runs += 1) await sweepLater();

      expect(paidCalls()).toBe(calls);
      const usages = [];
      for (let index = 0; index < 20; index += 1) {
        const record = await present(partOf('a.zip', `${index}.txt`));
        expect(record).toMatchObject({ status: 'failed', error: { code } });
        usages.push(record.usage?.calls ?? 0);
      }
      expect(usages.reduce((sum, one) => sum + one, 0)).toBe(calls);
    },
  );
});

test('a lease that cannot be given back does not leave the asker waiting for itself', async () => {
  await begin();
  await waitsForSummary();
  world.emulator.addFault({ kind: 'error', status: 529, operation: 'messages.create', count: 1 });
  let refused = 0;
  let asked = false;
  await world.work({
    only: ['summarize'],
    fault: async (call, make) => {
      if (call === 'claude.createMessage') asked = true;
      else if (asked && call === 'table.update' && refused < 4) {
        refused += 1;
        throw new Error('no ledger');
      }
      return make();
    },
  });
  const began = world.now();

  await world.drain();

  expect(refused).toBe(4);
  expect(await present('a.txt')).toMatchObject({ status: 'ready' });
  expect(world.now() - began).toBeLessThan(hour / 2);
});

test('the folders inside a removed archive are not in the books', async () => {
  await begin();
  drop('in/a.zip', zipSync({ 'Dismissal of Jane Doe/letter.txt': Buffer.from(first) }));
  await world.drain();

  expect((await costEntries()).map(({ prefix }) => prefix)).toEqual(['in/']);
});

describe('a call whose reply was lost, of a document that is then asked otherwise, is in its record', () => {
  const asking = (prompt: string) => JSON.stringify({ profiles: [{ prefix: '', prompt }] });
  const lostOnce = () =>
    world.emulator.addFault({ kind: 'lost_reply', operation: 'messages.create', count: 1 });

  test('when the next call is the first about another question', async () => {
    await begin({ config: asking('In one sentence.') });
    await waitsForSummary();
    lostOnce();
    await summarizeOne();

    world.config = asking('In two sentences.');
    lostOnce();
    await world.drain();

    const { usage } = await present('a.txt');
    expect(usage).toMatchObject({ calls: 3, costUnknownCalls: 2 });
    expect(paidCalls()).toBe(3);
    expect(await costEntries()).toHaveLength(3);
  });

  test('once, when a refusal is retried after that', async () => {
    await begin({ config: asking('In one sentence.') });
    await waitsForSummary();
    lostOnce();
    await summarizeOne();
    refusedOnce(world);
    await world.drain();
    expect(await present('a.txt')).toMatchObject({ status: 'failed', usage: { calls: 2 } });

    world.config = asking('In two sentences.');
    await world.reconcile({ retry: ['summarize.refused'] });
    await world.drain();

    const { usage } = await present('a.txt');
    expect(usage).toMatchObject({ calls: 3, costUnknownCalls: 1 });
    expect(paidCalls()).toBe(3);
  });
});
