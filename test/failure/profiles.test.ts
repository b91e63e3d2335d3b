import { zipSync } from 'fflate';
import { afterEach, describe, expect, test } from 'vitest';
import { crashEverywhere } from '../world/crash.ts';
import { mailWith } from '../world/mail.ts';
import { memoryLedger } from '../world/memory-dynamodb.ts';
import { settleDown } from '../world/settle-down.ts';
import { partOf } from '../world/world.ts';
import { begin, binary, drop, first, hour, paidCalls, present, world } from './support.ts';

/* What decides a document's profile, and what becomes of it when that is wrong or changes. */

afterEach(() => world.close());

const day = 24 * hour;
const config = JSON.stringify({
  profiles: [
    { prefix: 'contracts/', name: 'contracts', prompt: 'Name the parties.' },
    { prefix: 'raw/', mode: 'off' },
    { name: 'careful', effort: 'high' },
    { name: 'datasets', containerUploads: true },
  ],
});

/** Drops a file that asks for a profile, and works until all have ended. */
async function asking(key: string, content: string | Uint8Array, profileAsked: string) {
  world.deliver(world.drop(key, content, { profileAsked }));
  await world.drain();
  return present(key);
}

describe('an object that asks for a profile', () => {
  test('by its metadata has that one, whatever its key', async () => {
    await begin({ config });

    const record = await asking('raw/a.txt', first, 'careful');

    expect(record).toMatchObject({ status: 'ready', profile: 'careful' });
    expect(record.profileHash).toMatch(/^[0-9a-f]{16}$/);
    expect(record.summary?.text).toContain('Sales rose');
  });

  test('by a tag has that one', async () => {
    await begin({ config });
    const tags = { project: 'x', 'dropline-profile': 'contracts' };

    world.deliver(world.drop('a.txt', first, { tags }));
    await world.drain();

    expect(await present('a.txt')).toMatchObject({ status: 'ready', profile: 'contracts' });
  });

  test('by both has the one of its metadata, and its tags are not read', async () => {
    await begin({ config });
    world.buckets.profileTag = () => Promise.reject(new Error('not to be read'));
    const tags = { 'dropline-profile': 'contracts' };

    world.deliver(world.drop('a.txt', first, { profileAsked: 'careful', tags }));
    world.deliver(world.drop('b.txt', first));
    await world.drain();

    expect(await present('a.txt')).toMatchObject({ status: 'ready', profile: 'careful' });
    expect(await present('b.txt')).toMatchObject({ status: 'ready', profile: 'default' });
  });

  test('with tags about other things has that of its key', async () => {
    await begin({ config });

    world.deliver(world.drop('contracts/a.txt', first, { tags: { project: 'x' } }));
    await world.drain();

    expect(await present('contracts/a.txt')).toMatchObject({ profile: 'contracts' });
  });

  test('no longer, when it is dropped again without, has that of its key', async () => {
    await begin({ config });
    await asking('raw/a.txt', first, 'careful');

    drop('raw/a.txt', first);
    await world.drain();

    const record = await present('raw/a.txt');
    expect(record).toMatchObject({ status: 'ready', profile: 'raw' });
    expect(record.summary).toBeUndefined();
    expect(record).not.toHaveProperty('profileAsked');
  });

  test('decides whether its type is uploaded unconverted', async () => {
    await begin({ config });

    expect(await asking('a.bin', binary, 'datasets')).toMatchObject({
      status: 'ready',
      block: 'container_upload',
      profile: 'datasets',
    });
  });
});

