import { beforeEach, describe, expect, test } from 'vitest';
import { laneStopped, serviceIsDown } from '../../shared/journey/alarm-lines.ts';
import { backoffMs, outageWaitMs } from '../../shared/journey/backoff.ts';
import {
  Defer,
  RejectDocument,
  RetryLater,
  ServiceDown,
  SkipDocument,
  StopLane,
} from '../../shared/journey/errors.ts';
import type { StepMessage } from '../../shared/journey/messages.ts';
import { Circuits, LaneClosed } from '../../shared/ledger/circuit.ts';
import { BrokenInvariant, type DocumentItem } from '../../shared/ledger/document-item.ts';
import type { Documents } from '../../shared/ledger/documents.ts';
import type { Table } from '../../shared/ledger/table.ts';
import { attempt, fail, resumeFromDeadLetter } from '../../shared/steps/attempt.ts';
import type { StepTools } from '../../shared/steps/tools.ts';
import { changed, emptyLedger, impliedBy } from '../ledger/support.ts';

const heldMs = 600_000;

let loseAcknowledgement: () => void;
let documents: Documents;
let clock: { now: number };
let circuits: Circuits;
let table: Table;
let document: DocumentItem;
let sent: StepMessage[];
let logged: { level: string; message: string; fields: Record<string, unknown> }[];

beforeEach(async () => {
  const ledger = await emptyLedger();
  documents = ledger.documents;
  loseAcknowledgement = () => ledger.server.loseAcknowledgement();
  clock = ledger.clock;
  table = ledger.table;
  circuits = new Circuits(ledger.table, () => ledger.clock.now);
  sent = [];
  logged = [];
  document = (await documents.receive(changed('01'), 'default')).document;
});

const level = (name: string) => (message: string, fields: Record<string, unknown>) => {
  logged.push({ level: name, message, fields });
};

/** What `attempt` uses of a step's tools; anything else fails. */
const tools = () =>
  ({
    documents,
    circuits,
    heldMs,
    now: () => clock.now,
    policy: { maxAttempts: 3, brakeAfter: 3, random: () => 0.5 },
    send: async (message: StepMessage) => {
      sent.push(message);
    },
    log: { info: level('info'), warn: level('warn'), error: level('error') },
  }) as unknown as StepTools;

/** Attempts a step whose work throws `thrown`. */
const attemptThrowing = (thrown: unknown, of: DocumentItem = document) =>
  attempt('normalize', of, tools(), () => Promise.reject(thrown));

const record = () => documents.get(document.documentId);

/** A version that replaced one with content, which has to be released. */
async function withRelease(): Promise<DocumentItem> {
  await documents.move(document, 'normalized', {
    ...impliedBy.normalized,
    contentSha256: 'c'.repeat(64),
  });
  return (await documents.receive(changed('02'), 'default')).document;
}
const released = {
  step: 'release',
  contentSha256: 'c'.repeat(64),
  order: '01'.padEnd(64, '0'),
};

