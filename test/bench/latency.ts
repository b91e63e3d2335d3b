import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import Anthropic, { toFile } from '@anthropic-ai/sdk';
import { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { PutObjectCommand, S3Client } from '@aws-sdk/client-s3';
import { DroplineReader } from '../../shared/client/index.ts';
import { defaultProfile } from '../../shared/config/config.ts';
import { summaryRequest } from '../../shared/summary/prompt.ts';
import { type BenchStack, dropAndDrain, textOf, withStack } from './helpers/documents.ts';

/**
 * Milliseconds from one drop to its `ready` record on a warm stack, one document after the other, in turns with a
 * bare script: the official SDK reads a file of the same size, uploads it and asks the same question of the same
 * stand-in for Claude: `npm run bench -- latency [COUNT]`, 100 by default. Goals: a median of at most 88 ms and
 * a 95th percentile of at most 123 ms on an idle machine with 2 cores.
 */
const count = Number(process.argv[2] ?? 100);
const pollMs = 2;

await withStack({}, async (bench) => {
  const folder = mkdtempSync(join(tmpdir(), 'dropline-latency-'));
  const dropline = pipeline(bench);
  const bare = script(bench, folder);
  // Starts every function, and lets both sides compile what they run.
  await dropAndDrain(bench, 'first', 50);
  for (let index = 0; index < 10; index += 1) await bare.once('first', index);

  const times = { dropline: [] as number[], bare: [] as number[] };
  for (let index = 0; index < count; index += 1) {
    times.dropline.push(await timed(() => dropline.once('dropline', index)));
    times.bare.push(await timed(() => bare.once('bare', index)));
  }

  console.log(`${count} documents each, one after the other`);
  print('Dropline, drop to ready', times.dropline);
  print('bare SDK, read to answer', times.bare);
  dropline.close();
  rmSync(folder, { recursive: true });
});

/** Drops a text and waits for its record. */
function pipeline({ stack }: BenchStack) {
  const s3 = new S3Client(stack.client('s3'));
  const client = new DynamoDBClient(stack.client('dynamodb'));
  const reader = new DroplineReader({ table: stack.outputs.LedgerTable ?? '', client });
  const Bucket = stack.outputs.InboxBucket ?? '';
  return {
    async once(name: string, index: number): Promise<void> {
      const Key = `${name}/${index}.txt`;
      await s3.send(new PutObjectCommand({ Bucket, Key, Body: textOf(name, index) }));
      for (;;) {
        const record = await reader.get(Bucket, Key);
        if (record?.status === 'ready') return;
        if (record?.error) throw new Error(`${Key}: ${record.error.message}`);
        await delay(pollMs);
      }
    },
    close(): void {
      s3.destroy();
      client.destroy();
    },
  };
}

/** Does the same with nothing but the SDK. */
function script({ claudeUrl }: BenchStack, folder: string) {
  const client = new Anthropic({ baseURL: claudeUrl, apiKey: 'bench' });
  const profile = defaultProfile('claude-haiku-5-5');
  return {
    async once(name: string, index: number): Promise<void> {
      const key = `${name}-${index}.txt`;
      const path = join(folder, key);
      writeFileSync(path, textOf(name, index));
      const file = await client.files.upload({
        file: await toFile(await readFile(path), key, { type: 'text/plain' }),
      });
      const request = summaryRequest({ block: 'document', fileId: file.id, key }, profile);
      await client.messages.create(request);
    },
  };
}

async function timed(work: () => Promise<void>): Promise<number> {
  const began = performance.now();
  await work();
  return performance.now() - began;
}

function print(name: string, times: number[]): void {
  const sorted = times.toSorted((a, b) => a - b);
  const at = (share: number) => (sorted[Math.ceil(sorted.length * share) - 1] ?? 0).toFixed(0);
  console.log(`${name}: median ${at(0.5)} ms, 95th percentile ${at(0.95)} ms`);
}
