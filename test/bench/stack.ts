import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { setTimeout as delay } from 'node:timers/promises';
import { PutObjectCommand, S3Client } from '@aws-sdk/client-s3';
import { type LocalStack, start } from '../../infra/local/stack.ts';

/**
 * Documents a second through the local stack, from the first drop to the last `ready`, at 100 and
 * 1,000 documents: `npm run bench -- stack [COUNT...]`. Each is a text of about 2 KB of its own; the
 * emulator, without limits, runs in a process of its own.
 * Goal: at least 20 a second, and the rate at 1,000 no less than 0.9 of that at 100.
 */
const counts = process.argv.slice(2).map(Number);

for (const count of counts.length > 0 ? counts : [100, 1_000]) {
  const { seconds, requests } = await measure(count);
  const perSecond = (count / seconds).toFixed(1);
  console.log(
    `${String(count).padStart(6)} documents  ${seconds.toFixed(1)} s  ${perSecond} documents/s  ${(requests / count).toFixed(1)} AWS requests a document`,
  );
}

async function measure(count: number): Promise<{ seconds: number; requests: number }> {
  const dataDir = mkdtempSync(join(tmpdir(), 'dropline-bench-'));
  const emulator = await startEmulatorProcess(join(dataDir, 'claude'));
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
    const requests = Object.values(await stack.counters()).reduce((sum, each) => sum + each, 0);
    return { seconds, requests };
  } finally {
    await stack.stop();
    emulator.stop();
    rmSync(dataDir, { recursive: true, force: true });
  }
}

async function startEmulatorProcess(data: string): Promise<{ url: string; stop: () => void }> {
  const main = new URL('../emulator/main.ts', import.meta.url).pathname;
  const options = ['--port', '0', '--data', data, '--files-per-minute', '0'];
  const limits = ['--messages-per-minute', '0', '--input-tokens-per-minute', '0'];
  const child = spawn(process.execPath, [main, ...options, ...limits], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const [line] = (await once(createInterface({ input: child.stdout }), 'line')) as [string];
  const url = /http:\/\/\S+/.exec(line)?.[0];
  if (!url) throw new Error(`the emulator said: ${line}`);
  return { url, stop: () => child.kill() };
}

/** Drops texts that differ, sixteen at a time. */
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
    (_, line) =>
      `Report ${index}, item ${line}: turbine ${index * 31 + line} ran ${line * 7} hours.`,
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