describe('attempt', () => {
  test('is done when the work is, and changes nothing', async () => {
    const outcome = await attempt('normalize', document, tools(), async () => {});

    expect(outcome).toEqual({ next: 'done' });
    expect(await record()).toEqual(document);
    expect(logged).toEqual([]);
  });

  test('counts no attempt when the work is only deferred', async () => {
    const outcome = await attemptThrowing(
      new Defer({ code: 'claude.paced', message: 'm', delayMs: 7 }),
    );

    expect(outcome).toEqual({ next: 'defer', delayMs: 7 });
    expect(await record()).toEqual(document);
    expect(logged).toEqual([
      {
        level: 'info',
        message: 'deferred',
        fields: {
          documentId: document.documentId,
          key: 'a.txt',
          step: 'normalize',
          code: 'claude.paced',
          delayMs: 7,
        },
      },
    ]);
  });

  test('skips with what was found, and releases what past versions held', async () => {
    const fidelity = { route: 'zip→parts', warnings: [] };
    const newer = await withRelease();

    const outcome = await attemptThrowing(
      new SkipDocument({ code: 'normalize.unsupported', message: 'm', fidelity }),
      newer,
    );

    expect(outcome).toEqual({ next: 'done' });
    expect(await record()).toMatchObject({
      status: 'skipped',
      attempts: { normalize: 1 },
      fidelity: { route: 'zip→parts' },
      error: { code: 'normalize.unsupported', step: 'normalize' },
    });
    expect(sent).toMatchObject([released]);
    expect((await record())?.releases).toBeUndefined();
    expect(logged).toMatchObject([
      { level: 'info', message: 'skipped', fields: { code: 'normalize.unsupported' } },
    ]);
  });

  test('holds the document, opens the circuit and logs the alarm line when the lane must stop', async () => {
    const outcome = await attemptThrowing(
      new StopLane({ code: 'claude.unauthorized', message: 'bad key' }),
    );

    expect(outcome).toEqual({ next: 'done' });
    expect(await record()).toMatchObject({ status: 'held', heldFrom: 'received', attempts: {} });
    expect(await circuits.get('claude')).toMatchObject({
      state: 'open',
      openedBy: document.documentId,
    });
    expect(laneStopped).toBe('held until a person acts');
    expect(logged).toMatchObject([
      {
        level: 'error',
        message: laneStopped,
        fields: { key: 'a.txt', code: 'claude.unauthorized', reason: 'bad key' },
      },
    ]);
  });

  test('holds the document at a stopped lane without opening its circuit again', async () => {
    await attemptThrowing(new LaneClosed({ code: 'claude.unauthorized', message: 'bad key' }));

    expect(await record()).toMatchObject({ status: 'held' });
    expect(await circuits.get('claude')).toBeUndefined();
  });

  test('fails what can never succeed at its first attempt, and releases what past versions held', async () => {
    const newer = await withRelease();

    const outcome = await attemptThrowing(
      new RejectDocument({ code: 'normalize.encrypted', message: 'locked' }),
      newer,
    );

    expect(outcome).toEqual({ next: 'done' });
    expect(await record()).toMatchObject({
      status: 'failed',
      attempts: { normalize: 1 },
      error: { code: 'normalize.encrypted', message: 'locked', step: 'normalize' },
    });
    expect(sent).toMatchObject([released]);
    expect(logged).toMatchObject([
      {
        level: 'warn',
        message: 'failed',
        fields: { key: 'a.txt', code: 'normalize.encrypted', attempts: 1, reason: 'locked' },
      },
    ]);
  });

  test.each([
    ['skipped', new SkipDocument({ code: 'normalize.unsupported', message: 'm' })],
    ['failed', new RejectDocument({ code: 'normalize.encrypted', message: 'm' })],
  ])(
    'sends nothing for a version that a newer event replaced before it ended %s',
    async (_, error) => {
      const newer = await withRelease();
      await documents.receive(changed('03'), 'default');

      expect(await attemptThrowing(error, newer)).toEqual({ next: 'done' });

      expect(await record()).toMatchObject({ status: 'received' });
      expect(sent).toEqual([]);
    },
  );

  test.each([
    ['skipped', new SkipDocument({ code: 'normalize.unsupported', message: 'm' })],
    ['failed', new RejectDocument({ code: 'normalize.encrypted', message: 'm' })],
  ])(
    'releases what past versions held although the acknowledgement that it is %s was lost',
    async (status, error) => {
      const newer = await withRelease();
      loseAcknowledgement();

      await attemptThrowing(error, newer);

      expect(await record()).toMatchObject({ status, attempts: { normalize: 1 } });
      expect(sent).toMatchObject([released]);
    },
  );

  test('retries until the attempts are used up, and no more', async () => {
    const error = new RetryLater({ code: 'claude.server_error', message: 'm', requestId: 'req_1' });
    const outcomes = [];
    for (let n = 0; n < 3; n += 1) outcomes.push(await attemptThrowing(error, await record()));

    expect(outcomes).toEqual([
      { next: 'retry', delayMs: 1_500 },
      { next: 'retry', delayMs: 7_500 },
      { next: 'done' },
    ]);
    expect(await record()).toMatchObject({
      status: 'failed',
      attempts: { normalize: 3 },
      error: { code: 'claude.server_error', requestId: 'req_1' },
    });
  });

  test('waits as long as the error asks', async () => {
    const error = new RetryLater({ code: 'claude.server_error', message: 'm', delayMs: 0 });

    expect(await attemptThrowing(error)).toEqual({ next: 'retry', delayMs: 0 });
  });

  describe('while the API is down', () => {
    const down = (delayMs = 0) =>
      new ServiceDown({ code: 'claude.unreachable', message: 'no route', delayMs });

    test('waits longer each time, counts no attempt and records the reason', async () => {
      const outcomes = [];
      for (let n = 0; n < 10; n += 1) outcomes.push(await attemptThrowing(down(), await record()));

      expect(outcomes.map(({ next }) => next)).toEqual(Array(10).fill('defer'));
      expect(outcomes).toMatchObject(
        [1_500, 3_000, 6_000, 12_000, 24_000, 45_000, 45_000, 45_000, 45_000, 45_000].map(
          (delayMs) => ({ delayMs }),
        ),
      );
      expect(await record()).toMatchObject({
        status: 'received',
        attempts: {},
        error: { code: 'claude.unreachable', message: 'no route', step: 'normalize' },
      });
    });

    test('waits at least as long as the API asks', async () => {
      expect(await attemptThrowing(down(40_000))).toEqual({ next: 'defer', delayMs: 40_000 });
    });

    /** Lets documents wait as they are told to, one in each of these keys, and returns the log of the alarm. */
    async function outage(count: number, ms: number, random = () => 0.5) {
      const until = clock.now + ms;
      const started = clock.now;
      const due: { at: number; document: DocumentItem }[] = [];
      for (let n = 0; n < count; n += 1) {
        const change = changed('01', { key: `${n}.txt` });
        due.push({
          at: clock.now,
          document: (await documents.receive(change, 'default')).document,
        });
      }
      const alarms: number[] = [];
      const chosen = {
        ...tools(),
        policy: { maxAttempts: 3, brakeAfter: 3, random },
      };
      for (;;) {
        const next = due.reduce((first, one) => (one.at < first.at ? one : first));
        if (next.at >= until) return alarms.map((at) => at - started);
        clock.now = Math.max(clock.now, next.at);
        logged = [];
        const outcome = await attempt('upload', next.document, chosen, () =>
          Promise.reject(down()),
        );
        if (logged.some(({ message }) => message === serviceIsDown)) alarms.push(clock.now);
        next.at = clock.now + (outcome.next === 'done' ? ms : outcome.delayMs);
        next.document = (await documents.get(next.document.documentId)) ?? next.document;
      }
    }

    test.each([
      [1, 0],
      [1, 0.5],
      [1, 0.999],
      [3, 0.5],
      [400, 0.5],
    ])(
      'with %i documents waiting and a random %d the alarm rings within ten minutes',
      async (count, random) => {
        const alarms = await outage(count, 12 * 60_000, () => random);

        expect(serviceIsDown).toBe('the Claude API has been down for a while');
        expect(alarms[0]).toBeGreaterThanOrEqual(7 * 60_000);
        expect(alarms[0]).toBeLessThanOrEqual(8 * 60_000);
      },
    );

    test('the alarm line is logged once a minute, however many documents wait', async () => {
      let seed = 1;
      const random = () => {
        seed = (seed * 16_807) % 2_147_483_647;
        return seed / 2_147_483_647;
      };

      const alarms = await outage(400, 15 * 60_000, random);

      expect(alarms.length).toBeGreaterThan(4);
      for (const [n, at] of alarms.slice(1).entries()) {
        expect(at - (alarms[n] ?? 0)).toBeGreaterThanOrEqual(60_000);
      }
    });

    test('a call that succeeds ends the outage for the whole fleet', async () => {
      await outage(1, 6 * 60_000);
      const other = { ...tools(), circuits: new Circuits(table, () => clock.now) };
      await attempt('upload', document, other, async () => {
        other.circuits.troubles.worked('upload');
      });
      clock.now += 30_000;

      expect(await outage(1, 6 * 60_000)).toEqual([]);
    });

    test('a document that alone fails while others succeed fails after twenty times', async () => {
      let outcome = await attempt('upload', document, tools(), () => Promise.reject(down()));
      let times = 1;
      while (outcome.next === 'defer' && times < 100) {
        clock.now += outcome.delayMs + 60_000;
        const other = { ...tools(), circuits: new Circuits(table, () => clock.now) };
        await attempt('upload', document, other, async () => {
          other.circuits.troubles.worked('upload');
        });
        clock.now += 60_000;
        const present = (await record()) ?? document;
        outcome = await attempt('upload', present, tools(), () => Promise.reject(down()));
        times += 1;
      }

      expect(times).toBe(21);
      expect(await record()).toMatchObject({
        status: 'failed',
        error: { code: 'upload.keeps_failing', message: 'no route' },
      });
    });

    test('keeps a replaced version waiting: it finds out at its turn', async () => {
      await documents.receive(changed('02'), 'default');

      expect(await attemptThrowing(down())).toEqual({ next: 'defer', delayMs: 1_500 });

      expect((await record())?.error).toBeUndefined();
    });
  });

  test('records the error of an attempt and logs its cause', async () => {
    const cause = new Error('socket hang up');
    await attemptThrowing(
      new RetryLater({ code: 'claude.reply_lost', message: 'no route', cause }),
    );

    const kept = await record();
    expect(kept).toMatchObject({
      status: 'received',
      attempts: { normalize: 1 },
      error: { code: 'claude.reply_lost', message: 'no route', step: 'normalize' },
    });
    expect(kept?.error).not.toHaveProperty('requestId');
    expect(logged).toMatchObject([
      {
        level: 'warn',
        message: 'attempt failed',
        fields: {
          key: 'a.txt',
          code: 'claude.reply_lost',
          attempts: 1,
          delayMs: 1_500,
          reason: 'no route',
          cause: cause.stack,
        },
      },
    ]);
  });

  test.each([
    [
      'its message when the stack is missing',
      Object.assign(new Error('m'), { stack: undefined }),
      'm',
    ],
    ['nothing when the cause is not an error', 'words', undefined],
  ])('logs as the cause %s', async (_, cause, expected) => {
    await attemptThrowing(
      new RetryLater({ code: 'claude.reply_lost', message: 'no route', cause }),
    );

    expect(logged[0]?.fields.cause).toBe(expected);
  });

  test.each([
    [new Error('out of memory'), 'Unexpected: out of memory'],
    [new BrokenInvariant('no source'), 'Unexpected: no source'],
    ['words', 'Unexpected: words'],
  ])(
    'counts an unexpected error as an attempt, under its own code: %s',
    async (thrown, message) => {
      expect(await attemptThrowing(thrown)).toMatchObject({ next: 'retry' });

      expect((await record())?.error).toMatchObject({ code: 'normalize.internal', message });
      expect(logged[0]?.fields.cause).toBe(thrown instanceof Error ? thrown.stack : undefined);
    },
  );

  test('takes advice from the error, else from the catalogue, else none', async () => {
    const advices = [];
    for (const [code, advice] of [
      ['normalize.encrypted', 'Ask its author.'],
      ['normalize.encrypted', undefined],
      ['normalize.unheard_of', undefined],
    ] as const) {
      const error = new RetryLater({ code, message: 'm', ...(advice ? { advice } : {}) });
      const { document: fresh } = await documents.receive(
        changed('01', { key: `${advices.length}.txt` }),
        'default',
      );
      await attemptThrowing(error, fresh);
      advices.push((await documents.get(fresh.documentId))?.error?.advice);
    }

    expect(advices[0]).toBe('Ask its author.');
    expect(advices[1]).toMatch(/password/i);
    expect(advices[2]).toBe('');
  });
});

