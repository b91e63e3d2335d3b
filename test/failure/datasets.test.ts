import { afterEach, describe, expect, test } from 'vitest';
import { displayName } from '../../shared/journey/display-name.ts';
import { crashEverywhere } from '../world/crash.ts';
import { memoryLedger } from '../world/memory-dynamodb.ts';
import { deployment, results, type World } from '../world/world.ts';
import {
  begin,
  callsOf,
  costEntries,
  drop,
  fileIds,
  hour,
  ledger,
  paidCalls,
  present,
  remove,
  summarizeOne,
  world,
} from './support.ts';

/** Datasets: files that go up as they are, answers by code, and the files that Claude makes. */

afterEach(() => world?.close());

const csv = 'month,total\n2026-01,120\n2026-02,80\n';
const config = JSON.stringify({
  profiles: [
    {
      prefix: 'data/',
      code: {
        prompt: 'Describe the table and plot its monthly totals.',
        types: ['parquet'],
        skills: [{ id: 'xlsx', version: '20251013' }],
      },
    },
  ],
});

const produced = async (w: World = world) =>
  (await w.buckets.list(results)).objects.map(({ key }) => key).filter((key) => /files-/.test(key));

/** Files at Claude that a tool made. */
const made = () => world.emulator.files().filter(({ downloadable }) => downloadable);

async function dataset(content = csv, key = 'data/sales.csv') {
  drop(key, content);
  await world.drain();
  return present(key);
}

const sumOfBooks = async () =>
  (await costEntries()).reduce((sum, { costUsd = 0 }) => sum + costUsd, 0);

describe('a dataset', () => {
  test('goes up as it is; its answer is the summary, and its files are in the results bucket', async () => {
    await begin({ config });

    const record = await dataset();

    expect(record).toMatchObject({
      status: 'ready',
      block: 'container_upload',
      mimeType: 'text/csv',
      fidelity: { route: 'dataset', warnings: [] },
      usage: { calls: 1 },
      files: [
        { name: expect.stringMatching(/profile\.json$/), mimeType: 'application/json' },
        { name: expect.stringMatching(/chart\.svg$/), mimeType: 'image/svg+xml' },
      ],
    });
    expect(record.summary?.text).toContain('2 rows and 2 columns');
    for (const { location, sizeBytes } of record.files ?? []) {
      const key = location.replace(`s3://${results}/`, '');
      const text = await world.buckets.getText({ bucket: results, key });
      expect(Buffer.byteLength(text ?? '')).toBe(sizeBytes);
    }
    expect(made()).toEqual([]);
    expect(await sumOfBooks()).toBeCloseTo(record.usage?.costUsd ?? 0, 12);
  });

  test('is another content than the same bytes as text, and is paid for once by all that have it', async () => {
    await begin({ config });
    const record = await dataset();
    const twin = await dataset(csv, 'data/again.csv');
    const asText = await dataset(csv, 'notes/sales.csv');

    expect(twin).toMatchObject({ status: 'ready', fileId: record.fileId, files: record.files });
    expect(asText).toMatchObject({ status: 'ready', mimeType: 'text/plain' });
    expect(asText.files).toBeUndefined();
    expect(asText.fileId).not.toBe(record.fileId);
    expect(paidCalls()).toBe(2);
  });

  test.each(['a.parquet', 'b.tsv', 'c.XLSX'])(
    'may be %s, others are read as ever',
    async (name) => {
      await begin({ config });

      const record = await dataset('bytes', `data/${name}`);
      expect(record.error).toBeUndefined();
      expect(record).toMatchObject({
        status: 'ready',
        block: 'container_upload',
      });
      expect(await dataset('A plain text. It has two sentences.', 'data/a.txt')).toMatchObject({
        status: 'ready',
        block: 'document',
      });
    },
  );

  test('that is removed takes its files along', async () => {
    await begin({ config });
    await dataset();
    expect(await produced()).toHaveLength(2);

    remove('data/sales.csv');
    await world.drain();

    expect(await produced()).toEqual([]);
    expect(fileIds()).toEqual([]);
  });

  test.each([
    'claude.createMessage',
    'objects.putFile',
    'claude.getFile',
    'claude.downloadFile',
    'claude.deleteFile',
  ])('that is removed right before %s leaves no file behind', async (moment) => {
    await begin({ config });
    let removed = false;
    drop('data/sales.csv', csv);
    await world.work({ only: ['intake'] });
    await world.work({ only: ['upload'] });
    await world.work({
      only: ['summarize'],
      fault: async (call, make) => {
        if (call === moment && !removed) {
          removed = true;
          remove('data/sales.csv');
          while (await world.work({ only: ['intake', 'upload'] }));
        }
        return make();
      },
    });
    await world.drain();
    world.advance(hour);
    await world.drain();

    expect(await present('data/sales.csv')).toMatchObject({ status: 'removed' });
    expect(fileIds()).toEqual([]);
    expect((await world.buckets.list(results)).objects).toEqual([]);
    expect(paidCalls()).toBe(moment === 'claude.createMessage' ? 0 : 1);
    if (paidCalls() > 0) expect(await sumOfBooks()).toBeGreaterThan(0);
  });
});

