import { afterEach, describe, expect, it } from 'vitest';
import { type Clock, ScheduleRunner } from '../../infra/local/schedule/runner.ts';
import { start } from '../../infra/local/stack.ts';
import { openState } from '../../infra/local/state/database.ts';
import { UnsupportedTemplate } from '../../infra/local/template/intrinsics.ts';
import { ratePeriodMs } from '../../infra/local/template/rate.ts';
import {
  assemblyOf,
  clientsOf,
  plainQueue,
  queueUrl,
  receive,
  sendSource,
  temporaryDir,
  values,
} from './support.ts';

const cleanups: (() => Promise<unknown> | unknown)[] = [];

afterEach(async () => {
  for (const cleanup of cleanups.splice(0).reverse()) await cleanup();
});

/** A clock that a test moves; it runs the timers that come due on the way. */
function handClock(start: string) {
  let now = Date.parse(start);
  let timers: { at: number; run: () => void }[] = [];
  const clock: Clock = {
    now: () => now,
    after: (ms, run) => {
      const timer = { at: now + ms, run };
      timers.push(timer);
      return () => {
        timers = timers.filter((other) => other !== timer);
      };
    },
  };
  const moveTo = (time: string) => {
    for (;;) {
      const [next] = timers.filter(({ at }) => at <= Date.parse(time)).sort((a, b) => a.at - b.at);
      if (!next) break;
      timers = timers.filter((other) => other !== next);
      now = next.at;
      next.run();
    }
    now = Date.parse(time);
  };
  return { clock, moveTo };
}

describe('rate expressions', () => {
  it.each([
    ['rate(1 minute)', 60_000],
    ['rate(15 minutes)', 900_000],
    ['rate(2 hours)', 7_200_000],
    ['rate(7 days)', 604_800_000],
  ])('%s is a period of %i ms', (expression, periodMs) => {
    expect(ratePeriodMs(expression)).toBe(periodMs);
  });

  it.each(['rate(0 minutes)', 'rate(5 weeks)', 'cron(0 6 * * ? *)', 'at(2026-01-01T00:00:00)', ''])(
    'refuses "%s"',
    (expression) => {
      expect(() => ratePeriodMs(expression)).toThrow(UnsupportedTemplate);
    },
  );
});

describe('a schedule on one machine', () => {
  const setUp = (dir: string, clock: Clock, fired: string[]) => {
    const state = openState(dir);
    const runner = new ScheduleRunner({
      settings: { id: 'nightly', arn: 'arn:aws:events:rule/nightly', periodMs: 3_600_000 },
      state,
      clock,
      region: 'us-east-1',
      account: '000000000000',
      fire: (event) => fired.push((event as { time: string }).time),
    });
    runner.start();
    return () => {
      runner.stop();
      state.close();
    };
  };

  it('fires once per period, and once at the start for all that was due while it was off', () => {
    const dir = temporaryDir();
    cleanups.push(dir.remove);
    const { clock, moveTo } = handClock('2026-03-01T00:00:00Z');
    const fired: string[] = [];

    const stop = setUp(dir.path, clock, fired);
    moveTo('2026-03-01T02:30:00Z');
    stop();
    moveTo('2026-03-01T09:10:00Z');
    const stopAgain = setUp(dir.path, clock, fired);
    moveTo('2026-03-01T10:15:00Z');
    stopAgain();

    expect(fired).toEqual([
      '2026-03-01T01:00:00Z',
      '2026-03-01T02:00:00Z',
      '2026-03-01T09:10:00Z',
      '2026-03-01T10:10:00Z',
    ]);
  });

  it('invokes the function of a rule with a scheduled event', async () => {
    const dir = temporaryDir();
    cleanups.push(dir.remove);
    const { clock, moveTo } = handClock('2026-03-01T00:00:00Z');
    const stack = await start({
      dataDir: `${dir.path}/data`,
      clock,
      assembly: assemblyOf(
        dir.path,
        {
          Results: plainQueue,
          Rule: {
            Type: 'AWS::Events::Rule',
            Properties: {
              ScheduleExpression: 'rate(15 minutes)',
              State: 'ENABLED',
              Targets: [{ Id: 'Target0', Arn: { 'Fn::GetAtt': ['Fn', 'Arn'] } }],
            },
          },
        },
        {
          Fn: {
            source: `${sendSource} export const handler = send;`,
            variables: { RESULTS: { Ref: 'Results' } },
          },
        },
      ),
    });
    cleanups.push(() => stack.stop());

    moveTo('2026-03-01T00:15:00Z');

    const { sqs } = clientsOf(stack);
    const [event] = values(await receive(sqs, queueUrl(stack, 'Results'), 1));
    expect(event).toMatchObject({
      'detail-type': 'Scheduled Event',
      source: 'aws.events',
      time: '2026-03-01T00:15:00Z',
      resources: ['arn:aws:events:us-east-1:000000000000:rule/rule'],
    });
  });
});
