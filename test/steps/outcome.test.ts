import { beforeEach, describe, expect, test } from 'vitest';
import { laneStopped, serviceIsDown } from '../../shared/journey/alarm-lines.ts';
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
import type { DocumentItem } from '../../shared/ledger/document-item.ts';
import type { Documents } from '../../shared/ledger/documents.ts';
import { backoffMs, fail, outageWaitMs, revived, settle } from '../../shared/steps/outcome.ts';
import type { StepTools } from '../../shared/steps/tools.ts';
import { changed, emptyLedger } from '../ledger/support.ts';

const heldMs = 600_000;

let documents: Documents;
let circuits: Circuits;
let document: DocumentItem;
let sent: StepMessage[];
let logged: { level: string; message: string; fields: Record<string, unknown> }[];

beforeEach(async () => {
  const ledger = await emptyLedger();
  documents = ledger.documents;
  circuits = new Circuits(ledger.table, () => ledger.clock.now);
  sent = [];
  logged = [];
  document = (await documents.receive(changed('01'), 'default')).document;
});

const level = (name: string) => (message: string, fields: Record<string, unknown>) => {
  logged.push({ level: name, message, fields });
};

/** What `settle` uses of a step's tools; anything else fails. */
const tools = () =>
  ({
    documents,
    circuits,
    heldMs,
    policy: { maxAttempts: 3, random: () => 0.5 },
    send: async (message: StepMessage) => {
      sent.push(message);
    },
    log: { info: level('info'), warn: level('warn'), error: level('error') },
  }) as unknown as StepTools;

/** Settles a step whose work throws `thrown`. */
const settled = (thrown: unknown, of: DocumentItem = document) =>
  settle('normalize', of, tools(), () => Promise.reject(thrown));

const record = () => documents.get(document.documentId);

/** A version that replaced one which held a content: that one has to be let go of. */
async function withRelease(): Promise<DocumentItem> {
  await documents.move(document, 'normalized', { contentSha256: 'c'.repeat(64) });
  return (await documents.receive(changed('02'), 'default')).document;
}
const released = {
  step: 'release',
  contentSha256: 'c'.repeat(64),
  order: '01'.padEnd(64, '0'),
};

