import { afterEach, describe, expect, it } from 'vitest';
import { parseSchedule } from '../../infra/local/schedule/expression.ts';
import { type Clock, ScheduleRunner } from '../../infra/local/schedule/runner.ts';
import { start } from '../../infra/local/stack.ts';
import { openState } from '../../infra/local/state/database.ts';
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

/** A clock that moves when it is told to, and calls what has come due on its way. */
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

describe('schedule expressions', () => {
  it.each([
    ['rate(1 minute)', '2026-03-01T10:00:30Z', '2026-03-01T10:01:30.000Z'],
    ['rate(2 hours)', '2026-03-01T10:00:00Z', '2026-03-01T12:00:00.000Z'],
    ['rate(7 days)', '2026-03-01T10:00:00Z', '2026-03-08T10:00:00.000Z'],
    ['cron(0 6 * * ? *)', '2026-03-01T06:00:00Z', '2026-03-02T06:00:00.000Z'],
    ['cron(0/15 * * * ? *)', '2026-03-01T10:46:00Z', '2026-03-01T11:00:00.000Z'],
    ['cron(30 9 ? * MON-FRI *)', '2026-03-06T09:30:00Z', '2026-03-09T09:30:00.000Z'],
    ['cron(0 0 1 1,7 ? *)', '2026-03-01T00:00:00Z', '2026-07-01T00:00:00.000Z'],
    ['cron(0 12 29 2 ? *)', '2026-03-01T00:00:00Z', '2028-02-29T12:00:00.000Z'],
    ['cron(5,10 8-9 ? * 1 2027)', '2026-03-01T00:00:00Z', '2027-01-03T08:05:00.000Z'],
  ])('fires %s next after %s at %s', (expression, after, expected) => {
    expect(parseSchedule(expression)(new Date(after)).toISOString()).toBe(expected);
  });

  it.each([
    'rate(0 minutes)',
    'rate(5 weeks)',
    'cron(* * * *)',
    'cron(61 * * * ? *)',
    'cron(0 0 L * ? *)',
    'at(2026-01-01T00:00:00)',
    '',
  ])('refuses "%s"', (expression) => {
    expect(() => parseSchedule(expression)).toThrow(/schedule|rate/);
  });
});

describe('a schedule on one machine', () => {
  const setUp = (dir: string, clock: Clock, fired: string[]) => {
    const state = openState(dir);
    const runner = new ScheduleRunner({
      settings: { id: 'nightly', arn: 'arn:aws:events:rule/nightly', expression: 'rate(1 hour)' },
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

  it('fires each period, and once at the start for what was due while it was off', () => {
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
