import fc from 'fast-check';
import { beforeEach, describe, expect, test } from 'vitest';
import { TokenBucket } from '../../infra/local/claude/rate.ts';
import { type RateLimits, readRateLimits } from '../../shared/claude/rate-limits.ts';
import { Defer } from '../../shared/journey/errors.ts';
import type { Table } from '../../shared/ledger/table.ts';
import { MessagesPace, type MessagesPaceOptions } from '../../shared/pace/messages-pace.ts';
import { memoryLedger } from '../world/memory-dynamodb.ts';
import { VirtualTime } from './virtual-time.ts';

let time: VirtualTime;
let table: Table;
/** Number of calls to the ledger. */
let asked: string[];

beforeEach(async () => {
  time = new VirtualTime();
  asked = [];
  table = counted(await memoryLedger().create(), asked);
});

function counted(inner: Table, calls: string[]): Table {
  return new Proxy(inner, {
    get(target, name) {
      const member = Reflect.get(target, name, target) as unknown;
      if (typeof member !== 'function') return member;
      return (...args: unknown[]) => {
        calls.push(String(name));
        return member.apply(target, args);
      };
    },
  });
}

const worker = (options: Partial<MessagesPaceOptions> = {}) =>
  new MessagesPace(table, { now: time.now, sleep: time.sleep, ...options });

const reply = (limits: Partial<RateLimits> = {}): RateLimits => ({
  api: 'messages',
  status: 200,
  ...limits,
});
const far = { limit: 1_000, remaining: 100 };

/** How long a turn takes, in milliseconds. */
async function waited(one: MessagesPace): Promise<number> {
  const began = time.now();
  await time.run(one.turn());
  return time.now() - began;
}

test('no reply stops messages for longer than 15 minutes', async () => {
  await fc.assert(
    fc.asyncProperty(fc.double({ min: 1, noNaN: true }), async (retryAfterMs) => {
      time = new VirtualTime();
      table = await memoryLedger().create();
      await worker().learn(reply({ status: 429, retryAfterMs }));

      const turn = await time.run(
        worker()
          .turn()
          .catch((error: unknown) => error),
      );

      if (turn instanceof Defer) expect(turn.delayMs).toBeLessThanOrEqual(900_000);
    }),
    { numRuns: 50 },
  );
});

describe('while no limit is near', () => {
  test('a turn comes at once and costs one read at a worker’s start', async () => {
    const one = worker();

    for (let n = 0; n < 3; n += 1) expect(await waited(one)).toBe(0);
    await one.learn(reply({ requests: far, tokens: far, inputTokens: far, outputTokens: far }));
    expect(await waited(one)).toBe(0);

    expect(asked).toEqual(['get']);
  });

  test('a worker without a reply for a minute reads the ledger again', async () => {
    const one = worker();
    await one.learn(reply({ requests: far }));

    await time.run(time.sleep(59_999));
    await waited(one);
    expect(asked).toEqual([]);

    await time.run(time.sleep(1));
    await waited(one);
    await waited(one);
    expect(asked).toEqual(['get']);
  });

  test.each([
    ['nothing about limits', {}],
    ['a limit of nought', { requests: { limit: 0, remaining: 0 } }],
    ['a limit without what remains', { tokens: { limit: 100 } }],
    ['what remains of no limit', { tokens: { remaining: 0 } }],
  ])('a reply that says %s changes nothing', async (_what, limits) => {
    const one = worker();
    await one.learn(reply(limits));

    expect(await waited(one)).toBe(0);
    expect(asked).toEqual([]);
  });
});

