import { beforeEach, describe, expect, test } from 'vitest';
import { ObjectUnreadable } from '../../shared/aws/objects.ts';
import type { ObjectChange } from '../../shared/journey/messages.ts';
import type { DutyTools } from '../../shared/reconcile/duty.ts';
import { announceMissed } from '../../shared/reconcile/missed.ts';
import type { ReconcileReport } from '../../shared/reconcile/report.ts';
import { changed } from '../ledger/support.ts';
import { type Shop, workshop } from '../steps/support.ts';

let shop: Shop;
let tools: DutyTools;
let report: ReconcileReport;
let announced: ObjectChange[];
beforeEach(async () => {
  shop = await workshop();
  announced = [];
  report = { startedAt: '', dryRun: false, unfinished: false, counts: {}, ids: {} };
  const part: Partial<DutyTools> = {
    ...shop.tools,
    table: shop.table,
    inboxBucket: 'inbox',
    dryRun: false,
    intakeWaiting: 0,
    announce: async (...changes) => {
      announced.push(...changes);
    },
  };
  tools = part as DutyTools;
});

const drop = (key = 'a.txt') => shop.buckets.put('inbox', key, Buffer.from(`text of ${key}`));
const sweep = () => announceMissed(undefined, tools, report);

describe('an object that the ledger does not know', () => {
  test('is announced as S3 describes it, below every real event', async () => {
    const { etag, versionId } = drop();

    expect(await sweep()).toBeUndefined();

    expect(announced).toEqual([
      {
        kind: 'created',
        bucket: 'inbox',
        key: 'a.txt',
        etag,
        versionId,
        sequencer: '0',
        sizeBytes: 13,
      },
    ]);
    expect(report.ids).toEqual({ announced: ['a.txt'] });
  });

  test('is left to its own event when it was overwritten after the listing', async () => {
    drop();
    shop.buckets.head = async () => ({ versionId: 'v9', etag: 'newer', sizeBytes: 1 });

    await sweep();

    expect(announced).toEqual([]);
    expect(report.counts).toEqual({});
  });

  test('is left alone when it was removed after the listing', async () => {
    drop();
    shop.buckets.head = async () => undefined;

    await sweep();

    expect(announced).toEqual([]);
  });

  test('is announced as listed when it may not be read', async () => {
    const { etag } = drop();
    shop.buckets.head = () => Promise.reject(new ObjectUnreadable('forbidden', 'no'));

    await sweep();

    expect(announced).toMatchObject([{ key: 'a.txt', etag, sizeBytes: 0 }]);
  });

  test('is not announced while S3 cannot be reached, and the sweep stops there', async () => {
    drop();
    shop.buckets.head = () => Promise.reject(new Error('S3 is away'));

    await expect(sweep()).rejects.toThrow('S3 is away');

    expect(announced).toEqual([]);
  });

  test('is reported, not announced, while messages wait in the intake queue', async () => {
    shop.buckets.list = async (bucket) =>
      bucket === 'inbox'
        ? {
            objects: [
              { key: 'a.txt', etag: 'e', sizeBytes: 1, modifiedAt: shop.clock.now - 7_200_000 },
            ],
            more: false,
          }
        : { objects: [], more: false };
    tools.intakeWaiting = 1;

    await sweep();

    expect(announced).toEqual([]);
    expect(report.ids).toEqual({ inBacklog: ['a.txt'] });
  });
});

test('an object with the bytes that its record says were removed is announced again', async () => {
  const { etag } = drop();
  const { documents } = shop.tools;
  await documents.receive(changed('01', { etag }), 'default');
  await documents.receive(changed('02', { kind: 'removed', etag }), 'default');

  await sweep();

  expect(announced).toMatchObject([{ kind: 'created', key: 'a.txt', etag }]);
});
