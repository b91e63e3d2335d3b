import { createHash } from 'node:crypto';
import { Chance } from '../world/random.ts';

/** Something that a user of the bucket does, or an event that S3 delivers. */
export type Action =
  | { do: 'put'; change: number; key: string; content: number }
  | { do: 'remove'; change: number; key: string }
  /** Delivers the event of a change, possibly again. */
  | { do: 'deliver'; change: number };

export interface Kill {
  /** How many messages are done by then. */
  after: number;
  /** Whose processes are killed. */
  step: 'normalize' | 'upload' | 'summarize' | 'all';
}

/** All random decisions of a run, made in advance. */
export interface Plan {
  seed: number;
  documents: number;
  /** In the order in which they happen. */
  actions: Action[];
  /** What each key holds at the end; `null` if it was removed. */
  end: Record<string, number | null>;
  /** In the order in which they happen. */
  kills: Kill[];
  /** Changes whose events are delivered again hours later, when all is quiet. */
  late: number[];
  /** Seeds of the API's faults. */
  faultSeeds: number[];
}

/** Share of new files with the same content as another. */
const duplicates = 0.3;
/** Share of changes whose events are delivered again when all is quiet. */
const late = 0.05;
/** Documents per kill. */
const documentsPerKill = 25;

/**
 * Plans a run. The same seed and number give the same plan.
 * @param documents keys that are dropped; about a third of them are overwritten or removed as well
 */
export function planOf(seed: number, documents: number): Plan {
  const chance = new Chance(seed);
  const timed: { at: number; action: Action }[] = [];
  const end: Plan['end'] = {};
  let contents = 0;
  let change = 0;
  const content = () => {
    if (contents > 0 && chance.flip(duplicates)) return chance.int(0, contents - 1);
    contents += 1;
    return contents - 1;
  };

  for (let document = 0; document < documents; document += 1) {
    const key = `chaos/${document} ${chance.pick(['report', 'Ärger', 'a+b', '50%', '✓'])}.txt`;
    let at = chance.next();
    for (const kind of historyOf(chance)) {
      const held = kind === 'put' ? content() : null;
      timed.push({
        at,
        action:
          held === null ? { do: 'remove', change, key } : { do: 'put', change, key, content: held },
      });
      end[key] = held;
      for (let times = chance.int(1, 3); times > 0; times -= 1) {
        timed.push({ at: at + 0.3 * chance.next(), action: { do: 'deliver', change } });
      }
      at += 0.1 * chance.next();
      change += 1;
    }
  }
  const messages = change * 4;
  const kills = Array.from(
    { length: Math.max(4, Math.round(documents / documentsPerKill)) },
    () => ({
      after: chance.int(1, messages),
      step: chance.pick(['normalize', 'upload', 'summarize', 'all'] as const),
    }),
  );
  return {
    seed,
    documents,
    actions: timed.sort((a, b) => a.at - b.at).map(({ action }) => action),
    end,
    kills: kills.sort((a, b) => a.after - b.after),
    late: Array.from({ length: change }, (_, index) => index).filter(() => chance.flip(late)),
    faultSeeds: Array.from({ length: 8 }, () => chance.int(0, 2 ** 31)),
  };
}

/** What happens to one key; it always begins with a file. */
function historyOf(chance: Chance): ('put' | 'remove')[] {
  const luck = chance.next();
  if (luck < 0.65) return ['put'];
  if (luck < 0.8) return ['put', 'put'];
  if (luck < 0.9) return ['put', 'remove'];
  if (luck < 0.95) return ['put', 'remove', 'put'];
  return ['put', 'put', 'remove'];
}

/** Identifies a plan. */
export function hashOf(plan: Plan): string {
  return createHash('sha256').update(JSON.stringify(plan)).digest('hex').slice(0, 16);
}

/** The text of a content; it contains words that no other content has, and its summary must repeat them. */
export function textOf(content: number): string {
  const lines = Array.from(
    { length: 1 + (content % 20) },
    (_, line) => `Line ${line} ${markOf(content)} pump ${content * 31 + line}.`,
  );
  return lines.join('\n');
}

/** Words that only one content has. */
export const markOf = (content: number): string => `of report ${content} tells of`;
