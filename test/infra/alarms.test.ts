import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import * as lambda from 'aws-cdk-lib/aws-lambda';
import { afterEach, beforeAll, describe, expect, test, vi } from 'vitest';
import { buildApp } from '../../infra/app.ts';
import type { Fault } from '../../infra/local/claude/index.ts';
import { reconciled, sweepIsBehind } from '../../shared/journey/alarm-lines.ts';
import { outageWaitMs } from '../../shared/journey/backoff.ts';
import { maxReceives, queuedSteps, visibilitySeconds } from '../../shared/journey/steps.ts';
import { lookedAtSeconds } from '../../shared/reconcile/dead-letters.ts';
import { memoryLedger } from '../world/memory-dynamodb.ts';
import { World } from '../world/world.ts';
import { type AlarmProperties, type Datapoint, type Metrics, ringing } from './alarm-evaluator.ts';

/** For each alarm: its fault makes it ring, it then stays until the fault is over, and a healthy stack is silent. */

interface Filter {
  FilterPattern: string;
  MetricTransformations: [{ MetricName: string }];
}
interface Resource {
  Type: string;
  Properties: object;
}

// Hours of a pipeline take some seconds.
vi.setConfig({ testTimeout: 120_000 });

const minute = 60_000;
/** How often the reconciler runs, in minutes. */
const every = 15;
let alarms: (AlarmProperties & { AlarmDescription: string })[];
let filters: Filter[];

beforeAll(() => {
  const outdir = mkdtempSync(join(tmpdir(), 'dropline-alarms-'));
  buildApp(
    { codeOf: () => lambda.Code.fromInline('exports.handler = undefined;') },
    outdir,
  ).synth();
  const { Resources } = JSON.parse(
    readFileSync(join(outdir, 'Dropline.template.json'), 'utf8'),
  ) as { Resources: Record<string, Resource> };
  rmSync(outdir, { recursive: true });
  const ofType = (type: string) =>
    Object.values(Resources).flatMap(({ Type, Properties }) => (Type === type ? [Properties] : []));
  alarms = ofType('AWS::CloudWatch::Alarm') as typeof alarms;
  filters = ofType('AWS::Logs::MetricFilter') as Filter[];
}, 60_000);

/** An alarm by words of its description; those of several queues or functions are alike. */
function alarmOf(words: string): AlarmProperties {
  const [alarm] = alarms.filter(({ AlarmDescription }) => AlarmDescription.includes(words));
  if (!alarm) throw new Error(`no alarm "${words}"`);
  return alarm;
}

/** A log line and its time in minutes. */
interface Line {
  at: number;
  message: string;
}

/** What the stack's metric filters make of log lines. */
function metricsOf(lines: Line[]): Metrics {
  const metrics: Metrics = {};
  for (const { FilterPattern, MetricTransformations } of filters) {
    const [{ MetricName }] = MetricTransformations;
    // Each function's log group has the same filter.
    metrics[MetricName] = lines
      .filter(({ message }) => FilterPattern.includes(`"${message}"`))
      .map(({ at }) => ({ at, value: 1 }));
  }
  return metrics;
}

/** Every minute from `from` to `to`. */
const minutes = (from: number, to: number): number[] =>
  Array.from({ length: to - from + 1 }, (_, index) => from + index);

let world: World | undefined;
afterEach(async () => {
  await world?.close();
  world = undefined;
});

/** The pipeline for some hours, its reconciler run on schedule; the faults end at `mended`. */
async function simulate(options: {
  documents: number;
  faults: Fault[];
  mended: number;
  until: number;
}): Promise<Line[]> {
  const lines: Line[] = [];
  const write = (message: string) =>
    lines.push({ at: (simulated.now() - start) / minute, message });
  const log = { info: write, warn: write, error: write };
  const simulated = await World.create(memoryLedger(), { log });
  world = simulated;
  const start = simulated.now();
  for (const fault of options.faults) simulated.emulator.addFault(fault);
  for (let i = 0; i < options.documents; i += 1) {
    simulated.deliver(simulated.drop(`${i}.txt`, `Document ${i}. It has two sentences.`));
  }
  for (let now = 0; now < options.until; now += 1) {
    if (now === options.mended) simulated.emulator.clearFaults();
    while (simulated.now() <= start + now * minute && (await simulated.work()));
    if (now % every === every - 1) await simulated.reconcile();
    simulated.advance(Math.max(0, start + (now + 1) * minute - simulated.now()));
  }
  return lines;
}