describe('when a limit is near', () => {
  test.each(['requests', 'tokens', 'inputTokens', 'outputTokens'] as const)(
    'every worker waits until a tenth of %s has refilled',
    async (name) => {
      const one = worker();
      const other = worker();

      await one.learn(reply({ [name]: { limit: 1_000, remaining: 40 } }));

      // 60 of 1,000 per minute are missing.
      expect(await waited(one)).toBe(3_600);
      expect(await waited(other)).toBeGreaterThan(0);
    },
  );

  test('the nearest limit decides', async () => {
    const one = worker();

    await one.learn(
      reply({
        requests: { limit: 1_000, remaining: 90 },
        inputTokens: { limit: 1_000, remaining: 0 },
        outputTokens: { limit: 1_000, remaining: 50 },
      }),
    );

    expect(await waited(one)).toBe(6_000);
  });

  test('no worker waits longer than until the limit is fully refilled', async () => {
    const one = worker();

    const tokens = { limit: 1_000, remaining: 0, resetAt: time.now() + 250 };
    await one.learn(reply({ tokens }));

    expect(await waited(one)).toBe(250);
  });

  test('a limit that was refilled before the reply arrived delays no worker', async () => {
    const one = worker();

    await one.learn(reply({ tokens: { limit: 1_000, remaining: 0, resetAt: time.now() - 1 } }));

    expect(await waited(one)).toBe(0);
    expect(asked).toEqual([]);
  });

  test('turns come one by one at the learned rate', async () => {
    const one = worker();

    await one.learn(reply({ requests: { limit: 600, remaining: 59 } }));

    expect(await waited(one)).toBe(100);
    expect(await waited(one)).toBeCloseTo(100 / 0.995, 2);
    expect(await waited(one)).toBeCloseTo(100 / 0.995, 2);
  });

  test('it stays near for another minute', async () => {
    const one = worker();
    await one.learn(reply({ requests: { limit: 600, remaining: 30 } }));

    await time.run(time.sleep(62_999));
    await waited(one);
    expect(asked.filter((call) => call === 'update').length).toBeGreaterThan(1);

    await time.run(time.sleep(1));
    asked.length = 0;
    await waited(one);
    expect(asked).not.toContain('update');
  });

  test('a worker that just started learns it', async () => {
    await worker().learn(reply({ tokens: { limit: 1_000, remaining: 0 } }));

    expect(await waited(worker())).toBe(6_000);
  });

  test('a worker that starts when the wait ends takes no slot', async () => {
    await table.put({ pk: 'PACE#messages', sk: 'PACE', tat: time.now() });
    asked.length = 0;

    expect(await waited(worker())).toBe(0);

    expect(asked).toEqual(['get']);
  });

  test('a worker whose turn is too far away defers its message', async () => {
    const one = worker({ maxWaitMs: 1_000 });

    await one.learn(reply({ tokens: { limit: 1_000, remaining: 0 } }));

    const thrown = await one.turn().catch((error: unknown) => error);
    expect(thrown).toBeInstanceOf(Defer);
    expect(thrown).toMatchObject({
      code: 'claude.paced',
      message: 'The next free slot of the messages rate limit is 7 s away.',
    });
    expect((thrown as Defer).delayMs).toBeGreaterThanOrEqual(6_000);
  });
});

describe('a reply that asks to wait', () => {
  test('delays every worker', async () => {
    const one = worker();

    await one.learn(reply({ status: 429, retryAfterMs: 4_000 }));

    expect(await waited(worker())).toBe(4_000);
  });

  test('counts only when it asks for longer than the limits do', async () => {
    const [one, two] = [worker(), worker()];
    await one.learn(reply({ retryAfterMs: 100, tokens: { limit: 1_000, remaining: 90 } }));
    expect(await waited(one)).toBe(600);

    await two.learn(reply({ retryAfterMs: 2_000, tokens: { limit: 1_000, remaining: 90 } }));
    expect(await waited(two)).toBe(2_000);
  });
});

/** An API that reports the limits of an organization in its headers. */
class Api {
  readonly #requests: TokenBucket;
  readonly #tokens: TokenBucket;
  readonly #now: () => number;
  served = 0;
  refused = 0;

  constructor(requests: number, tokens: number, now: () => number) {
    this.#requests = new TokenBucket(requests, requests, now);
    this.#tokens = new TokenBucket(tokens, tokens, now);
    this.#now = now;
  }

  call(tokens: number): RateLimits | undefined {
    const waitMs = Math.max(this.#requests.waitMs(1), this.#tokens.waitMs(tokens));
    if (waitMs === 0) {
      this.#requests.take(1);
      this.#tokens.take(tokens);
      this.served += 1;
    } else this.refused += 1;
    const headers = {
      ...this.#requests.headers('requests'),
      ...this.#tokens.headers('input-tokens'),
      ...(waitMs > 0 ? { 'retry-after': String(Math.ceil(waitMs / 1000)) } : {}),
    };
    const status = waitMs > 0 ? 429 : 200;
    return readRateLimits(headers, { api: 'messages', status, now: this.#now() });
  }
}

test('a fleet with a backlog is rarely rejected and wastes little of its limits', async () => {
  const organization = fc.record({
    requests: fc.integer({ min: 60, max: 600 }),
    tokens: fc.integer({ min: 100_000, max: 1_000_000 }),
    each: fc.integer({ min: 100, max: 2_000 }),
    workers: fc.integer({ min: 1, max: 10 }),
    callMs: fc.integer({ min: 200, max: 2_000 }),
  });

  await fc.assert(
    fc.asyncProperty(organization, async ({ requests, tokens, each, workers, callMs }) => {
      const ledger = await memoryLedger().create();
      const clock = new VirtualTime();
      const api = new Api(requests, tokens, clock.now);
      const end = clock.now() + 240_000;
      const fleet = Array.from({ length: workers }, async () => {
        const one = new MessagesPace(ledger, { now: clock.now, sleep: clock.sleep });
        while (clock.now() < end) {
          try {
            await one.turn();
          } catch (error) {
            if (!(error instanceof Defer)) throw error;
            await clock.sleep(error.delayMs);
            continue;
          }
          const limits = api.call(each);
          await clock.sleep(callMs);
          if (limits) await one.learn(limits);
        }
      });
      await clock.run(Promise.all(fleet));

      // What the limits or the workers themselves allow in four minutes, without the initially full
      // buckets.
      const possible = Math.min(4 * requests, (4 * tokens) / each, (workers * 240_000) / callMs);
      expect(api.served / possible).toBeGreaterThan(0.85);
      expect(api.refused).toBeLessThanOrEqual(Math.ceil(api.served * 0.02) + workers);
    }),
    { seed: 20261122, numRuns: 40 },
  );
});
