import { expect, test } from 'vitest';
import { StopLane } from '../../shared/journey/errors.ts';
import type { StepMessage } from '../../shared/journey/messages.ts';
import { Circuits } from '../../shared/ledger/circuit.ts';
import { Documents } from '../../shared/ledger/documents.ts';
import { documentKey, shardOf } from '../../shared/ledger/keys.ts';
import type { Table } from '../../shared/ledger/table.ts';
import type { DutyTools } from '../../shared/reconcile/duty.ts';
import type { ReconcileReport } from '../../shared/reconcile/report.ts';
import { resumeHeld } from '../../shared/reconcile/resume.ts';
import { VirtualTime } from '../pace/virtual-time.ts';
import { memoryLedger } from '../world/memory-dynamodb.ts';

/** What one request to DynamoDB and one round of SQS batches take, in virtual milliseconds. */
const requestMs = 10;
const sendMs = 20;
const heldMs = 600_000;

const idOf = (n: number) => `document-${String(n).padStart(7, '0')}`;

/** Puts held documents into a ledger: number n came n seconds after the first. */
async function hold(
  table: Table,
  count: number,
  code: (n: number) => string = () => 'claude.billing',
): Promise<void> {
  const first = Date.parse('2026-11-20T00:00:00Z');
  for (let n = 0; n < count; n += 1) {
    const at = new Date(first + n * 1_000).toISOString();
    const documentId = idOf(n);
    await table.put({
      ...documentKey(documentId),
      documentId,
      bucket: 'inbox',
      key: `${n}.txt`,
      sequencer: '01',
      order: '01'.padEnd(64, '0'),
      status: 'held',
      heldFrom: 'normalized',
      error: { code: code(n), message: 'm', step: 'upload', advice: 'a', at },
      contentSha256: String(n).padStart(64, '0'),
      mimeType: 'text/plain',
      block: 'document',
      source: { bucket: 'inbox', key: `${n}.txt`, sizeBytes: 1, filename: 'a.txt' },
      attempts: {},
      profile: 'default',
      createdAt: at,
      updatedAt: at,
      stateAt: at,
      revision: 1,
      stateShard: `held#${shardOf(documentId)}`,
    });
  }
}

/** The reconciler's side of a ledger whose requests take time. */
async function reconciler() {
  const time = new VirtualTime();
  const table = await memoryLedger().create();
  const requests: Record<string, number> = {};
  const slow = new Proxy(table, {
    get: (target, property) => {
      const member = Reflect.get(target, property, target) as unknown;
      if (typeof member !== 'function' || typeof property !== 'string') return member;
      return async (...args: unknown[]) => {
        requests[property] = (requests[property] ?? 0) + 1;
        await time.sleep(requestMs);
        return member.apply(target, args);
      };
    },
  });
  const sent: StepMessage[] = [];
  const circuits = new Circuits(slow, time.now);
  const tools = {
    table: slow,
    circuits,
    documents: new Documents(slow, time.now),
    dryRun: false,
    resume: false,
    heldMs,
    now: time.now,
    sleep: time.sleep,
    timeLeft: () => true,
    sendAll: async (messages: readonly StepMessage[]) => {
      // Eight batches of ten go at once.
      await time.sleep(sendMs * Math.ceil(messages.length / 80));
      sent.push(...messages);
    },
  } as unknown as DutyTools;
  const report: ReconcileReport = {
    startedAt: '',
    dryRun: false,
    unfinished: false,
    counts: {},
    ids: {},
  };
  /** Does the duty to its end, page by page; returns how long that took, in virtual milliseconds. */
  const run = async (between: () => Promise<void> = async () => {}) => {
    const started = time.now();
    let cursor: string | undefined;
    do {
      cursor = await time.run(resumeHeld(cursor, tools, report));
      await time.run(between());
    } while (cursor !== undefined);
    return time.now() - started;
  };
  return { time, table, circuits, tools, sent, report, requests, run };
}

const ids = (sent: StepMessage[]) =>
  sent.map((message) => ('documentId' in message ? message.documentId : undefined));

test('20,000 held documents are open again, in the order they came, at a rate that opens a million in 30 minutes', async () => {
  const count = 20_000;
  const { table, sent, report, requests, run } = await reconciler();
  await hold(table, count);

  const ms = await run();

  expect(ids(sent)).toEqual(Array.from({ length: count }, (_, n) => idOf(n)));
  expect(report.counts.resumed).toBe(count);
  expect((ms / count) * 1_000_000).toBeLessThan(30 * 60_000);
  // One write a document; the reads come a hundred at a time.
  expect(requests.update).toBe(count);
  expect((requests.getMany ?? 0) + (requests.query ?? 0) + (requests.get ?? 0)).toBeLessThan(
    count / 20,
  );
}, 240_000);

test('a reason that is back stops the rest within a page', async () => {
  const { table, circuits, sent, run } = await reconciler();
  await hold(table, 3_000);

  await run(async () => {
    await circuits.open(new StopLane({ code: 'claude.billing', message: 'empty' }), heldMs);
  });

  expect(sent.length).toBeLessThanOrEqual(800);
  expect(sent.length).toBeGreaterThan(0);
});

test('documents of a lane that is still stopped stay, and do not keep the others', async () => {
  const { table, circuits, sent, run, time } = await reconciler();
  await hold(table, 2_000, (n) => (n % 3 === 0 ? 'claude.storage_full' : 'claude.billing'));
  const full = new StopLane({ code: 'claude.storage_full', message: 'full' });
  await time.run(circuits.open(full, heldMs));

  await run();

  const wanted = Array.from({ length: 2_000 }, (_, n) => n).filter((n) => n % 3 !== 0);
  expect(ids(sent)).toEqual(wanted.map(idOf));
});

test('the document that met the refusal comes last', async () => {
  const { table, circuits, sent, run, time } = await reconciler();
  await hold(table, 1_000);
  const empty = new StopLane({ code: 'claude.billing', message: 'empty' });
  await time.run(circuits.open(empty, heldMs, idOf(0), 'upload'));
  await time.run(circuits.probe('claude', 0));

  await run();

  expect(sent).toHaveLength(1_000);
  expect(ids(sent).at(-1)).toBe(idOf(0));
  expect(ids(sent).slice(0, 2)).toEqual([idOf(1), idOf(2)]);
});