describe('the dead-letter queue is not empty', () => {
  const alarm = () => alarmOf('dead-letter queue');

  /** Half-minutes of the queue with one dead letter from minute 30 to 300, which the reconciler looks at. */
  const queue = (): Metrics => {
    const points = minutes(0, 2 * 360).map((half) => half / 2);
    const isThere = (at: number) => at >= 30 && at < 300;
    const isHidden = (at: number) => isThere(at) && (at % every) * 60 < lookedAtSeconds;
    const series = (holds: (at: number) => boolean): Datapoint[] =>
      points.map((at) => ({ at, value: holds(at) ? 1 : 0 }));
    return {
      ApproximateNumberOfMessagesVisible: series((at) => isThere(at) && !isHidden(at)),
      ApproximateNumberOfMessagesNotVisible: series(isHidden),
    };
  };

  test('rings with the first dead letter, and does not flap until the queue is empty', () => {
    const rings = ringing(alarm(), queue(), 360);

    expect(rings).toEqual(minutes(31, 304));
  });

  test('stays when CloudWatch has no data of the queue', () => {
    const {
      ApproximateNumberOfMessagesVisible: v = [],
      ApproximateNumberOfMessagesNotVisible: h = [],
    } = queue();
    const known = {
      ApproximateNumberOfMessagesVisible: v.filter(({ at }) => at < 100),
      ApproximateNumberOfMessagesNotVisible: h.filter(({ at }) => at < 100),
    };

    expect(ringing(alarm(), known, 200)).toEqual(minutes(31, 200));
  });

  test('a redrive finds the messages in all but half a minute between runs', () => {
    expect(lookedAtSeconds).toBeLessThanOrEqual(30);
  });
});

describe('a function keeps failing', () => {
  const alarm = () => alarmOf('keeps failing');
  const at = (times: number[]): Metrics => ({ Errors: times.map((at) => ({ at, value: 1 })) });

  test.each(queuedSteps)(
    'rings at the second delivery of one message that crashes %s, and stays until its last',
    (step) => {
      const wait = visibilitySeconds(step) / 60;
      const deliveries = Array.from({ length: maxReceives }, (_, index) => index * wait);

      const rings = ringing(alarm(), at(deliveries), 6 * wait);

      expect(rings[0]).toBe(wait + 1);
      expect(rings).toEqual(expect.arrayContaining(minutes(wait + 1, 4 * wait)));
    },
  );

  test('is silent for one failure', () => {
    expect(ringing(alarm(), at([60]), 400)).toEqual([]);
  });
});

describe('documents are held until a person acts', () => {
  test('rings at once, and stays until the person has acted, although no other document arrives', async () => {
    const cap: Fault = { kind: 'spend_cap', operation: 'messages.create', count: 'all' };

    const lines = await simulate({ documents: 1, faults: [cap], mended: 300, until: 480 });
    const rings = ringing(alarmOf('held until a person acts'), metricsOf(lines), 480);

    expect(rings[0]).toBeLessThanOrEqual(2);
    expect(rings).toEqual(minutes(rings[0] ?? 0, rings.at(-1) ?? 0));
    expect(rings.at(-1)).toBeGreaterThanOrEqual(300);
    expect(rings.at(-1)).toBeLessThan(480);
  });
});