describe('the brake', () => {
  const code = 'summarize.model_not_found';
  let count = 0;

  /** A new document that fails in a worker of its own. */
  async function failing(error = new RejectDocument({ code, message: 'model: claude-x' })) {
    count += 1;
    const { document: fresh } = await documents.receive(
      changed('01', { key: `brake-${count}.txt` }),
      'default',
    );
    const worker = { ...tools(), circuits: new Circuits(table, () => clock.now) };
    await attempt('summarize', fresh, worker, () => Promise.reject(error));
    return documents.get(fresh.documentId);
  }

  const statuses = async (n: number) => {
    const seen = [];
    for (let each = 0; each < n; each += 1) seen.push((await failing())?.status);
    return seen;
  };

  test('lets a few documents fail and stops the lane of the step, with an alarm', async () => {
    expect(await statuses(4)).toEqual(['failed', 'failed', 'failed', 'held']);

    expect(await circuits.get('summarize')).toMatchObject({
      state: 'open',
      code,
      message: 'The last 3 documents failed with this. model: claude-x',
    });
    await expect(circuits.check('summarize')).rejects.toThrow(LaneClosed);
    await expect(circuits.check('claude')).resolves.toBeUndefined();
    expect(logged.filter(({ message }) => message === laneStopped)).toMatchObject([
      { level: 'error', fields: { code, failures: 3 } },
      { level: 'error', fields: { code, key: 'brake-4.txt' } },
    ]);
  });

  test('starts over when a call of the step succeeds', async () => {
    await statuses(2);
    const worker = { ...tools(), circuits: new Circuits(table, () => clock.now) };
    await attempt('summarize', document, worker, async () => {
      worker.circuits.troubles.worked('summarize');
    });

    expect(await statuses(2)).toEqual(['failed', 'failed']);
    expect(await circuits.get('summarize')).toBeUndefined();
  });

  test('starts over with another code, and leaves alone what a document can cause', async () => {
    await statuses(2);
    await failing(new RejectDocument({ code: 'summarize.unexpected_reply', message: 'odd' }));
    expect(await statuses(2)).toEqual(['failed', 'failed']);

    for (let n = 0; n < 9; n += 1) {
      const refused = new RejectDocument({ code: 'summarize.invalid_request', message: 'a PDF' });
      expect((await failing(refused))?.status).toBe('failed');
    }
    expect(await circuits.get('summarize')).toBeUndefined();
  });

  test('is not released by work that calls nobody', async () => {
    await statuses(2);
    await attempt('summarize', document, tools(), async () => {});

    expect(await statuses(2)).toEqual(['failed', 'held']);
  });

  test('holds the document that finds out that the reason is still there', async () => {
    await statuses(3);
    clock.now += heldMs;
    await circuits.probe('summarize', heldMs);

    expect((await failing())?.status).toBe('held');

    expect(await circuits.get('summarize')).toMatchObject({ state: 'open' });
  });
});

