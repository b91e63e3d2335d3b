import { expect, test } from 'vitest';
import { eachAtOnce } from '../../shared/journey/each-at-once.ts';

test('works on every item, on no more at once than the limit', async () => {
  const done: number[] = [];
  let running = 0;
  let most = 0;

  await eachAtOnce([1, 2, 3, 4, 5, 6, 7], 3, async (item) => {
    running += 1;
    most = Math.max(most, running);
    await Promise.resolve();
    running -= 1;
    done.push(item);
  });

  expect(done.sort()).toEqual([1, 2, 3, 4, 5, 6, 7]);
  expect(most).toBe(3);
});

test('after a failure begins no more, and throws it when nothing is under way', async () => {
  const slow = Promise.withResolvers<void>();
  const begun: number[] = [];
  let slowEnded = false;
  const working = eachAtOnce([1, 2, 3, 4], 2, async (item) => {
    begun.push(item);
    if (item === 1) throw new Error('no');
    await slow.promise;
    slowEnded = true;
  });
  const failed = expect(working).rejects.toThrow('no');

  slow.resolve();
  await failed;

  expect(begun).toEqual([1, 2]);
  expect(slowEnded).toBe(true);
});
