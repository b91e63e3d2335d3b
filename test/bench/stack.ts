import { dropAndDrain, withStack } from './helpers/documents.ts';

/**
 * Documents a second through the local stack, from the first drop until all queues are empty:
 * `npm run bench -- stack [COUNT...]`. Each count has a stack of its own and runs there twice: cold, with the
 * starts of all functions, and warm. Goals, warm: 30 a second at 100 documents, 60 at 1,000 and at 3,000.
 */
const counts = process.argv.slice(2).map(Number);

for (const count of counts.length > 0 ? counts : [100, 1_000, 3_000]) {
  await withStack({}, async (bench) => {
    for (const state of ['cold', 'warm']) {
      const seconds = await dropAndDrain(bench, state, count);
      const perSecond = (count / seconds).toFixed(1);
      console.log(
        `${count} documents, ${state}: ${seconds.toFixed(1)} s, ${perSecond} documents/s`,
      );
    }
  });
}
