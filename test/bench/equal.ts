import { dropAndDrain, textOf, withStack } from './helpers/documents.ts';

/**
 * Many documents with the same bytes, on the local stack: `npm run bench -- equal [COUNT...]`. One upload and one paid
 * call carry all of them; requests and time per document do not grow with their number. Fails otherwise.
 */
const counts = process.argv.slice(2).map(Number);

for (const count of counts.length > 0 ? counts : [1_000, 10_000]) {
  await withStack({}, async (bench) => {
    await dropAndDrain(bench, 'first', 30);
    await bench.stack.resetCounters();
    const before = await callsOf(bench.claudeUrl);
    const same = textOf('equal', 0);
    const seconds = await dropAndDrain(bench, 'equal', count, () => same);
    const after = await callsOf(bench.claudeUrl);

    const requests = Object.values(await bench.stack.counters()).reduce((sum, one) => sum + one, 0);
    const uploads = after.uploads - before.uploads;
    const paid = after.paid - before.paid;
    console.log(
      `${count} equal documents: ${uploads} upload, ${paid} paid call, ${seconds.toFixed(1)} s, ` +
        `${(count / seconds).toFixed(1)} documents/s, ${(requests / count).toFixed(1)} AWS requests a document`,
    );
    if (uploads !== 1 || paid !== 1) process.exitCode = 1;
  });
}

async function callsOf(claudeUrl: string): Promise<{ uploads: number; paid: number }> {
  return {
    uploads: await count(claudeUrl, 'files.upload'),
    paid: await count(claudeUrl, 'messages.create'),
  };
}

async function count(claudeUrl: string, operation: string): Promise<number> {
  const url = `${claudeUrl}/_emulator/journal?operation=${operation}`;
  const { entries } = (await (await fetch(url)).json()) as { entries: unknown[] };
  return entries.length;
}
