import { spawnSync } from 'node:child_process';
import { readdirSync, statSync } from 'node:fs';
import { expect, test } from 'vitest';

const root = new URL('../../', import.meta.url);
const samples = new URL('infra/local/samples/', root);
const written = () => readdirSync(samples).map((name) => statSync(new URL(name, samples)).mtimeMs);

test.each([
  ['chaos', 'test/chaos/main.ts'],
  ['recall', 'test/corpus/recall.ts'],
  ['bench', 'test/bench/main.ts'],
  ['fixtures', 'test/fixtures/make.ts'],
  ['ask', 'infra/local/ask/main.ts'],
])('npm run %s -- --help prints its usage and does nothing else', (script, file) => {
  const before = written();

  const { status, stdout, stderr } = spawnSync(process.execPath, [file, '--help'], {
    cwd: root,
    encoding: 'utf8',
  });

  expect(stderr).toBe('');
  expect(stdout).toMatch(new RegExp(`^Usage: npm run ${script}\\b`));
  expect(status).toBe(0);
  expect(written()).toEqual(before);
});

test('an unknown bench is refused in one line', () => {
  const { status, stderr } = spawnSync(process.execPath, ['test/bench/main.ts', 'nothing'], {
    cwd: root,
    encoding: 'utf8',
  });

  expect(status).toBe(2);
  expect(stderr.trim().split('\n')).toHaveLength(1);
  expect(stderr).toContain('Unknown bench "nothing"');
});
