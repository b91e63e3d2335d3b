import { spawnSync } from 'node:child_process';
import { readdirSync } from 'node:fs';

/**
 * `npm run bench -- [NAME] [OPTIONS]` runs `test/bench/NAME.ts` with the options; without a name, all
 * of them in turn. Exit code: that of the first bench that failed, 2 for a name that is none.
 */
const [name, ...options] = process.argv.slice(2);
const benches = readdirSync(import.meta.dirname)
  .filter((file) => file.endsWith('.ts') && file !== 'main.ts')
  .map((file) => file.replace(/\.ts$/, ''))
  .sort();

if (name !== undefined && !benches.includes(name)) {
  process.stderr.write(`No bench ${JSON.stringify(name)}; there are: ${benches.join(', ')}\n`);
  process.exit(2);
}

// normalize only calls others.
const all = benches.filter((bench) => bench !== 'normalize');
for (const bench of name === undefined ? all : [name]) {
  process.stderr.write(`bench ${bench}\n`);
  const { status } = spawnSync(
    process.execPath,
    [`${import.meta.dirname}/${bench}.ts`, ...options],
    { stdio: 'inherit' },
  );
  if (status !== 0) process.exit(status ?? 1);
}
