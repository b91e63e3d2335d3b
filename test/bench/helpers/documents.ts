import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { PutObjectCommand, S3Client } from '@aws-sdk/client-s3';
import { type LocalStack, start } from '../../../infra/local/stack.ts';
import { startEmulatorProcess, unlimited } from './emulator-process.ts';

/** A local stack with a stand-in for Claude in a process of its own. */
export interface BenchStack {
  stack: LocalStack;
  claudeUrl: string;
}

/** Runs `work` with a stack of its own, without any limits of pace, and removes it. */
export async function withStack<Result>(
  options: { countsCapacity?: boolean },
  work: (bench: BenchStack) => Promise<Result>,
): Promise<Result> {
  const dataDir = mkdtempSync(join(tmpdir(), 'dropline-bench-'));
  const emulator = await startEmulatorProcess(['--data', join(dataDir, 'claude'), ...unlimited]);
  const stack = await start({
    dataDir,
    environment: { CLAUDE_BASE_URL: emulator.url, CLAUDE_FILES_PER_MINUTE: '600000' },
    secret: () => 'bench',
    ...options,
  });
  try {
    return await work({ stack, claudeUrl: emulator.url });
  } finally {
    await stack.stop();
    emulator.stop();
    rmSync(dataDir, { recursive: true, force: true });
  }
}

/**
 * Drops `count` texts, sixteen at a time, and waits until all are summarised
 * and every queue is empty.
 * @param folder first part of the keys, and part of the texts; a new one for each call
 * @param bodyOf the text of a document; about 2 KB, all different, by default
 * @returns the seconds from the first drop to the last message deleted
 */
export async function dropAndDrain(
  { stack }: BenchStack,
  folder: string,
  count: number,
  bodyOf: (folder: string, index: number) => string = textOf,
): Promise<number> {
  const finished = () =>
    stack.tallies().find(({ name }) => name.includes('summarize'))?.finished ?? 0;
  const before = finished();
  const began = performance.now();
  const s3 = new S3Client(stack.client('s3'));
  const Bucket = stack.outputs.InboxBucket;
  let next = 0;
  const worker = async () => {
    for (let index = next++; index < count; index = next++) {
      const Body = bodyOf(folder, index);
      await s3.send(new PutObjectCommand({ Bucket, Key: `${folder}/${index}.txt`, Body }));
    }
  };
  await Promise.all(Array.from({ length: 16 }, worker));
  s3.destroy();
  for (;;) {
    const left = stack
      .tallies()
      .reduce((sum, one) => sum + one.visible + one.inFlight + one.delayed, 0);
    if (left === 0 && finished() - before >= count) break;
    await delay(50);
  }
  return (performance.now() - began) / 1000;
}

/** A text of about 2 KB that no other folder or index has. */
export function textOf(folder: string, index: number): string {
  const lines = Array.from(
    { length: 30 },
    (_, line) =>
      `Report ${folder} ${index}, item ${line}: turbine ${index * 31 + line} ran ${line * 7} h.`,
  );
  return lines.join('\n');
}
