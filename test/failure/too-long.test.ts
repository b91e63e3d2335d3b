import { afterEach, describe, expect, test } from 'vitest';
import { textPdf } from '../fixtures/pdfs.ts';
import { pointsOf } from '../world/crash.ts';
import type { KillPoint } from '../world/mortal.ts';
import { configOf as config } from './money.ts';
import {
  begin,
  drop,
  ledger,
  normalizeOne,
  paidCalls,
  present,
  remove,
  status,
  uploadOne,
  world,
} from './support.ts';

/* Documents that no call can be about: they fail before they are uploaded, and nothing is paid. */

afterEach(() => world.close());

const counts = () => world.emulator.journal({ operation: 'messages.count_tokens' }).length;
const uploads = () => world.calls('files.upload').length;
const words = (bytes: number, name = 'a'): string =>
  `${name} ${'words of a long text; '.repeat(Math.ceil(bytes / 22))}`.slice(0, bytes);
const tooLong = words(900_000);
const small = (changes: object = {}) =>
  config({}, { name: 'small', prefix: 's/', model: 'claude-haiku-4-5', ...changes });

/** What a document that is too long leaves: its record and no content, file or answer. */
async function expectNothing(key: string, message: RegExp, code = 'summarize.too_long') {
  const record = await present(key);
  expect(record).toMatchObject({ status: 'failed', error: { code, step: 'upload' } });
  expect(record.error?.message).toMatch(message);
  expect(ledger.items().filter(({ pk }) => String(pk).startsWith('CONTENT#'))).toEqual([]);
  expect(world.emulator.files()).toEqual([]);
  expect([uploads(), paidCalls()]).toEqual([0, 0]);
}

describe('a PDF of more pages than the model takes', () => {
  test('fails before its upload, and comes back with a model that takes it', async () => {
    await begin({ config: small() });
    drop('s/a.pdf', await textPdf(101));
    await world.drain();
    await expectNothing(
      's/a.pdf',
      /^The PDF has 101 pages; claude-haiku-4-5, the model of the profile "small", takes 100 pages/,
    );
    expect(counts()).toBe(0);

    world.config = small({ model: 'claude-haiku-5-5' });
    await world.reconcile({ retry: ['summarize.too_long'] });
    await world.drain();
    expect(await status('s/a.pdf')).toBe('ready');
  });

  test('is uploaded where nothing is asked about it', async () => {
    await begin({ config: small({ mode: 'off' }) });
    drop('s/a.pdf', await textPdf(101));
    await world.drain();
    expect(await status('s/a.pdf')).toBe('ready');
    expect([uploads(), paidCalls()]).toEqual([1, 0]);
  });
});

describe('a PDF of as many pages as the model takes', () => {
  test('is counted, and fails before its upload where its tokens cost too much', async () => {
    // 1,500 tokens for the picture of each page, at 1 USD a million.
    await begin({ config: small({ maxUsdPerDocument: 0.1 }) });
    drop('s/a.pdf', await textPdf(70));
    await world.drain();
    await expectNothing('s/a.pdf', /^The prompt has 10\d,\d{3} tokens/, 'summarize.too_expensive');
    expect(counts()).toBe(1);
  });
});

describe('a text', () => {
  test('of more tokens than the model takes is counted, and fails before its upload', async () => {
    await begin({ config: small() });
    drop('s/a.txt', tooLong);
    await world.drain();
    await expectNothing(
      's/a.txt',
      /prompt is too long: 22\d{4} tokens > 200000 maximum\. Nothing was uploaded/,
    );
    expect(counts()).toBe(1);
  });

  test('that may be too long and is not goes up, once counted', async () => {
    await begin({ config: small() });
    drop('s/a.txt', words(600_000));
    await world.drain();
    expect(await status('s/a.txt')).toBe('ready');
    expect([uploads(), paidCalls()]).toEqual([1, 1]);
  });

  test('too large to be counted is estimated', async () => {
    await begin();
    drop('a.txt', words(8_100_000));
    await world.drain();
    await expectNothing(
      'a.txt',
      /8,100,000 bytes, an estimated 1,012,500 tokens or more; claude-haiku-5-5/,
    );
    expect(counts()).toBe(0);
  });

  test('whose answer would cost too much fails before its upload, and comes back with another limit', async () => {
    const limited = (maxUsdPerDocument: number) => config({}, { prefix: '', maxUsdPerDocument });
    await begin({ config: limited(0.005) });
    drop('a.txt', words(300_000));
    await world.drain();
    await expectNothing(
      'a.txt',
      /maxUsdPerDocument of the profile "default" is \$0\.005/,
      'summarize.too_expensive',
    );

    world.config = limited(0.05);
    await world.reconcile({ retry: ['summarize.too_expensive'] });
    await world.drain();
    expect(await status('a.txt')).toBe('ready');
  });

  test('that is answered already is copied, whatever its profile would pay', async () => {
    const paid = { prefix: '', maxUsdPerDocument: 0.05 };
    await begin({ config: config({}, paid) });
    const same = words(300_000);
    drop('a.txt', same);
    await world.drain();
    world.config = config({}, { ...paid, maxUsdPerDocument: 0.005 });
    drop('b.txt', same);
    await world.drain();
    expect(await status('b.txt')).toBe('ready');
    expect([uploads(), paidCalls()]).toEqual([1, 1]);
  });

  test('is counted again by whoever takes over from a worker that died at any of its calls', async () => {
    const dropped = async (kill?: KillPoint) => {
      await begin({ config: small() });
      drop('s/a.txt', tooLong);
      await normalizeOne();
      const life = await uploadOne({ kill });
      await world.drain();
      await expectNothing('s/a.txt', /too long/);
      return life?.calls ?? [];
    };
    const made = await dropped();
    expect(made).toContain('claude.countTokens');
    for (const point of pointsOf(made)) {
      await world.close();
      await dropped(point);
    }
  });

  test('that is removed while it is counted is gone', async () => {
    await begin({ config: small() });
    drop('s/a.txt', tooLong);
    await normalizeOne();
    await uploadOne({
      gate: async (call) => {
        if (call !== 'claude.countTokens') return;
        remove('s/a.txt');
        await normalizeOne();
      },
    });
    await world.drain();
    expect(await status('s/a.txt')).toBe('removed');
    expect([uploads(), paidCalls(), world.emulator.files()]).toEqual([0, 0, []]);
  });

  test('waits while calls are stopped, and is counted again after a lost reply', async () => {
    await begin({ config: small() });
    world.emulator.addFault({ kind: 'lost_reply', operation: 'messages.count_tokens', count: 1 });
    drop('s/a.txt', words(600_000));
    await world.drain();
    expect(await status('s/a.txt')).toBe('ready');
    expect([uploads(), paidCalls()]).toEqual([1, 1]);
    expect(counts()).toBe(2);

    world.emulator.addFault({ kind: 'credit_balance' });
    drop('s/b.txt', tooLong);
    await world.drain();
    expect(await status('s/b.txt')).toBe('held');
  });
});
