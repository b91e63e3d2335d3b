import { readdirSync, readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { expect, test } from 'vitest';

const root = new URL('../../', import.meta.url);
const page = (path: string): string => readFileSync(new URL(path, root), 'utf8');
const rooms = readdirSync(new URL('shared/', root)).sort();

test('the map on the architecture page has every room of shared/, and no other', () => {
  const [, map = ''] = page('docs/architecture.md').split('## The map of rooms');
  const [, shared = ''] = /^shared\/.*\n((?: {2}.*\n)+)/m.exec(map) ?? [];

  const drawn = [...shared.matchAll(/^ {2}(\w+)\//gm)].map((match) => match[1]);

  expect(drawn.toSorted()).toEqual(rooms);
});

test("the README's map of the folders has every room of shared/, and no other", () => {
  const [, map = ''] = page('README.md').split('## Map of the folders');

  const named = [...map.matchAll(/`shared\/(\w+)\/`/g)].map((match) => match[1]);

  expect(named.toSorted()).toEqual(rooms);
});

test('every room of shared/ stands on one floor of the rules for imports, so that none may import anything', () => {
  const { forbidden } = createRequire(import.meta.url)('../../.dependency-cruiser.cjs') as {
    forbidden: { name: string; from: { path?: string } }[];
  };
  const standing = forbidden
    .filter(({ name }) => name.startsWith('nothing-upwards-from-'))
    .flatMap(({ from }) =>
      [...(from.path ?? '').matchAll(/shared\/(\w+)/g)].map(([, room]) => room),
    );

  expect(standing.toSorted()).toEqual(rooms);
});
