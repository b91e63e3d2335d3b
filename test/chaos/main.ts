import { parseArgs } from 'node:util';
import { hashOf, planOf } from './plan.ts';
import { run } from './run.ts';

/**
 * `npm run chaos -- [--seed N] [--documents N]`: see `run.ts`. Prints the result, and as its last line whether
 * the invariants hold. Exit code 0 if they do, 1 if not, 2 on wrong usage.
 */
const usage = 'Usage: npm run chaos -- [--seed N] [--documents N]';
const help = `${usage}

Drops, overwrites and removes documents on the local stack while processes are killed and the API fails, all from
a seed, then checks the invariants. Default: seed 1, 500 documents.`;

function numberOf(name: string, given: string): number {
  if (/^\d{1,9}$/.test(given) && (name === 'seed' || Number(given) > 0)) return Number(given);
  process.stderr.write(`--${name} takes a whole number, not ${JSON.stringify(given)}. ${usage}\n`);
  process.exit(2);
}

function options(): { seed: number; documents: number } {
  try {
    const { values } = parseArgs({
      options: {
        seed: { type: 'string', default: '1' },
        documents: { type: 'string', default: '500' },
        help: { type: 'boolean', short: 'h', default: false },
      },
    });
    if (values.help) {
      console.log(help);
      process.exit(0);
    }
    return {
      seed: numberOf('seed', values.seed),
      documents: numberOf('documents', values.documents),
    };
  } catch (error) {
    const [reason] = String(error instanceof Error ? error.message : error).split(/[.\n]/);
    process.stderr.write(`${reason}. ${usage}\n`);
    process.exit(2);
  }
}

const { seed, documents } = options();
const plan = planOf(seed, documents);
const began = performance.now();
const seconds = () => ((performance.now() - began) / 1000).toFixed(1).padStart(7);
console.log(`seed ${seed}, ${documents} documents: plan ${hashOf(plan)}`);
const outcome = await run(plan, (line) => process.stderr.write(`${seconds()} s  ${line}\n`));
const { violations, statuses, ...numbers } = outcome;
for (const [status, count] of Object.entries(statuses)) console.log(`  ${status}: ${count}`);
for (const [name, number] of Object.entries(numbers)) console.log(`  ${name}: ${number}`);
for (const violation of violations) console.log(`violated: ${violation}`);
console.log(violations.length === 0 ? 'All invariants hold.' : 'Invariants are violated.');
process.exitCode = violations.length === 0 ? 0 : 1;
