import fc from 'fast-check';
import { strToU8, zipSync } from 'fflate';
import { afterEach, expect, test } from 'vitest';
import type { Limits } from '../../shared/formats/index.ts';
import type { DocumentItem } from '../../shared/ledger/document-item.ts';
import { pointsOf } from '../world/crash.ts';
import { everyPlan, following, interleave } from '../world/interleave.ts';
import { memoryLedger } from '../world/memory-dynamodb.ts';
import type { Gate, KillPoint } from '../world/mortal.ts';
import { Chance } from '../world/random.ts';
import { partOf, World } from '../world/world.ts';

/** One dropped file becomes no more documents than `maxParts`, whatever is nested in it and whoever dies. */

/** A tree of archives: a name and a text, or a name and what is inside. */
type Tree = { [name: string]: string | Tree };

const zipOf = (tree: Tree): Buffer =>
  Buffer.from(
    zipSync(
      Object.fromEntries(
        Object.entries(tree).map(([name, inside]) => [
          name,
          typeof inside === 'string' ? strToU8(inside) : zipOf(inside),
        ]),
      ),
    ),
  );

/** `count` texts. */
const texts = (count: number): Tree =>
  Object.fromEntries(
    Array.from({ length: count }, (_, at) => [`${at}.txt`, `The text with the number ${at}.`]),
  );

let world: World;
let ledger: ReturnType<typeof memoryLedger>;
afterEach(() => world.close());

async function begin(limits: Partial<Limits>, options: { pick?: () => number } = {}) {
  ledger = memoryLedger();
  world = await World.create(ledger, options);
  world.settings.limits = { ...world.settings.limits, maxNesting: 5, ...limits };
}

/** Works off the intake queue alone: what follows costs time and tells nothing here. */
async function intake(kill?: KillPoint): Promise<string[]> {
  let first = await world.work({ only: ['intake'], kill });
  const { calls } = first ?? { calls: [] };
  for (;;) {
    first = await world.work({ only: ['intake'] });
    if (first) continue;
    const next = world.queues.intake.nextAt();
    if (next === undefined) return calls;
    world.advance(Math.max(0, next - world.now()));
  }
}

/** Every part that became a document, by key. */
const parts = (): DocumentItem[] =>
  ledger
    .items()
    .filter((item) => item.sk === 'DOC' && item.parent !== undefined) as unknown as DocumentItem[];

const keys = (): string[] =>
  parts()
    .map(({ key }) => key)
    .sort();

test('an archive with more files than the limit says how many are left out', async () => {
  await begin({ maxParts: 4 });
  world.deliver(world.drop('a.zip', zipOf(texts(10))));

  await intake();

  expect(keys()).toEqual(['0.txt', '1.txt', '2.txt', '3.txt'].map((name) => partOf('a.zip', name)));
  const root = await world.record('a.zip');
  expect(root).toMatchObject({
    status: 'skipped',
    error: { code: 'normalize.container', message: expect.stringContaining('its 4 parts') },
    partsLeftOut: { code: 'normalize.parts_left_out', count: 6 },
  });
  expect(root?.fidelity?.warnings).toContainEqual({
    code: 'normalize.parts_left_out',
    message: expect.stringContaining('6 of 10 files'),
  });
});

test('archives within an archive share its limit, and the root counts for all', async () => {
  await begin({ maxParts: 8 });
  const tree = { 'a.zip': texts(4), 'b.zip': texts(4), 'c.zip': texts(4), 'd.txt': 'A text.' };
  world.deliver(world.drop('root.zip', zipOf(tree)));

  await intake();

  expect(keys()).toHaveLength(8);
  expect((await world.record('root.zip'))?.partsLeftOut?.count).toBe(8);
  const [full, cut, none] = await Promise.all(
    ['a.zip', 'b.zip', 'c.zip'].map((name) => world.record(partOf('root.zip', name))),
  );
  expect(full?.partsLeftOut).toBeUndefined();
  expect(full?.status).toBe('skipped');
  expect(cut).toMatchObject({ status: 'failed', error: { code: 'normalize.too_many_parts' } });
  expect(cut?.partsLeftOut?.count).toBe(4);
  expect(none?.partsLeftOut?.count).toBe(4);
});

test('mails within a mail share its limit', async () => {
  await begin({ maxParts: 3 });
  world.deliver(world.drop('a.eml', mail([mail(['x', 'y']), mail(['x', 'y'])])));

  await intake();

  expect(parts()).toHaveLength(3);
  expect(await world.record('a.eml')).toMatchObject({
    status: 'normalized',
    partsLeftOut: { code: 'normalize.parts_left_out', count: 3 },
  });
});

test('a file dropped again has the whole limit again', async () => {
  await begin({ maxParts: 3 });
  world.deliver(world.drop('a.zip', zipOf(texts(5))));
  await intake();

  world.deliver(world.drop('a.zip', zipOf(texts(2))));
  await intake();

  expect((await world.record('a.zip'))?.partsLeftOut).toBeUndefined();
  const status = (name: string) => world.record(partOf('a.zip', name)).then((one) => one?.status);
  expect(await status('1.txt')).toBe('normalized');
  expect(await status('2.txt')).toBe('removed');
});

