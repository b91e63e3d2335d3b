import { createHash } from 'node:crypto';
import { Chance } from '../world/random.ts';

/** Something that a user of the bucket does, or an event that S3 delivers. */
export type Action =
  | { do: 'put'; change: number; key: string; content: number }
  | { do: 'remove'; change: number; key: string }
  /** Delivers the event of that change, once more if it was delivered before. */
  | { do: 'deliver'; change: number };

export interface Kill {
  after: number;
  /** Whose processes. */
  step: 'normalize' | 'upload' | 'summarize' | 'all';
}

/** Everything that chance decides beforehand. */
export interface Plan {
  seed: number;
  documents: number;
  /** In the order in which they happen. */
  actions: Action[];
  /** What each key holds in the end; `null` when it was removed. */
  end: Record<string, number | null>;
  /** Processes are killed when so many messages were worked off. */
  kills: Kill[];
  /** Changes whose events are delivered once more hours later, when all is over. */
  late: number[];
  /** Seeds of the API's faults. */
  faultSeeds: number[];
}

/** Of new files so many have a content that another has. */
const duplicates = 0.3;
/** Of all changes so many are announced once more when all is over. */
const late = 0.05;
/** So many documents fall on one kill. */
const documentsPerKill = 25;

/**
 * Plans a run. The same seed and number give the same plan.
 * @param documents keys that are dropped; about a third of them is overwritten or removed as well
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

/** What happens to one key: always a file first. */
function historyOf(chance: Chance): ('put' | 'remove')[] {
  const luck = chance.next();
  if (luck < 0.65) return ['put'];
  if (luck < 0.8) return ['put', 'put'];
  if (luck < 0.9) return ['put', 'remove'];
  if (luck < 0.95) return ['put', 'remove', 'put'];
  return ['put', 'put', 'remove'];
}

/** By what two plans are told apart. */
export function hashOf(plan: Plan): string {
  return createHash('sha256').update(JSON.stringify(plan)).digest('hex').slice(0, 16);
}

/** The text of a content: what its summary has to speak of is in it and in no other. */
export function textOf(content: number): string {
  const lines = Array.from(
    { length: 1 + (content % 20) },
    (_, line) => `Line ${line} ${markOf(content)} pump ${content * 31 + line}.`,
  );
  return lines.join('\n');
}

/** Words that stand in one content alone. */
export const markOf = (content: number): string => `of report ${content} tells of`;
