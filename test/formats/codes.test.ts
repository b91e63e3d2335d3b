import { readdirSync, readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { codes } from '../../shared/codes.ts';
import { formatCodes, formatWarnings } from '../../shared/formats/codes.ts';

const folder = new URL('../../shared/formats/', import.meta.url);
const sources = readdirSync(folder)
  .filter((name) => name !== 'codes.ts')
  .map((name) => readFileSync(new URL(name, folder), 'utf8'))
  .join('\n');
/** Codes that stand in the sources, and the endings that `sandbox.ts` makes codes of. */
const raised = new Set([
  ...[...sources.matchAll(/'(normalize\.[a-z_]+)'/g)].map(([, code]) => code ?? ''),
  ...['timeout', 'out_of_memory', 'crashed'].map((ending) => `normalize.${ending}`),
]);

test('every code of a conversion is an error or a warning of the catalogue, and not both', () => {
  const known = [...Object.keys(codes), ...Object.keys(formatWarnings)];

  expect(raised.size).toBeGreaterThan(40);
  expect([...raised].filter((code) => !known.includes(code))).toEqual([]);
  expect(new Set(known).size).toBe(known.length);
});

test('every code of normalizing in the catalogue is raised somewhere', () => {
  const listed = [...Object.keys(formatCodes), ...Object.keys(formatWarnings)];

  const unused = listed.filter((code) => code.startsWith('normalize.') && !raised.has(code));

  expect(unused).toEqual([]);
});