describe('parts', () => {
  test('have the profile that their container asks for', async () => {
    await begin({ config });

    await asking('raw/a.eml', mailWith('figures'), 'careful');

    expect(await present(partOf('raw/a.eml', 'figures.txt'))).toMatchObject({
      status: 'ready',
      profile: 'careful',
    });
  });

  test('in containers within containers too', async () => {
    await begin({ config });
    const inner = zipSync({ 'c.txt': Buffer.from(first) });

    await asking('a.zip', zipSync({ 'b.zip': inner }), 'contracts');

    const b = partOf('a.zip', 'b.zip');
    expect(await present(b)).toMatchObject({ status: 'skipped', profile: 'contracts' });
    expect(await present(partOf(b, 'c.txt'))).toMatchObject({
      status: 'ready',
      profile: 'contracts',
    });
  });

  test('have the profile of their own key when their container asks for none', async () => {
    await begin({ config });

    drop('contracts/a.eml', mailWith('figures'));
    await world.drain();

    expect(await present(partOf('contracts/a.eml', 'figures.txt'))).toMatchObject({
      status: 'ready',
      profile: 'contracts',
    });
  });
});

describe('a profile that does not exist', () => {
  test('ends the document that asks for it, with advice, and no other', async () => {
    await begin({ config });
    drop('b.txt', first);

    const record = await asking('a.txt', first, 'contract');

    expect(record).toMatchObject({
      status: 'failed',
      profile: 'contract',
      error: { code: 'profile.unknown', step: 'normalize' },
    });
    expect(record).not.toHaveProperty('profileHash');
    expect(record.error?.message).toContain('"contract"');
    expect(record.error?.advice).toContain('dropline.config.json');
    expect(await present('b.txt')).toMatchObject({ status: 'ready' });
  });

  test('ends the parts of the container that asks for it', async () => {
    await begin({ config });

    await asking('a.eml', mailWith('figures'), 'contract');

    expect(await present('a.eml')).toMatchObject({ error: { code: 'profile.unknown' } });
    expect(await world.record(partOf('a.eml', 'figures.txt'))).toBeUndefined();
  });

  test('may be made later: a retry reads the tag again', async () => {
    await begin({ config });
    const tags = { 'dropline-profile': 'contract' };
    world.deliver(world.drop('a.txt', first, { tags }));
    await world.drain();
    expect(await present('a.txt')).toMatchObject({ status: 'failed' });

    tags['dropline-profile'] = 'contracts';
    await world.reconcile({ retry: ['profile.unknown'] });
    await world.drain();

    const record = await present('a.txt');
    expect(record).toMatchObject({ status: 'ready', profile: 'contracts' });
    expect(record).not.toHaveProperty('error');
  });
});

describe('a profile that is changed', () => {
  const careful = '{"profiles": [{"prefix": "a/", "prompt": "Name the parties."}]}';

  test('changes nothing for a document that is ready, whatever is delivered again', async () => {
    await begin();
    drop('a/x.txt', first);
    await world.drain();
    const before = await present('a/x.txt');

    world.config = careful;
    world.deliver(...world.events);
    await world.drain();
    await world.reconcile({ sweep: true });
    await settleDown(world);

    expect(await present('a/x.txt')).toEqual(before);
    expect(paidCalls()).toBe(1);
  });

  test('is the one of a document that is dropped again, and its question is paid for', async () => {
    await begin();
    drop('a/x.txt', first);
    await world.drain();
    const before = await present('a/x.txt');

    world.config = careful;
    drop('a/x.txt', first);
    await world.drain();

    const now = await present('a/x.txt');
    expect(now).toMatchObject({ status: 'ready', profile: 'a', fileId: before.fileId });
    expect(now.profileHash).not.toBe(before.profileHash);
    expect(now.answers?.summary?.question).not.toBe(before.answers?.summary?.question);
    expect(paidCalls()).toBe(2);
  });

  test('while a document is under way is the one that the record tells of', async () => {
    await begin();
    drop('a/x.txt', first);
    await world.work({ only: ['intake'] });
    const before = await present('a/x.txt');

    world.config = careful;
    await world.drain();

    const now = await present('a/x.txt');
    expect([before.profile, now.profile]).toEqual(['default', 'a']);
    expect(now.profileHash).not.toBe(before.profileHash);
  });

  test('and has gone before its document was uploaded ends it, and a retry goes on once it is back', async () => {
    const named = '{"profiles": [{"name": "careful", "effort": "high"}]}';
    await begin({ config: named });
    world.deliver(world.drop('x.txt', first, { profileAsked: 'careful' }));
    await world.work({ only: ['intake'] });

    world.config = '{}';
    await world.drain();
    expect(await present('x.txt')).toMatchObject({
      status: 'failed',
      error: { code: 'profile.unknown', step: 'upload' },
    });
    expect(world.emulator.files()).toEqual([]);

    world.config = named;
    await world.reconcile({ retry: ['profile.unknown'] });
    await world.drain();
    expect(await present('x.txt')).toMatchObject({ status: 'ready', profile: 'careful' });
  });

  test('gives a document that was cut off more room, when a person has it tried again', async () => {
    await begin({ config: '{"profiles": [{"prefix": "", "maxTokens": 300}]}' });
    world.emulator.addFault({ kind: 'max_tokens' });
    drop('x.txt', first);
    await world.drain();
    expect(await present('x.txt')).toMatchObject({
      status: 'failed',
      error: { code: 'summarize.max_tokens' },
    });

    world.config = '{"profiles": [{"prefix": "", "maxTokens": 3000}]}';
    await world.reconcile({ retry: ['summarize.max_tokens'] });
    await world.drain();

    expect(await present('x.txt')).toMatchObject({ status: 'ready' });
    expect(paidCalls()).toBe(2);
  });
});

