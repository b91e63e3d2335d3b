import { expect, test } from 'vitest';
import { illustratedReport } from '../fixtures/documents.ts';
import { interleave } from '../world/interleave.ts';
import { checkInvariants, type Expected } from '../world/invariants.ts';
import { memoryLedger } from '../world/memory-dynamodb.ts';
import type { Gate, KillPoint, Life } from '../world/mortal.ts';
import { Chance } from '../world/random.ts';
import { settleDown } from '../world/settle-down.ts';
import { type InboxEvent, World } from '../world/world.ts';

/**
 * Everything at once, in one process and from a seed: files dropped, overwritten, removed and restored, events in
 * any order and up to three times, up to three workers and the reconciler at once, calls refused, failed and their
 * replies lost, workers and reconcilers killed anywhere. The invariants are checked once all is quiet.
 */

const subjects = ['turbines', 'valves', 'pumps', 'rotors'];
const textOf = (subject: string) =>
  `Of ${subject} this text speaks. Of ${subject} alone it speaks. It has three sentences.`;

/** What users of the bucket do to one key, and what it ends up holding. */
function history(
  world: World,
  key: string,
  chance: Chance,
): { events: InboxEvent[]; end: string | null } {
  const events: InboxEvent[] = [];
  /** The versions under the key; a subject of `null` is a delete marker. */
  const stack: { versionId: string; subject: string | null }[] = [];
  const push = (event: InboxEvent, subject: string | null) => {
    events.push(event);
    stack.push({ versionId: event.versionId ?? '', subject });
  };
  for (let times = chance.int(1, 4); times > 0; times -= 1) {
    const newest = stack.at(-1);
    const choice = chance.next();
    if (newest && choice < 0.15) {
      const gone = chance.pick(stack);
      stack.splice(stack.indexOf(gone), 1);
      events.push(world.removeVersion(key, gone.versionId));
    } else if (newest?.subject && choice < 0.35) push(world.remove(key), null);
    else {
      const subject = chance.pick(subjects);
      const printed = key.endsWith('.docx');
      push(world.drop(key, printed ? illustrated : textOf(subject)), subject);
    }
  }
  return { events, end: stack.at(-1)?.subject ?? null };
}

const illustrated = await illustratedReport();

const faults = [
  { kind: 'error', status: 429, retryAfter: 2, probability: 0.1 },
  { kind: 'error', status: 500, probability: 0.03 },
  { kind: 'error', status: 529, probability: 0.02 },
  { kind: 'cut_before', probability: 0.02 },
  { kind: 'lost_reply', probability: 0.05 },
] as const;

const withFields = JSON.stringify({
  profiles: [
    {
      prefix: '',
      schema: {
        type: 'object',
        properties: { facts: { type: 'array', items: { type: 'string' } } },
      },
    },
  ],
});

async function play(seed: number): Promise<void> {
  const chance = new Chance(seed);
  // Every other time, a summary and fields are asked for, and an answer may not follow the schema.
  const asksForFields = seed % 2 === 1;
  const options = asksForFields ? { config: withFields } : {};
  const world = await World.create(memoryLedger(), { pick: chance.next, ...options });
  try {
    if (asksForFields) world.emulator.addFault({ kind: 'invalid_output', skip: 1 });
    for (const [index, fault] of faults.entries()) {
      world.emulator.addFault({ ...fault, seed: seed * 10 + index });
    }
    const expected: Expected = {};
    const events: InboxEvent[] = [];
    for (let number = chance.int(1, 4); number > 0; number -= 1) {
      const key = `${number}.${chance.flip(0.1) ? 'docx' : 'txt'}`;
      const one = history(world, key, chance);
      expected[key] = one.end && (key.endsWith('.docx') ? 'Printed from a docx' : `Of ${one.end}`);
      events.push(...one.events.flatMap((event) => Array(chance.int(1, 3)).fill(event)));
    }
    let kills = 0;
    const worker =
      (
        mortality: number,
        calls: number,
        work: (options: { kill: KillPoint | undefined; gate: Gate }) => Promise<Life | undefined>,
      ) =>
      async (gate: Gate) => {
        const when = chance.pick(['before', 'after'] as const);
        const kill = chance.flip(mortality) ? { call: chance.int(0, calls), when } : undefined;
        const life = await work({ kill, gate });
        if (life?.dead) kills += 1;
      };
    const one = (options: { kill: KillPoint | undefined; gate: Gate }) => world.work(options);
    const reconciler = async (options: { kill: KillPoint | undefined; gate: Gate }) =>
      (await world.reconcile(options)).life;
    for (const event of chance.shuffle(events)) {
      world.deliver(event);
      for (let steps = chance.int(0, 3); steps > 0; steps -= 1) {
        const workers = Array.from({ length: chance.int(1, 3) }, () => worker(0.15, 15, one));
        // Sometimes the reconciler runs beside them.
        if (chance.flip(0.1)) workers.push(worker(0.5, 60, reconciler));
        await interleave(workers, (waiting) => chance.pick(waiting));
        world.advance(chance.int(0, 3_000));
      }
      // Sometimes the messages of dead workers become visible again.
      if (chance.flip(0.05)) world.advance(3 * 3_600_000);
    }
    await world.drain();
    world.emulator.clearFaults();
    await settleDown(world);

    const lost = world.emulator.journal({ operation: 'messages.create', fault: 'lost_reply' });
    const invalid = world.emulator.journal({ fault: 'invalid_output' });
    await checkInvariants(world, expected, kills + lost.length + invalid.length);
  } finally {
    await world.close();
  }
}

test.each([0, 1, 2, 3])(
  'the invariants hold whatever happens, part %i',
  async (part) => {
    for (let seed = part * 20; seed < part * 20 + 20; seed += 1) {
      await play(seed).catch((cause: unknown) => {
        throw new Error(`seed ${seed}`, { cause });
      });
    }
    expect.hasAssertions();
  },
  120_000,
);
