import { afterAll, afterEach, expect, test } from 'vitest';
import { createRenderer } from '../../shared/print/index.ts';
import { illustratedReport } from '../fixtures/documents.ts';
import { memoryLedger } from '../world/memory-dynamodb.ts';
import { staging, World } from '../world/world.ts';

const illustrated = await illustratedReport();
const renderer = createRenderer();

let world: World;
afterEach(() => world.close());
afterAll(() => renderer.close());

/** A world that prints with the real browser. */
async function begin(): Promise<void> {
  world = await World.create(memoryLedger());
  world.print = (input) => renderer.render({ ...input, timeoutMs: 60_000, renderer: 'chromium' });
}

/** Up to the point where the message to print waits. */
async function aboutToPrint(key: string): Promise<void> {
  world.deliver(world.drop(key, illustrated));
  await world.work({ only: ['intake'] });
}

async function drop(key: string): Promise<void> {
  world.deliver(world.drop(key, illustrated));
  await world.drain();
}

const made = () => ({
  uploads: world.calls('files.upload').length,
  paidCalls: world.calls('messages.create').length,
});

test('a docx with pictures dropped again unchanged makes no second upload and no second paid call', async () => {
  await begin();
  await drop('report.docx');
  const first = await world.record('report.docx');
  // The browser writes seconds: the second print must not fall in the second of the first.
  await renderer.close();

  await drop('report.docx');

  const second = await world.record('report.docx');
  expect(made()).toEqual({ uploads: 1, paidCalls: 1 });
  expect(second).toMatchObject({ status: 'ready', fileId: first?.fileId });
  expect(second?.order).not.toBe(first?.order);
});

test('a docx printed again because the first worker died after staging is staged once', async () => {
  await begin();
  await aboutToPrint('rehearsal.docx');
  const rehearsal = await world.work({ only: ['render'] });
  const call = rehearsal?.calls.indexOf('objects.putFile') ?? -1;
  await world.drain();
  await aboutToPrint('report.docx');

  const life = await world.work({ only: ['render'], kill: { call, when: 'after' } });
  await renderer.close();
  await world.drain();

  expect(life?.dead).toBe(true);
  const record = await world.record('report.docx');
  expect(record?.status).toBe('ready');
  const staged = await world.buckets.list(staging, { prefix: `staged/${record?.documentId}/` });
  expect(staged.objects).toHaveLength(1);
});

test('one docx under two names is printed to one content', async () => {
  await begin();

  await drop('report.docx');
  await drop('copy.docx');

  const [report, copy] = await Promise.all(
    ['report.docx', 'copy.docx'].map((key) => world.record(key)),
  );
  expect(copy?.contentSha256).toBe(report?.contentSha256);
  expect(copy?.fileId).toBe(report?.fileId);
  expect(made().uploads).toBe(1);
});