test('documents with one content and two questions have one file and two answers', async () => {
  await begin({ config });

  world.deliver(world.drop('a.txt', first), world.drop('contracts/a.txt', first));
  await world.drain();

  const [a, b] = [await present('a.txt'), await present('contracts/a.txt')];
  expect(b.fileId).toBe(a.fileId);
  expect(b.answers?.summary?.question).not.toBe(a.answers?.summary?.question);
  expect(paidCalls()).toBe(2);
});

test('two profiles that ask the same question share the answer', async () => {
  await begin({ config: '{"profiles": [{"prefix": "a/"}, {"prefix": "b/"}]}' });

  world.deliver(world.drop('a/x.txt', first), world.drop('b/x.txt', first));
  await world.drain();

  expect(await present('b/x.txt')).toMatchObject({ status: 'ready', profile: 'b' });
  expect(paidCalls()).toBe(1);
});

test('a file that expires is uploaded again, to expire again, while a document refers to it', async () => {
  await begin({ config: '{"profiles": [{"prefix": "", "expiryDays": 10}]}' });
  drop('a.txt', first);
  await world.drain();
  const before = await present('a.txt');
  const lasts = () => Date.parse(before.fileExpiresAt ?? '') - world.now();
  expect(Math.round(lasts() / day)).toBe(10);

  world.advance(8 * day);
  await world.reconcile({ sweep: true });
  await settleDown(world);

  const now = await present('a.txt');
  expect(now.fileId).not.toBe(before.fileId);
  expect(Date.parse(now.fileExpiresAt ?? '') - world.now()).toBeGreaterThan(9 * day);
  expect(paidCalls()).toBe(1);
});

test.each([
  {
    name: 'an object asks for a profile',
    events: (w: typeof world) => [w.drop('raw/a.txt', first, { profileAsked: 'careful' })],
    expected: { 'raw/a.txt': 'Sales rose' },
  },
  {
    name: 'a mail asks for a profile',
    events: (w: typeof world) => [
      w.drop('raw/a.eml', mailWith('figures'), { profileAsked: 'careful' }),
    ],
    expected: {
      'raw/a.eml': 'turbines',
      [partOf('raw/a.eml', 'figures.txt')]: 'speaks of figures',
    },
  },
])(
  'when $name, the invariants hold wherever a worker dies',
  async (scenario) => {
    const points = await crashEverywhere(memoryLedger(), { ...scenario, options: { config } });

    expect(points).toBeGreaterThan(15);
    await begin();
  },
  120_000,
);
