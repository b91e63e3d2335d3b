import { eachAtOnce } from '../journey/each-at-once.ts';
import type { ReconcileTools } from './duty.ts';
import type { ReconcileReport } from './report.ts';

/**
 * The documents whose objects a sweep has seen, so that it asks S3 about the others only. A sweep may take several runs,
 * so what each page saw is stored in the results bucket until the sweep has used it. The set is a means to save requests:
 * a page that a crash lost costs a HEAD for each of its objects.
 */

const prefix = 'sweep/present/';

/** Characters of a documentId that are kept: 50 bits, as many as fit in a number. */
const keptCharacters = 10;

/** Requests to S3 that are under way at once. */
const requestsAtOnce = 20;

/** What a run knows. A dry run, which stores nothing, keeps all of it here. */
interface Memory {
  /** What a dry run has seen. */
  seen: number[];
  /** Everything that the sweep has seen, in ascending order. */
  all?: Float64Array;
}
const memories = new WeakMap<ReconcileReport, Memory>();

function memoryOf(report: ReconcileReport): Memory {
  const memory = memories.get(report) ?? { seen: [] };
  memories.set(report, memory);
  return memory;
}

/** Forgets what an earlier sweep has seen, or one that did not end. */
export async function forgetPresent(tools: ReconcileTools): Promise<void> {
  if (tools.dryRun) return;
  for (const key of await storedPages(tools)) {
    await tools.objects.delete({ bucket: tools.resultsBucket, key });
  }
}

/** Adds the documents of a page. The same page again replaces what it had. */
export async function addPresent(
  documentIds: readonly string[],
  tools: ReconcileTools,
  report: ReconcileReport,
): Promise<void> {
  const [first] = documentIds;
  if (!first) return;
  const short = documentIds.map((id) => id.slice(0, keptCharacters));
  if (tools.dryRun) {
    const { seen } = memoryOf(report);
    for (const id of short) seen.push(numberOf(id));
    return;
  }
  await tools.objects.putText(
    { bucket: tools.resultsBucket, key: prefix + first },
    short.join('\n'),
    'text/plain',
  );
}

/** A test whether the sweep has seen the object of a document. */
export async function presence(
  tools: ReconcileTools,
  report: ReconcileReport,
): Promise<(documentId: string) => boolean> {
  const memory = memoryOf(report);
  memory.all ??= Float64Array.from(tools.dryRun ? memory.seen : await stored(tools)).sort();
  const { all } = memory;
  return (documentId) => has(all, numberOf(documentId.slice(0, keptCharacters)));
}

async function stored(tools: ReconcileTools): Promise<number[]> {
  const ids: number[] = [];
  await eachAtOnce(await storedPages(tools), requestsAtOnce, async (key) => {
    const page = (await tools.objects.getText({ bucket: tools.resultsBucket, key })) ?? '';
    for (const id of page.split('\n')) if (id) ids.push(numberOf(id));
  });
  return ids;
}

async function storedPages({ objects, resultsBucket }: ReconcileTools): Promise<string[]> {
  const keys: string[] = [];
  for (;;) {
    const page = await objects.list(resultsBucket, { prefix, startAfter: keys.at(-1) });
    keys.push(...page.objects.map(({ key }) => key));
    if (!page.more) return keys;
  }
}

/** The value of a lower-case base32 number. */
function numberOf(base32: string): number {
  let value = 0;
  for (let at = 0; at < base32.length; at += 1) {
    const code = base32.charCodeAt(at);
    value = value * 32 + (code >= 97 ? code - 97 : code - 24);
  }
  return value;
}

function has(sorted: Float64Array, value: number): boolean {
  let low = 0;
  let high = sorted.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if ((sorted[middle] ?? 0) < value) low = middle + 1;
    else high = middle;
  }
  return sorted[low] === value;
}