describe('resumeFromDeadLetter', () => {
  const ended = async (code: string) => {
    const stopped = await documents.setAside(document, 'failed', {
      code,
      message: 'm',
      step: 'normalize',
      advice: 'a',
    });
    if (!stopped) throw new Error('not stopped');
    return stopped;
  };

  test('resumes a document that failed as a dead letter of the step, without its error', async () => {
    const failed = await ended('normalize.dead_letter');

    const back = await resumeFromDeadLetter(failed, 'normalize', 'received', documents);

    expect(back).toMatchObject({ status: 'received' });
    expect(back.error).toBeUndefined();
    expect(await record()).toEqual(back);
  });

  test.each(['upload.dead_letter', 'normalize.encrypted'])(
    'leaves a document alone that failed with %s',
    async (code) => {
      const failed = await ended(code);

      expect(await resumeFromDeadLetter(failed, 'normalize', 'received', documents)).toBe(failed);
      expect(await record()).toEqual(failed);
    },
  );

  test('leaves a document alone that has not failed', async () => {
    const open = { ...document, error: { code: 'normalize.dead_letter' } } as DocumentItem;

    expect(await resumeFromDeadLetter(open, 'normalize', 'received', documents)).toBe(open);
    expect(await record()).toEqual(document);
  });

  test('returns the document as it was seen when a newer event came first', async () => {
    const failed = await ended('normalize.dead_letter');
    await documents.receive(changed('02'), 'default');

    expect(await resumeFromDeadLetter(failed, 'normalize', 'received', documents)).toBe(failed);
  });
});

