import { runDocuments } from './helpers/documents.ts';

/**
 * Documents per second on the local stack, from the first drop to the last `ready`, at 100 and 1,000 documents:
 * `npm run bench -- stack [COUNT...]`. Goal: at least 20 per second, and the rate at 1,000 at least 0.9 of that at
 * 100. Cold starts of all functions are included.
 */
const counts = process.argv.slice(2).map(Number);

for (const count of counts.length > 0 ? counts : [100, 1_000]) {
  const seconds = await runDocuments(count, async (run) => run.seconds);
  const perSecond = (count / seconds).toFixed(1);
  console.log(`${count} documents: ${seconds.toFixed(1)} s, ${perSecond} documents/s`);
}