describe('the files that Claude makes', () => {
  test('keep names apart that are equal, and no name leads elsewhere', async () => {
    await begin({ config });
    world.emulator.addFault({
      kind: 'made_name',
      message: '../../answers/\u202ex/..\\.\u0000.ssh',
    });

    const { files = [] } = await dataset();

    const keys = await produced();
    expect(new Set(files.map(({ location }) => location)).size).toBe(2);
    expect(keys).toHaveLength(2);
    for (const key of keys) {
      expect(key).toMatch(/^answers\/[\w.]+\/\w+\/files-[\w-]+\/[\w-]+\/[A-Za-z0-9][\w.-]*$/);
    }
    for (const { name } of files) expect(name).toBe(displayName(name));
  });

  test('that are gone before they are fetched are told, and the summary stands', async () => {
    await begin({ config });
    world.emulator.addFault({ kind: 'vanish_file', operation: 'files.content' });

    expect(await dataset()).toMatchObject({
      status: 'ready',
      summary: { text: expect.any(String) },
      files: [{ mimeType: 'image/svg+xml' }],
      fidelity: { warnings: [{ code: 'files.gone' }] },
    });
    expect(made()).toEqual([]);
  });

  test('are fetched again where a download is cut, without another paid call', async () => {
    await begin({ config });
    world.emulator.addFault({ kind: 'cut_body', operation: 'files.content', count: 4 });

    const record = await dataset();

    expect(record).toMatchObject({ status: 'ready', files: [{}, {}], usage: { calls: 1 } });
    expect(record.fidelity?.warnings).toEqual([]);
    expect(paidCalls()).toBe(1);
    expect(made()).toEqual([]);
  });

  test('are not mistaken for a file of somebody else: that is neither fetched nor deleted', async () => {
    await begin({ config });
    const stranger = await world.uploadByHand({
      filename: 'theirs.txt',
      content: 'not ours',
      expiresInSeconds: 86_400,
    });
    drop('data/sales.csv', csv);
    await world.work({ only: ['intake'] });
    await world.work({ only: ['upload'] });
    // The reply is kept, the worker dies before it fetches anything.
    const { calls } = (await summarizeOne()) ?? { calls: [] };
    expect(calls).toContain('claude.downloadFile');
    const answer = ledger.items().find(({ sk }) => String(sk).startsWith('ANSWER#'));
    expect(answer?.made).toBeUndefined();
    await world.drain();
    remove('data/sales.csv');
    await world.drain();

    expect(fileIds()).toEqual([stranger]);
  });

  test('for a reply that was lost are told by the sweep, and left alone, even with our mark', async () => {
    await begin({ config });
    // As code names a file that reads the name of its input.
    const filename = `sales.${'0'.repeat(16)}-${deployment}.png`;
    await world.emulator.addFile({ filename, content: 'a picture' });
    world.emulator.addFault({ kind: 'lost_reply', operation: 'messages.create' });

    expect(await dataset()).toMatchObject({ status: 'ready', files: [{}, {}] });
    const unseen = made().map(({ id }) => id);
    world.advance(24 * hour);
    const { report } = await world.reconcile({ sweep: true });

    expect(unseen).toHaveLength(3);
    expect(report?.ids.madeByTools?.toSorted()).toEqual(unseen.toSorted());
    expect(made()).toHaveLength(3);
  });

  test('of a refused answer are deleted', async () => {
    await begin({ config });
    world.emulator.addFault({ kind: 'max_tokens', operation: 'messages.create', count: 'all' });

    expect(await dataset()).toMatchObject({
      status: 'failed',
      error: { code: 'summarize.max_tokens' },
      usage: { calls: 1 },
    });
    expect(made()).toEqual([]);
  });
});

