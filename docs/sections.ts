import { readdirSync, readFileSync } from 'node:fs';
import { maxReceives, queuedSteps, steps, visibilitySeconds } from '../shared/journey/steps.ts';

/**
 * A page written by hand, with one section made from the code. The section lies between the comments
 * `made: <name>` and `end: <name>`.
 * @param path of the page, below docs/
 * @returns the whole page, the section made again
 * @throws Error when the page lacks one of the two comments
 */
export function withSection(path: string, name: string, section: string): string {
  const page = readFileSync(new URL(path, import.meta.url), 'utf8');
  const [begin, end] = [`<!-- made: ${name}, by \`npm run docs\` -->\n`, `<!-- end: ${name} -->`];
  const from = page.indexOf(begin);
  const to = page.indexOf(end);
  if (from < 0 || to < from) throw new Error(`docs/${path} has no section ${name}`);
  return `${page.slice(0, from + begin.length)}\n${section}\n\n${page.slice(to)}`;
}

/** The table of steps on the architecture page, from shared/journey/steps.ts. */
export function stepsTable(): string {
  const rows = queuedSteps.map((step) => {
    const { queue, worksOn, leadsTo, timeoutSeconds, batchSize, concurrency } = steps[step];
    return row(
      step,
      queue,
      `\`${worksOn}\``,
      `\`${leadsTo}\``,
      `${timeoutSeconds} s`,
      `${visibilitySeconds(step) / 60} min`,
      String(batchSize),
      String(concurrency),
    );
  });
  const head = ['step', 'queue', 'works on', 'leads to', 'timeout', 'visibility', 'batch'];
  const text = `A message that has been received ${maxReceives} times without success moves to the queue's dead-letter queue.`;
  return [row(...head, 'workers'), row(...'--------'.split('')), ...rows, '', text].join('\n');
}

/** The list of decisions, from the first lines of each record. */
export function decisionsIndex(): string {
  const rows = decisionFiles().map((file) => {
    const record = readFileSync(new URL(`decisions/${file}`, import.meta.url), 'utf8');
    const title = /^# \d+\.? (.+)$/m.exec(record)?.[1] ?? '';
    const status = /^Status: (.+)$/m.exec(record)?.[1] ?? '';
    return row(`[${file.slice(0, 4)}](${file})`, title, status);
  });
  return [row('number', 'decision', 'status'), row('-', '-', '-'), ...rows].join('\n');
}

/** File names of the decision records, in the order of their numbers. */
export const decisionFiles = (): string[] =>
  readdirSync(new URL('decisions/', import.meta.url))
    .filter((name) => /^\d{4}-/.test(name))
    .sort();

const row = (...cells: string[]): string =>
  `| ${cells.map((cell) => (cell === '-' ? '---' : cell)).join(' | ')} |`;
