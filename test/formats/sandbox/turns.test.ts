import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { Turns } from '../../../shared/formats/sandbox/turns.ts';
import { Defer } from '../../../shared/journey/errors.ts';

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

/** What became of a wait so far. */
async function stateOf(wait: Promise<void>): Promise<string> {
  return Promise.race([
    wait.then(
      () => 'has a place',
      (error: unknown) => (error instanceof Defer ? error.code : 'failed'),
    ),
    Promise.resolve()
      .then(() => undefined)
      .then(() => undefined)
      .then(() => 'waits'),
  ]);
}

test('places are handed on in the order in which they were asked for', async () => {
  const turns = new Turns(1);
  await turns.take();
  const waits = [turns.take(), turns.take()] as const;

  turns.give();

  expect(await stateOf(waits[0])).toBe('has a place');
  expect(await stateOf(waits[1])).toBe('waits');
});

test('a place handed on is not given to a newcomer', async () => {
  const turns = new Turns(1);
  await turns.take();
  const first = turns.take();

  turns.give();
  const newcomer = turns.take();

  expect(await stateOf(first)).toBe('has a place');
  expect(await stateOf(newcomer)).toBe('waits');
});

test('one who waits longer than the patience is turned away, and the others keep their places', async () => {
  const turns = new Turns(1, 5_000);
  await turns.take();
  const early = turns.take();
  const turnedAway = expect(early).rejects.toMatchObject({
    code: 'normalize.busy',
    delayMs: 1_000,
  });
  await vi.advanceTimersByTimeAsync(3_000);
  const late = turns.take();
  await vi.advanceTimersByTimeAsync(2_000);
  await turnedAway;

  turns.give();

  expect(await stateOf(late)).toBe('has a place');
  await vi.advanceTimersByTimeAsync(60_000);
});

test('without a limit everybody waits', async () => {
  const turns = new Turns(1);
  await turns.take();
  const wait = turns.take();

  await vi.advanceTimersByTimeAsync(3_600_000);

  expect(await stateOf(wait)).toBe('waits');
});
