import { beforeEach, describe, expect, test } from 'vitest';
import { Defer, RejectDocument, RetryLater, SkipDocument, StopLane } from '../../shared/errors.ts';
import { Circuits, LaneClosed } from '../../shared/ledger/circuit.ts';
import type { DocumentItem } from '../../shared/ledger/document-item.ts';
import type { Documents } from '../../shared/ledger/documents.ts';
import type { StepMessage } from '../../shared/messages.ts';
import { backoffMs, laneStopped, revived, settle } from '../../shared/steps/outcome.ts';
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
    expect((await circuits.get('claude'))?.state).toBe('open');
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
      { next: 'retry', delayMs: 3_000 },
      { next: 'done' },
    ]);
    expect(await record()).toMatchObject({
      status: 'failed',
      attempts: { normalize: 3 },
      error: { code: 'claude.server_error', requestId: 'req_1' },
    });
  });

  test('waits as long as the error asks', async () => {
    const error = new RetryLater({ code: 'claude.overloaded', message: 'm', delayMs: 0 });

    expect(await settled(error)).toEqual({ next: 'retry', delayMs: 0 });
  });

  test('keeps the error of an attempt in the record and tells the log its cause', async () => {
    const cause = new Error('socket hang up');
    await settled(new RetryLater({ code: 'claude.unreachable', message: 'no route', cause }));

    const kept = await record();
    expect(kept).toMatchObject({
      status: 'received',
      attempts: { normalize: 1 },
      error: { code: 'claude.unreachable', message: 'no route', step: 'normalize' },
    });
    expect(kept?.error).not.toHaveProperty('requestId');
    expect(logged).toMatchObject([
      {
        level: 'warn',
        message: 'attempt failed',
        fields: {
          key: 'a.txt',
          code: 'claude.unreachable',
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
    await settled(new RetryLater({ code: 'claude.unreachable', message: 'no route', cause }));

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
  [3, 0.5, 6_000],
  [8, 1, 256_000],
  [9, 0, 150_000],
  [20, 1, 300_000],
])('after %i attempts a random %d makes a wait of %i ms', (attempts, random, expected) => {
  expect(backoffMs(attempts, () => random)).toBe(expected);
});