describe('settle', () => {
  test('is done when the work is, and changes nothing', async () => {
    const outcome = await settle('normalize', document, tools(), async () => {});

    expect(outcome).toEqual({ next: 'done' });
    expect(await record()).toEqual(document);
    expect(logged).toEqual([]);
  });

  test('counts no attempt of what is only deferred', async () => {
    const outcome = await settled(new Defer({ code: 'claude.paced', message: 'm', delayMs: 7 }));

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

  test('skips with what was found, and lets go of what past versions held', async () => {
    const fidelity = { route: 'zip→parts', warnings: [] };
    const newer = await withRelease();

    const outcome = await settled(
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

  test('holds at a stop, opens the lane and lets the alarm know', async () => {
    const outcome = await settled(
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

  test('holds at a lane known to be closed without opening it anew', async () => {
    await settled(new LaneClosed({ code: 'claude.unauthorized', message: 'bad key' }));

    expect(await record()).toMatchObject({ status: 'held' });
    expect(await circuits.get('claude')).toBeUndefined();
  });

  test('fails what can never pass at its first attempt, and lets go of what past versions held', async () => {
    const newer = await withRelease();

    const outcome = await settled(
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

      expect(await settled(error, newer)).toEqual({ next: 'done' });

      expect(await record()).toMatchObject({ status: 'received' });
      expect(sent).toEqual([]);
    },
  );

  test('tries again until the attempts are used up, and no more', async () => {
    const error = new RetryLater({ code: 'claude.server_error', message: 'm', requestId: 'req_1' });
    const outcomes = [];
    for (let n = 0; n < 3; n += 1) outcomes.push(await settled(error, await record()));

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

    expect(await settled(error)).toEqual({ next: 'retry', delayMs: 0 });
  });

  describe('while the API is down', () => {
    const down = (delayMs = 0) =>
      new ServiceDown({ code: 'claude.unreachable', message: 'no route', delayMs });

    test('waits longer each time, counts no attempt and says in the record what for', async () => {
      const outcomes = [];
      for (let n = 0; n < 10; n += 1) outcomes.push(await settled(down(), await record()));

      expect(outcomes.map(({ next }) => next)).toEqual(Array(10).fill('defer'));
      expect(outcomes).toMatchObject(
        [1_500, 3_000, 6_000, 12_000, 24_000, 48_000, 96_000, 192_000, 225_000, 225_000].map(
          (delayMs) => ({ delayMs }),
        ),
      );
      expect(await record()).toMatchObject({
        status: 'received',
        attempts: {},
        error: { code: 'claude.unreachable', message: 'no route', step: 'normalize' },
      });
    });

    test('waits no shorter than the API asks', async () => {
      expect(await settled(down(40_000))).toEqual({ next: 'defer', delayMs: 40_000 });
    });

    test('lets the alarm know at the eighth time in a row', async () => {
      for (let n = 0; n < 8; n += 1) await settled(down(), await record());

      expect(serviceIsDown).toBe('the Claude API has been down for a while');
      const levels = logged.map(({ level, message }) => [level, message]);
      expect(levels.slice(0, 7)).toEqual(Array(7).fill(['warn', 'the API is down']));
      expect(levels[7]).toEqual(['error', serviceIsDown]);
      expect(logged[7]?.fields).toEqual({
        documentId: document.documentId,
        key: 'a.txt',
        step: 'normalize',
        code: 'claude.unreachable',
        times: 8,
        delayMs: 192_000,
        reason: 'no route',
      });
    });

    test('goes on waiting for a version that a newer event replaced: it finds out at its turn', async () => {
      await documents.receive(changed('02'), 'default');

      expect(await settled(down())).toEqual({ next: 'defer', delayMs: 1_500 });

      expect((await record())?.error).toBeUndefined();
    });
  });

  test('keeps the error of an attempt in the record and tells the log its cause', async () => {
    const cause = new Error('socket hang up');
    await settled(new RetryLater({ code: 'claude.reply_lost', message: 'no route', cause }));

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
    ['without a stack by its message', Object.assign(new Error('m'), { stack: undefined }), 'm'],
    ['that is no error not at all', 'words', undefined],
  ])('tells the log a cause %s', async (_, cause, told) => {
    await settled(new RetryLater({ code: 'claude.reply_lost', message: 'no route', cause }));

    expect(logged[0]?.fields.cause).toBe(told);
  });

  test.each([
    [new Error('out of memory'), 'Unexpected: out of memory'],
    ['words', 'Unexpected: words'],
  ])('counts what nobody expected as an attempt of its own code', async (thrown, message) => {
    expect(await settled(thrown)).toMatchObject({ next: 'retry' });

    expect((await record())?.error).toMatchObject({ code: 'normalize.internal', message });
    expect(logged[0]?.fields.cause).toBe(thrown instanceof Error ? thrown.stack : undefined);
  });

  test('takes advice from the error, else from the catalogue, else gives none', async () => {
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
      await settled(error, fresh);
      advices.push((await documents.get(fresh.documentId))?.error?.advice);
    }

    expect(advices[0]).toBe('Ask its author.');
    expect(advices[1]).toMatch(/password/i);
    expect(advices[2]).toBe('');
  });
});

describe('revived', () => {
  const ended = async (code: string) => {
    const stopped = await documents.stop(document, 'failed', {
      code,
      message: 'm',
      step: 'normalize',
      advice: 'a',
    });
    if (!stopped) throw new Error('not stopped');
    return stopped;
  };

  test('brings back what ended as a dead letter of the step, without its error', async () => {
    const failed = await ended('normalize.dead_letter');

    const back = await revived(failed, 'normalize', 'received', documents);

    expect(back).toMatchObject({ status: 'received' });
    expect(back.error).toBeUndefined();
    expect(await record()).toEqual(back);
  });

  test.each(['upload.dead_letter', 'normalize.encrypted'])(
    'leaves what ended by %s',
    async (code) => {
      const failed = await ended(code);

      expect(await revived(failed, 'normalize', 'received', documents)).toBe(failed);
      expect(await record()).toEqual(failed);
    },
  );

  test('leaves what failed for a reason that is not known', async () => {
    const failed = { ...document, status: 'failed', error: undefined } as unknown as DocumentItem;

    expect(await revived(failed, 'normalize', 'received', documents)).toBe(failed);
  });

  test('leaves a document that did not end', async () => {
    const open = { ...document, error: { code: 'normalize.dead_letter' } } as DocumentItem;

    expect(await revived(open, 'normalize', 'received', documents)).toBe(open);
    expect(await record()).toEqual(document);
  });

  test('gives the document as it was seen when a newer event came first', async () => {
    const failed = await ended('normalize.dead_letter');
    await documents.receive(changed('02'), 'default');

    expect(await revived(failed, 'normalize', 'received', documents)).toBe(failed);
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
])('after %i attempts a random %d makes a wait of %i ms', (attempts, random, expected) => {
  expect(backoffMs(attempts, () => random)).toBe(expected);
});

test.each([
  [1, 0, 1_000],
  [3, 0.5, 6_000],
  [8, 1, 256_000],
  [9, 0, 150_000],
  [20, 1, 300_000],
])('the %i. time in a row, a random %d makes a wait of %i ms', (times, random, expected) => {
  expect(outageWaitMs(times, () => random)).toBe(expected);
});

describe('fail', () => {
  const error = new RejectDocument({ code: 'summarize.refused', message: 'm' });

  test('ends a document in one write with what else that writes, and says that it did', async () => {
    const write = { add: { 'attempts.render': 2 }, remove: ['rendering' as const] };
    await documents.move(document, 'received', { rendering: true });

    expect(await fail('normalize', document, error, tools(), write)).toBe(true);

    const failed = await record();
    expect(failed).toMatchObject({ status: 'failed', attempts: { normalize: 1, render: 2 } });
    expect(failed?.rendering).toBeUndefined();
  });

  test('says when a newer event was first', async () => {
    await documents.receive(changed('02'), 'default');

    expect(await fail('normalize', document, error, tools())).toBe(false);
  });
});