test.each([
  [1, 0, 1_000],
  [1, 1, 2_000],
  [2, 0.5, 7_500],
  [3, 1, 50_000],
  [4, 0, 125_000],
  [5, 1, 300_000],
  [20, 1, 300_000],
])('after %i attempts, a random %d gives a wait of %i ms', (attempts, random, expected) => {
  expect(backoffMs(attempts, () => random)).toBe(expected);
});

test.each([
  [1, 0, 1_000],
  [3, 0.5, 6_000],
  [8, 1, 256_000],
  [9, 0, 150_000],
  [20, 1, 300_000],
])('after %i outages in a row, a random %d gives a wait of %i ms', (times, random, expected) => {
  expect(outageWaitMs(times, () => random)).toBe(expected);
});

describe('fail', () => {
  const error = new RejectDocument({ code: 'summarize.refused', message: 'm' });

  test("ends a document in one write with the caller's changes, and returns true", async () => {
    const write = { add: { 'attempts.render': 2 }, remove: ['rendering' as const] };
    await documents.move(document, 'received', { rendering: true });

    expect(await fail('normalize', document, error, tools(), write)).toBe(true);

    const failed = await record();
    expect(failed).toMatchObject({ status: 'failed', attempts: { normalize: 1, render: 2 } });
    expect(failed?.rendering).toBeUndefined();
  });

  test('returns false when a newer event was first', async () => {
    await documents.receive(changed('02'), 'default');

    expect(await fail('normalize', document, error, tools())).toBe(false);
  });
});
