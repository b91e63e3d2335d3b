import { readdirSync, readFileSync, statSync } from 'node:fs';
import { join, relative, resolve } from 'node:path';
import Anthropic from '@anthropic-ai/sdk';
import { costUsd } from '../../shared/claude/prices.ts';
import { type DocumentRecord, toDocumentRecord } from '../../shared/client/index.ts';
import { defaultModel, defaultProfile } from '../../shared/config/config.ts';
import { summaryRequest } from '../../shared/summary/prompt.ts';
import { memoryLedger } from '../world/memory-dynamodb.ts';
import { World } from '../world/world.ts';
import { textOf } from './helpers/documents.ts';

/**
 * What answers cost: calls, tokens and USD a document, asked at once and in Message Batches, beside one plain call about the
 * same remote file; and the milliseconds that our code adds around a call. In one process, over an in-memory ledger and the
 * stand-in for Claude, whose tokens are estimates: `npm run bench -- answers [FOLDER]`, by default the samples. Goals: a
 * batch costs half, and the median of what is added is under 15 ms.
 */
const folder = resolve(process.argv[2] ?? 'infra/local/samples');
const summarized = 200;

const files = readdirSync(folder, { recursive: true, encoding: 'utf8' })
  .map((path) => join(folder, path))
  .filter((path) => statSync(path).isFile());

interface Sum {
  documents: number;
  calls: number;
  input: number;
  output: number;
  usd: number;
}

const now = await pipeline('now');
const batch = await pipeline('batch');
console.log('                      documents   calls      input     output        USD  USD each');
print('Dropline, at once', now.sum);
print('Dropline, in batches', batch.sum);
print('one plain call each', now.plain);
for (const [status, count] of now.others) console.log(`not asked: ${count} ${status}`);
const share = batch.sum.usd / now.sum.usd;
console.log(`a batch costs ${(share * 100).toFixed(1)} % of what calls cost`);
await overhead();
if (Math.abs(share - 0.5) > 0.005) process.exitCode = 1;

/** Everything in the folder, through the pipeline; and each remote file asked about by one call without any of our settings. */
async function pipeline(mode: 'now' | 'batch') {
  const config = JSON.stringify({ profiles: [{ prefix: '', mode, maxUsdPerDocument: 1_000 }] });
  const world = await World.create(memoryLedger(), { config });
  for (const path of files) {
    world.deliver(world.drop(relative(folder, path), readFileSync(path)));
    await world.drain();
  }
  const items = await world.items();
  const records = items.filter(({ sk }) => sk === 'DOC').map(toDocumentRecord);
  const ready = records.filter(({ status, summary }) => status === 'ready' && summary);
  const sum = nothing();
  for (const { usage } of ready) {
    add(sum, usage?.calls, usage?.inputTokens, usage?.outputTokens, usage?.costUsd);
  }
  const others = Map.groupBy(
    records.filter((record) => !ready.includes(record)),
    ({ status, error }) => (error ? error.code : status),
  );
  const plain = mode === 'now' ? await plainCalls(world, ready) : nothing();
  await world.close();
  return { sum, plain, others: [...others].map(([code, list]) => [code, list.length] as const) };
}

/** One call about the file of each record, as a first script would make it. */
async function plainCalls(world: World, records: readonly DocumentRecord[]): Promise<Sum> {
  const client = new Anthropic({ baseURL: world.emulator.url, apiKey: 'bench', maxRetries: 0 });
  const sum = nothing();
  for (const { fileId = '', block } of records) {
    const source = { type: 'file' as const, file_id: fileId };
    const { usage, model } = await client.messages.create({
      model: defaultModel,
      max_tokens: 16_384,
      messages: [
        {
          role: 'user',
          content: [
            block === 'image'
              ? { type: 'image', source }
              : { type: 'document', source, citations: { enabled: true } },
            { type: 'text', text: 'Summarise this document, with its key points.' },
          ],
        },
      ],
    });
    add(sum, 1, usage.input_tokens, usage.output_tokens, costUsd(usage, model));
  }
  return sum;
}

/** The time of the summarize step in turns with the bare client's call of the same request. */
async function overhead(): Promise<void> {
  const world = await World.create(memoryLedger());
  const client = new Anthropic({ baseURL: world.emulator.url, apiKey: 'bench', maxRetries: 0 });
  const profile = defaultProfile(defaultModel);
  const times = { ours: [] as number[], bare: [] as number[] };
  for (let index = 0; index < summarized; index += 1) {
    const key = `${index}.txt`;
    world.deliver(world.drop(key, textOf('answers', index)));
    await world.work({ only: ['intake'] });
    await world.work({ only: ['upload'] });
    const document = await world.record(key);
    times.ours.push(await timed(() => world.work({ only: ['summarize'] })));
    const fileId = document?.fileId ?? '';
    const request = summaryRequest({ block: 'document', fileId, key }, profile);
    times.bare.push(await timed(() => client.messages.create(request)));
  }
  await world.close();
  const [ours, bare] = [median(times.ours), median(times.bare)];
  console.log(
    `summarize ${ours.toFixed(1)} ms, the bare call ${bare.toFixed(1)} ms: ${(ours - bare).toFixed(1)} ms added (goal 15)`,
  );
}

async function timed(work: () => Promise<unknown>): Promise<number> {
  const began = performance.now();
  await work();
  return performance.now() - began;
}

function median(times: number[]): number {
  return times.toSorted((a, b) => a - b)[Math.floor(times.length / 2)] ?? 0;
}

function nothing(): Sum {
  return { documents: 0, calls: 0, input: 0, output: 0, usd: 0 };
}

function add(sum: Sum, calls = 0, input = 0, output = 0, usd = 0): void {
  sum.documents += 1;
  sum.calls += calls;
  sum.input += input;
  sum.output += output;
  sum.usd += usd;
}

function print(name: string, { documents, calls, input, output, usd }: Sum): void {
  const row = [documents, calls, input, output].map((one) => String(one).padStart(10)).join('');
  const each = documents > 0 ? usd / documents : 0;
  console.log(
    `${name.padEnd(21)}${row}${usd.toFixed(6).padStart(11)}${each.toFixed(6).padStart(10)}`,
  );
}
