import { afterEach, describe, expect, test } from 'vitest';
import { checkInvariants } from '../world/invariants.ts';
import { results } from '../world/world.ts';
import {
  begin,
  disorder,
  drop,
  everything,
  hour,
  ledger,
  present,
  repairs,
  settled,
  text,
  world,
} from './support.ts';

afterEach(() => world.close());

test('a dry run reports what would be done and changes nothing', async () => {
  await disorder();
  const before = structuredClone(await everything());
  const calls = world.emulator.journal().length;

  const { report } = await world.reconcile({ dryRun: true });

  expect(report).toMatchObject({ dryRun: true, counts: repairs });
  expect(await everything()).toEqual(before);
  const made = world.emulator.journal().slice(calls);
  expect(made.filter(({ method }) => method !== 'GET')).toEqual([]);
  // The same is still to be done.
  expect((await world.reconcile()).report?.counts).toEqual(repairs);
});

/** Makes runs of one page each until the sweep has reached a duty; `first` are the options of the first run. */
async function onePageUntil(duty: string, first: { sweep: boolean }): Promise<void> {
  const place = () => ledger.items().find(({ pk }) => pk === 'RECONCILE')?.sweep;
  for (let runs = 0; (place() as { duty: string } | undefined)?.duty !== duty; runs += 1) {
    expect(runs).toBeLessThan(100);
    let pages = 1;
    const options = runs === 0 ? first : {};
    const { report } = await world.reconcile({ ...options, timeLeft: () => pages-- > 0 });
    expect(report?.unfinished).toBe(true);
  }
}

test('a dry run reports everything, even right after a sweep or in the middle of one', async () => {
  await disorder();
  await world.reconcile();
  await world.drain();
  await onePageUntil('orphans', { sweep: true });
  await world.emulator.vanishFile((await present('left.txt')).fileId ?? '');
  world.drop('later.txt', text('later'));
  world.advance(hour);

  const { report } = await world.reconcile({ dryRun: true });

  expect(report?.counts).toEqual({ announced: 1, gone: 1 });
  expect(report?.unfinished).toBe(false);
  // A real run resumes with the remote files; the rest is not due yet.
  expect((await world.reconcile()).report?.counts).toEqual({});
});

test('a sweep that a person asks for is made, by a later run if the first is too short', async () => {
  await begin();
  await settled('a');
  await world.reconcile();
  world.drop('missed.txt', text('missed'));
  world.advance(hour);
  expect((await world.reconcile()).report?.counts).toEqual({});

  const { report } = await world.reconcile({ sweep: true });
  expect(report?.counts).toEqual({ announced: 1 });

  await world.drain();
  world.drop('again.txt', text('again'));
  world.advance(hour);
  let pages = 1;
  const { report: short } = await world.reconcile({ sweep: true, timeLeft: () => pages-- > 0 });
  expect(short).toMatchObject({ unfinished: true });
  const { report: rest } = await world.reconcile();
  expect((short?.counts.announced ?? 0) + (rest?.counts.announced ?? 0)).toBe(1);
});

test('each run leaves a report that people can read', async () => {
  await disorder();

  const { report } = await world.reconcile();

  const key = `reconcile/${report?.startedAt}.json`;
  const { body } = await world.buckets.open({ bucket: results, key });
  const stored = JSON.parse(Buffer.concat(await body.toArray()).toString());
  expect(stored).toEqual(report);
  expect(stored.ids.announced).toEqual(['missed.txt']);
  expect(Date.parse(stored.endedAt)).toBeGreaterThanOrEqual(Date.parse(stored.startedAt));
});

describe('runs', () => {
  /** Runs the reconciler until it is finished, with time for `pages` pages each. */
  async function inShortRuns(
    pages: number,
  ): Promise<{ runs: number; counts: Record<string, number> }> {
    const counts: Record<string, number> = {};
    for (let runs = 1; ; runs += 1) {
      let left = pages;
      const { report } = await world.reconcile({ timeLeft: () => left-- > 0 });
      for (const [what, count] of Object.entries(report?.counts ?? {})) {
        counts[what] = (counts[what] ?? 0) + count;
      }
      if (!report?.unfinished) return { runs, counts };
      expect(runs).toBeLessThan(400);
    }
  }

  test.each([1, 2, 3, 7])(
    'of %i pages resume where the one before stopped, and do everything once',
    async (pages) => {
      await disorder();

      const { runs, counts } = await inShortRuns(pages);
      await world.drain();

      expect(counts).toEqual(repairs);
      expect(runs).toBeGreaterThan(20 / pages / 2);
      await checkInvariants(
        world,
        {
          'gone.txt': 'gone alone',
          'left.txt': 'left alone',
          'missed.txt': 'missed alone',
          'stuck.txt': 'stuck alone',
        },
        0,
      );
    },
  );

  /** Time for the quick duties, and for about ten pages more. */
  const someTime = () => {
    let left = 30;
    return () => left-- > 0;
  };

  test('in a long sweep each begin with the duties that unblock documents', async () => {
    await begin();
    world.buckets.pageSize = 1;
    await settled(...Array.from({ length: 40 }, (_, n) => `document ${n}`));
    const first = await world.reconcile({ timeLeft: someTime() });
    expect(first.report?.unfinished).toBe(true);
    drop('stuck.txt', text('stuck'));
    await world.work();
    world.queues.upload.messages.splice(0);
    world.advance(3 * hour);

    const second = await world.reconcile({ timeLeft: someTime() });

    expect(second.report).toMatchObject({ unfinished: true, counts: { resent: 1 } });
  });

  test('begin the next sweep only when it is due', async () => {
    await begin();
    await settled('a');
    await world.reconcile();
    world.drop('missed.txt', text('missed'));

    world.advance(6 * hour - 1);
    const early = await world.reconcile();
    world.advance(1);
    const late = await world.reconcile();

    expect(early.report).toMatchObject({ counts: {}, unfinished: false });
    expect(early.report?.storageBytes).toBeUndefined();
    expect(late.report).toMatchObject({ counts: { announced: 1 }, remoteFiles: 1 });
  });

  test('resume at the page where the API asked to wait', async () => {
    await begin();
    await settled('a');
    await world.emulator.vanishFile((await present('a.txt')).fileId ?? '');
    const refused = { kind: 'error', status: 429, retryAfter: 60, count: 'all' } as const;
    world.emulator.addFault({ ...refused, operation: 'files.list' });

    const first = await world.reconcile();
    expect(first.report).toMatchObject({ unfinished: true, counts: {} });

    world.emulator.clearFaults();
    world.advance(60_000);
    const second = await world.reconcile();
    expect(second.report).toMatchObject({ unfinished: false, counts: { gone: 1 } });
  });

  test('do the other duties when one fails', async () => {
    await begin();
    await settled('a');
    world.drop('missed.txt', text('missed'));
    world.buckets.list = async () => {
      throw new Error('no such bucket');
    };
    await world.emulator.vanishFile((await present('a.txt')).fileId ?? '');

    const { report } = await world.reconcile();

    expect(report?.ids.errors).toEqual([
      'missed: no such bucket',
      'staged: no such bucket',
      'removed: no such bucket',
    ]);
    expect(report?.counts).toMatchObject({ errors: 3, gone: 1 });
  });
});