describe('the Claude API is down', () => {
  const down: Fault = { kind: 'error', status: 529, count: 'all' };
  const alarm = () => alarmOf('which is down');

  test.each([1, 12])(
    'rings within ten minutes with %i documents waiting, and stays until it is up',
    async (documents) => {
      const lines = await simulate({ documents, faults: [down], mended: 180, until: 240 });
      const rings = ringing(alarm(), metricsOf(lines), 240);

      expect(rings[0]).toBeLessThanOrEqual(10);
      expect(rings).toEqual(expect.arrayContaining(minutes(10, 180)));
      expect(rings.at(-1)).toBeLessThan(215);
    },
  );

  test.each([0, 0.5, 0.999])('does so for one document whose waits are drawn as %d', (random) => {
    const lines: Line[] = [];
    for (let at = 0, times = 1; at < 180; times += 1) {
      lines.push({ at, message: 'the API is down' });
      at += outageWaitMs(times, () => random) / minute;
    }

    const rings = ringing(alarm(), metricsOf(lines), 180);

    expect(rings[0]).toBeLessThanOrEqual(10);
    expect(rings).toEqual(minutes(rings[0] ?? 0, 180));
  });

  test('is silent for a blip of some seconds', async () => {
    const blip: Fault = { ...down, count: 3 };

    const lines = await simulate({ documents: 6, faults: [blip], mended: 60, until: 60 });

    expect(lines.map(({ message }) => message)).toContain('the API is down');
    expect(ringing(alarm(), metricsOf(lines), 60)).toEqual([]);
  });
});

describe('the reconciler has not finished a run', () => {
  const alarm = () => alarmOf('not finished a run');
  const runs = (from: number, to: number): Metrics =>
    metricsOf(
      minutes(from, to).flatMap((at) => (at % every === 0 ? [{ at, message: reconciled }] : [])),
    );

  test('rings when three runs are missing, and stays until it runs again', () => {
    const metrics = runs(-90, 60);

    expect(ringing(alarm(), metrics, 400)).toEqual(minutes(106, 400));
  });

  test('is silent while it runs', () => {
    expect(ringing(alarm(), runs(-90, 400), 400)).toEqual([]);
  });
});

describe('a duty of the reconciler breaks off', () => {
  const refused: Fault = { kind: 'error', status: 400, operation: 'files.list', count: 'all' };

  test('rings after the first sweep that it breaks off, and stays over the hours to the next', async () => {
    const until = 20 * 60;

    const lines = await simulate({ documents: 1, faults: [refused], mended: until, until });
    const rings = ringing(alarmOf('breaks off'), metricsOf(lines), until);

    expect(rings[0]).toBeLessThanOrEqual(2 * every);
    expect(rings).toEqual(minutes(rings[0] ?? 0, until));
  });

  test('is silent while all duties are done', async () => {
    const lines = await simulate({ documents: 3, faults: [], mended: 0, until: 8 * 60 });

    expect(ringing(alarmOf('breaks off'), metricsOf(lines), 8 * 60)).toEqual([]);
    expect(ringing(alarmOf('held until a person acts'), metricsOf(lines), 8 * 60)).toEqual([]);
  });
});

describe('the reconciler is behind with its sweep', () => {
  const alarm = () => alarmOf('its sweep');
  const behind = (from: number, to: number): Metrics =>
    metricsOf(
      minutes(from, to).flatMap((at) => (at % every === 0 ? [{ at, message: sweepIsBehind }] : [])),
    );

  test('rings with the first run that says so, and stays until the sweep has come through', () => {
    const rings = ringing(alarm(), behind(60, 300), 400);

    expect(rings).toEqual(minutes(61, 340));
  });

  test('is silent while sweeps come through', () => {
    const runs = minutes(0, 400).filter((at) => at % every === 0);
    const metrics = metricsOf(runs.map((at) => ({ at, message: reconciled })));

    expect(ringing(alarm(), metrics, 400)).toEqual([]);
  });
});

test('each alarm is simulated above', () => {
  const described = new Set(alarms.map(({ AlarmDescription }) => AlarmDescription));

  expect(described.size).toBe(7);
});