const deep: Tree = { 'a.zip': texts(3), 'b.zip': { 'c.zip': texts(3), 'd.txt': 'One.' } };

test('the limit holds, and the count is right, wherever a worker dies', async () => {
  let points = 0;
  const play = async (worker: number, kill?: KillPoint): Promise<string[][]> => {
    await begin({ maxParts: 5 });
    world.deliver(world.drop('root.zip', zipOf(deep)));
    const calls: string[][] = [];
    for (;;) {
      const life = await world.work({
        only: ['intake'],
        kill: calls.length === worker ? kill : undefined,
      });
      if (life) calls.push(life.calls);
      else {
        const next = world.queues.intake.nextAt();
        if (next === undefined) break;
        world.advance(Math.max(0, next - world.now()));
      }
    }
    expect(parts()).toHaveLength(5);
    // Which container comes first depends on who died; the root counts what each of them left out.
    const leftOut = parts().reduce((sum, part) => sum + (part.partsLeftOut?.count ?? 0), 0);
    expect(leftOut).toBeGreaterThan(0);
    expect((await world.record('root.zip'))?.partsLeftOut?.count).toBe(leftOut);
    await world.close();
    return calls;
  };

  for (const [worker, made] of (await play(-1)).entries()) {
    for (const point of pointsOf(made)) {
      points += 1;
      await play(worker, point).catch((cause: unknown) => {
        throw new Error(`worker ${worker}, ${point.when} ${made[point.call]}`, { cause });
      });
    }
  }
  expect(points).toBeGreaterThan(40);
}, 120_000);

test('two containers of one tree that are opened at once do not exceed the limit', async () => {
  const played = await everyPlan(2, async (plan) => {
    await begin({ maxParts: 5 });
    world.deliver(world.drop('root.zip', zipOf({ 'a.zip': texts(3), 'b.zip': texts(3) })));
    await world.work({ only: ['intake'] });
    const worker = (gate: Gate) => world.work({ gate, only: ['intake'] });
    const { choose, reached } = following(plan);

    await interleave([worker, worker], choose);
    await intake();

    expect(parts(), `${plan.first}, ${plan.after}`).toHaveLength(5);
    expect((await world.record('root.zip'))?.partsLeftOut?.count).toBe(3);
    await world.close();
    return reached();
  });
  expect(played).toBeGreaterThan(7);
}, 120_000);

test('whatever is nested, delivered twice or late, the same parts fit into the limit', async () => {
  const { tree } = fc.letrec<{ tree: Tree; inside: string | Tree }>((tie) => ({
    inside: fc.oneof({ maxDepth: 3 }, fc.constant('A text. It is short.'), tie('tree')),
    tree: fc.dictionary(fc.stringMatching(/^[a-d]\.(?:txt|zip)$/), tie('inside'), {
      minKeys: 1,
      maxKeys: 4,
    }),
  }));
  const cases = fc.record({ tree, maxParts: fc.integer({ min: 1, max: 8 }), seed: fc.nat() });

  await fc.assert(
    fc.asyncProperty(cases, async ({ tree: given, maxParts, seed }) => {
      const chance = new Chance(seed);
      await begin({ maxParts }, { pick: chance.next });
      world.deliver(world.drop('root.zip', zipOf(given)));
      for (let turns = 0; turns < 5; turns += 1) {
        await world.work({ only: ['intake'] });
        if (chance.flip(0.5)) world.queues.intake.redeliver(world.now());
      }
      await intake();
      const before = keys();
      const all = countOf(given);
      world.deliver(...world.events);
      await intake();

      expect(before.length).toBeLessThanOrEqual(maxParts);
      if (all <= maxParts) expect(before).toHaveLength(all);
      expect(keys()).toEqual(before);
      // What was in a container that is left out, nobody counted.
      const leftOut = (await world.record('root.zip'))?.partsLeftOut?.count ?? 0;
      expect(leftOut > 0).toBe(before.length < all);
      await world.close();
    }),
    { numRuns: 60 },
  );
}, 120_000);

/** Files at all levels of a tree. */
const countOf = (tree: Tree): number =>
  Object.values(tree).reduce<number>(
    (sum, inside) => sum + 1 + (typeof inside === 'string' ? 0 : countOf(inside)),
    0,
  );

/** A mail whose attachments are mails or texts. */
function mail(attachments: string[]): string {
  const boundary = `b${attachments.join('').length}`;
  const attached = attachments.map((content, at) => {
    const isMail = content.length > 1;
    return [
      `--${boundary}`,
      `Content-Type: ${isMail ? 'message/rfc822' : 'text/plain'}`,
      `Content-Disposition: attachment; filename=${at}.${isMail ? 'eml' : 'txt'}`,
      '',
      isMail ? content : `The text ${content}. It is short.`,
    ].join('\r\n');
  });
  return [
    'From: Ada <ada@example.org>',
    'Subject: Mails',
    'MIME-Version: 1.0',
    `Content-Type: multipart/mixed; boundary=${boundary}`,
    '',
    `--${boundary}`,
    'Content-Type: text/plain',
    '',
    'A mail with attachments. Please read them.',
    ...attached,
    `--${boundary}--`,
    '',
  ].join('\r\n');
}
