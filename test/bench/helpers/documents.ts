import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { PutObjectCommand, S3Client } from '@aws-sdk/client-s3';
import { type LocalStack, start } from '../../../infra/local/stack.ts';
import { startEmulatorProcess, unlimited } from './emulator-process.ts';

/** Measurements of a run of documents through the local stack. */
export interface DocumentRun {
  /** From the first drop to the last finished message. */
  seconds: number;
  /** AWS requests by service and operation, including the drops. */
  requests: Record<string, number>;
  /** The stack, still running. */
  stack: LocalStack;
}

/**
 * Drops `count` different texts of about 2 KB, sixteen at a time, and waits until all are summarised and every
 * queue is empty.
 * @param look called before the stack is stopped
 */
export async function runDocuments<Result>(
  count: number,
  look: (run: DocumentRun) => Promise<Result>,
): Promise<Result> {
  const dataDir = mkdtempSync(join(tmpdir(), 'dropline-bench-'));
  const emulator = await startEmulatorProcess(['--data', join(dataDir, 'claude'), ...unlimited]);
  const stack = await start({
    dataDir,
    environment: { CLAUDE_BASE_URL: emulator.url, CLAUDE_FILES_PER_MINUTE: '600000' },
    secret: () => 'bench',
  });
  try {
    await stack.resetCounters();
    const began = performance.now();
    await drop(stack, count);
    await drained(stack, count);
    const seconds = (performance.now() - began) / 1000;
    return await look({ seconds, requests: await stack.counters(), stack });
  } finally {
    await stack.stop();
    emulator.stop();
    rmSync(dataDir, { recursive: true, force: true });
  }
}

async function drop(stack: LocalStack, count: number): Promise<void> {
  const s3 = new S3Client(stack.client('s3'));
  const Bucket = stack.outputs.InboxBucket;
  let next = 0;
  const worker = async () => {
    for (let index = next++; index < count; index = next++) {
      await s3.send(new PutObjectCommand({ Bucket, Key: `bench/${index}.txt`, Body: text(index) }));
    }
  };
  await Promise.all(Array.from({ length: 16 }, worker));
  s3.destroy();
}

function text(index: number): string {
  const lines = Array.from(
    { length: 30 },
    (_, line) => `Report ${index}, item ${line}: turbine ${index * 31 + line} ran ${line * 7} h.`,
  );
  return lines.join('\n');
}

/** Waits until the last step has finished `count` messages and nothing is left in any queue. */
async function drained(stack: LocalStack, count: number): Promise<void> {
  for (;;) {
    const tallies = stack.tallies();
    const left = tallies.reduce((sum, one) => sum + one.visible + one.inFlight + one.delayed, 0);
    const summarized = tallies.find(({ name }) => name.includes('summarize'))?.finished ?? 0;
    if (left === 0 && summarized >= count) return;
    await delay(50);
  }
}
