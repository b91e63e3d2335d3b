/**
 * The longest wait that anybody may ask of us, in milliseconds. A `retry-after` of a year, from a proxy or a
 * slip, must not stop the fleet; and SQS delays a message by at most 15 minutes. Whoever waited asks again.
 */
export const longestWaitMs = 15 * 60_000;

/**
 * How long to wait after a failed attempt, in milliseconds: 2, 10, 50, then 250 and at most 300 seconds, less
 * up to half. The first retry comes soon, because most failures pass at once; five attempts span a few minutes,
 * for those that do not.
 * @param attempts failed attempts so far, from 1
 * @param random a number from 0 to below 1, for jitter
 */
export function backoffMs(attempts: number, random: () => number): number {
  return lessUpToHalf(Math.min(2 * 5 ** (attempts - 1), 300) * 1_000, random);
}

/**
 * How long a document waits for an API that is down, in milliseconds: 2ⁿ seconds, at most `longestMs`, less up
 * to half.
 * @param times how many times in a row the API was down, from 1
 */
export function outageWaitMs(
  times: number,
  random: () => number,
  longestMs: number = 300_000,
): number {
  return lessUpToHalf(Math.min(2 ** times * 1_000, longestMs), random);
}

/**
 * How long a message waits after AWS throttled a request for it, in milliseconds: a minute less up to half. The SDK has
 * retried for some seconds by then; the spread keeps messages that were throttled together from returning together.
 */
export const throttledWaitMs = (random: () => number): number => lessUpToHalf(60_000, random);

const lessUpToHalf = (ms: number, random: () => number): number => ms / 2 + (ms / 2) * random();
