import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { transitions } from '../../shared/ledger/transitions.ts';

test('the table of states on the architecture page is the one the code uses', () => {
  const page = readFileSync(new URL('../../docs/architecture.md', import.meta.url), 'utf8');
  const [, section = ''] = page.split('### States of a document');
  const [table = ''] = section.split('A newer S3 event');

  const documented = Object.fromEntries(
    [...table.matchAll(/^\| `(\w+)` \| (.*?) +\|$|^\| `(\w+)` +\| (.*?) +\|$/gm)].map((row) => {
      const [, from = row[3] ?? '', to = row[4] ?? ''] = row;
      return [from, [...to.matchAll(/`(\w+)`/g)].map((match) => match[1])];
    }),
  );

  expect(documented).toEqual(transitions);
});
