import { readdirSync, readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import {
  codes,
  formatCodes,
  formatWarnings,
  journeyWarnings,
  printWarnings,
} from '../../shared/codes/index.ts';

const root = new URL('../../', import.meta.url);
const sources = ['shared', 'functions', 'infra/local/normalize']
  .flatMap((folder) =>
    readdirSync(new URL(folder, root), { recursive: true, encoding: 'utf8' })
      .filter((name) => name.endsWith('.ts') && !`${folder}/${name}`.startsWith('shared/codes/'))
      .map((name) => readFileSync(new URL(`${folder}/${name}`, root), 'utf8')),
  )
  .join('\n');
/** Codes of conversions in the sources, and those that the sandbox makes up of how a child ended. */
const raised = new Set([
  ...[...sources.matchAll(/'(normalize\.[a-z_]+)'/g)].map(([, code]) => code ?? ''),
  ...['timeout', 'out_of_memory', 'crashed'].map((ending) => `normalize.${ending}`),
]);
const warnings = { ...formatWarnings, ...printWarnings, ...journeyWarnings };

test('every code of a conversion is in the catalogue, as an error or as a warning', () => {
  const known = [...Object.keys(codes), ...Object.keys(warnings)];

  expect(raised.size).toBeGreaterThan(40);
  expect([...raised].filter((code) => !known.includes(code))).toEqual([]);
  expect(new Set(known).size).toBe(known.length);
});

test('every normalize code in the catalogue is raised somewhere', () => {
  const listed = [...Object.keys(formatCodes), ...Object.keys(formatWarnings)];

  const unused = listed.filter((code) => code.startsWith('normalize.') && !raised.has(code));

  expect(unused).toEqual([]);
});
