import { spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';
import { hashOf, planOf } from './plan.ts';

const main = fileURLToPath(new URL('main.ts', import.meta.url));
const chaos = (...args: string[]) =>
  spawnSync(process.execPath, [main, ...args], { encoding: 'utf8', timeout: 170_000 });

test('a small run on the local stack keeps the invariants', () => {
  const { status, stdout, stderr } = chaos('--seed', '1', '--documents', '40');

  expect(stdout, stderr).toContain('All invariants hold.');
  expect(stdout).toContain(`seed 1, 40 documents: plan ${hashOf(planOf(1, 40))}`);
  expect(stderr).toMatch(/killed \w+ after/);
  expect(status).toBe(0);
}, 180_000);

test('the same seed gives the same plan, another seed another', () => {
  expect(planOf(3, 500)).toEqual(planOf(3, 500));
  expect(hashOf(planOf(3, 500))).toBe(hashOf(planOf(3, 500)));
  expect(hashOf(planOf(4, 500))).not.toBe(hashOf(planOf(3, 500)));
  expect(hashOf(planOf(3, 501))).not.toBe(hashOf(planOf(3, 500)));
});

test('a plan contains its share of everything', () => {
  const { actions, kills, late, end } = planOf(3, 500);

  const puts = actions.filter((action) => action.do === 'put');
  const contents = new Set(puts.map(({ content }) => content));
  expect(1 - contents.size / puts.length).toBeCloseTo(0.3, 1);
  expect(Object.keys(end)).toHaveLength(500);
  expect(Object.values(end).filter((content) => content === null).length).toBeGreaterThan(30);
  expect(puts.length).toBeGreaterThan(580);
  expect(kills).toHaveLength(20);
  expect(new Set(kills.map(({ step }) => step)).size).toBe(4);
  expect(late.length).toBeGreaterThan(15);

  const delivered = new Map<number, number>();
  const done = new Set<number>();
  let overtaken = 0;
  let newest = -1;
  for (const action of actions) {
    if (action.do !== 'deliver') {
      done.add(action.change);
      continue;
    }
    expect(done).toContain(action.change);
    delivered.set(action.change, (delivered.get(action.change) ?? 0) + 1);
    if (action.change < newest) overtaken += 1;
    newest = Math.max(newest, action.change);
  }
  expect(delivered.size).toBe(done.size);
  expect(new Set(delivered.values())).toEqual(new Set([1, 2, 3]));
  expect(overtaken).toBeGreaterThan(500);
});

test.each([['--documents', '0'], ['--documents', 'many'], ['--seed', '-1'], ['--what']])(
  'wrong usage (%s %s) is reported in one line',
  (...args) => {
    const { status, stdout, stderr } = chaos(...args);

    expect(status).toBe(2);
    expect(stdout).toBe('');
    expect(stderr.trim().split('\n')).toHaveLength(1);
    expect(stderr).toContain('Usage: npm run chaos');
  },
);