describe('a paused turn', () => {
  test('goes on in the same container; every call is counted and in the books', async () => {
    await begin({ config });
    world.emulator.addFault({ kind: 'pause_turn', operation: 'messages.create', count: 2 });

    const record = await dataset();

    expect(record).toMatchObject({ status: 'ready', usage: { calls: 3 } });
    expect(record.usage?.costUnknownCalls).toBeUndefined();
    // The profile was made once: the calls after it continued.
    expect(record.files?.map(({ mimeType }) => mimeType)).toEqual([
      'application/json',
      'image/svg+xml',
    ]);
    expect((await costEntries()).map(({ outcome }) => outcome).toSorted()).toEqual([
      'answered',
      'paused',
      'paused',
    ]);
    expect(await sumOfBooks()).toBeCloseTo(record.usage?.costUsd ?? 0, 12);
    expect(record.summary?.text).toContain('2 rows');
  });

  test('begins anew where the container has expired', async () => {
    await begin({ config });
    world.emulator.addFault({ kind: 'pause_turn', operation: 'messages.create' });
    drop('data/sales.csv', csv);
    await world.work({ only: ['intake'] });
    await world.work({ only: ['upload'] });
    await summarizeOne();
    world.advance(31 * 24 * hour);
    await world.drain();

    const record = await present('data/sales.csv');
    expect(record).toMatchObject({ status: 'ready', usage: { calls: 2 } });
    expect(record.files).toHaveLength(3);
    expect(made()).toEqual([]);
  });

  test('that never ends is given up after eleven calls, and leaves nothing at Claude', async () => {
    await begin({ config });
    world.emulator.addFault({ kind: 'pause_turn', operation: 'messages.create', count: 'all' });

    expect(await dataset()).toMatchObject({
      status: 'failed',
      error: { code: 'summarize.paused_too_often' },
      usage: { calls: 11 },
    });
    expect(paidCalls()).toBe(11);
    expect(made()).toEqual([]);
  });

  test('whose next reply is lost is continued once more, from where it was', async () => {
    await begin({ config });
    world.emulator.addFault({ kind: 'pause_turn', operation: 'messages.create' });
    world.emulator.addFault({ kind: 'lost_reply', operation: 'messages.create' });

    const record = await dataset();

    expect(record).toMatchObject({ status: 'ready', usage: { calls: 3, costUnknownCalls: 1 } });
    expect(paidCalls()).toBe(3);
  });
});

test('a budget counts what a dataset has cost, and holds no reservation open', async () => {
  const budget = { dailyUsd: 1 };
  await begin({ config: JSON.stringify({ ...JSON.parse(config), budget }) });
  world.emulator.addFault({ kind: 'pause_turn', operation: 'messages.create' });

  await dataset();

  const [counter] = ledger.items().filter(({ usedNano }) => usedNano !== undefined);
  expect(Number(counter?.usedNano) / 1e9).toBeCloseTo(await sumOfBooks(), 8);
  expect(Object.keys(counter ?? {}).filter((name) => name.startsWith('r_'))).toEqual([]);
});

describe('a worker that is killed anywhere', () => {
  test('once the reply is kept, loses no file, leaves none at Claude, and pays once', async () => {
    const waits = async (w: World) => {
      drop('data/sales.csv', csv, w);
      await w.work({ only: ['intake'] });
      await w.work({ only: ['upload'] });
    };
    const calls = await callsOf('summarize', waits, { config });
    // The cost entry is written once the reply is kept.
    const kept = calls.indexOf('table.put', calls.indexOf('claude.createMessage'));
    expect(calls.slice(kept)).toContain('claude.deleteFile');
    for (let call = kept; call < calls.length; call += 1) {
      await begin({ config });
      await waits(world);
      await summarizeOne({ kill: { call, when: 'before' } });
      await world.drain();

      const at = `killed before ${calls[call]} (${call})`;
      const record = await present('data/sales.csv');
      expect(record, at).toMatchObject({ status: 'ready', files: [{}, {}], usage: { calls: 1 } });
      expect(made(), at).toEqual([]);
      expect(await produced(), at).toHaveLength(2);
      expect(paidCalls(), at).toBe(1);
      await world.close();
    }
  });

  test('while a dataset is answered in two turns', { timeout: 120_000 }, async () => {
    const points = await crashEverywhere(memoryLedger(), {
      name: 'dataset',
      options: { config },
      prepare: async (w) =>
        w.emulator.addFault({ kind: 'pause_turn', operation: 'messages.create' }),
      events: (w) => [w.drop('data/a.csv', csv)],
      expected: { 'data/a.csv': '2 rows' },
      moreCalls: 1,
    });

    expect(points).toBeGreaterThan(40);
  });
});
