import { setTimeout as delay } from 'node:timers/promises';
import Anthropic from '@anthropic-ai/sdk';
import { ClaudeClient } from '../../shared/claude/client.ts';
import type { Table } from '../../shared/ledger/table.ts';
import { Pace } from '../../shared/pace/pace.ts';
import { startLedgerServer } from '../world/ledger.ts';
import { startEmulatorProcess, unlimited } from './helpers/emulator-process.ts';

/**
 * A backlog of 300 uploads against a limit of 600 per minute (token bucket, burst 10) with 1, 4, 16 and 64 workers:
 * ours with one shared pace in the ledger, against as many with the official SDK and its own retries.
 * `npm run bench -- pace [WORKERS...]`. Goal: at least 97 % of the limit used, no 429 and no failed upload, at
 * every number of workers.
 */
const uploads = 300;
const perMinute = 600;
const burst = 10;
const given = process.argv.slice(2).map(Number);

/** Uploads the nth file; throws when it gives up. */
type Upload = (index: number) => Promise<void>;

const ledger = await startLedgerServer();
console.log('workers  client    seconds  limit used   429s  failed');
for (const workers of given.length > 0 ? given : [1, 4, 16, 64]) {
  const table = await ledger.create();
  await measure(workers, 'Dropline', (url) => dropline(url, table));
  await measure(workers, 'SDK', sdk);
}
ledger.close();

async function measure(
  workers: number,
  name: string,
  worker: (url: string) => Upload,
): Promise<void> {
  const limits = ['--files-per-minute', String(perMinute), '--files-burst', String(burst)];
  const emulator = await startEmulatorProcess([...unlimited, ...limits]);
  let next = 0;
  let failed = 0;
  const began = performance.now();
  const work = async () => {
    const upload = worker(emulator.url);
    for (let index = next++; index < uploads; index = next++) {
      await upload(index).catch(() => {
        failed += 1;
      });
    }
  };
  await Promise.all(Array.from({ length: workers }, work));
  const seconds = (performance.now() - began) / 1000;
  const refused = await refusals(emulator.url);
  emulator.stop();

  // The burst is available at once; the other uploads have to wait for their slots.
  const possible = (perMinute / 60) * seconds + burst;
  const used = (100 * (uploads - failed)) / possible;
  console.log(
    `${String(workers).padStart(7)}  ${name.padEnd(8)}  ${seconds.toFixed(1).padStart(7)}  ${used.toFixed(1).padStart(8)} %  ${String(refused).padStart(5)}  ${String(failed).padStart(6)}`,
  );
}

async function refusals(url: string): Promise<number> {
  const reply = await fetch(`${url}/_emulator/journal?operation=files.upload&status=429`);
  const { entries } = (await reply.json()) as { entries: unknown[] };
  return entries.length;
}

function dropline(url: string, table: Table): Upload {
  const sleep = (ms: number, signal?: AbortSignal) =>
    delay(ms, undefined, signal ? { signal } : {}).then(() => undefined);
  const pace = new Pace(table, { api: 'files', perMinute, now: Date.now, sleep });
  const claude = new ClaudeClient({
    baseUrl: url,
    apiKey: 'bench',
    dialect: 'ga',
    admit: () => pace.turn(),
  });
  return async (index) => {
    const body = Buffer.from(`file ${index}`);
    await claude.uploadFile({
      filename: `${index}.txt`,
      mimeType: 'text/plain',
      sizeBytes: body.length,
      body: (async function* () {
        yield body;
      })(),
    });
  };
}

function sdk(url: string): Upload {
  const client = new Anthropic({ apiKey: 'bench', baseURL: url });
  return async (index) => {
    const file = new File([`file ${index}`], `${index}.txt`, { type: 'text/plain' });
    await client.files.upload({ file });
  };
}
