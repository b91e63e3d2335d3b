import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { decisionFiles } from '../../docs/sections.ts';

const files = decisionFiles();
const read = (file: string): string =>
  readFileSync(new URL(`../../docs/decisions/${file}`, import.meta.url), 'utf8');

test.each(files)('%s has the form of a decision record', (file) => {
  const record = read(file);

  const [title, , status] = record.split('\n');
  expect(title).toMatch(new RegExp(`^# ${file.slice(0, 4)} \\S`));
  expect(status).toMatch(
    /^Status: (accepted, \d{4}-\d\d-\d\d(; supersedes \d{4})?|superseded by \d{4})$/,
  );
  expect(record.match(/^## .+$/gm)).toEqual(['## Context', '## Decision', '## Consequence']);
});

test('a superseded decision and its successor name each other', () => {
  const pairs = (pattern: RegExp) =>
    files.flatMap((file) => {
      const other = pattern.exec(read(file))?.[1];
      return other ? [[file.slice(0, 4), other]] : [];
    });

  const superseded = pairs(/^Status: superseded by (\d{4})$/m);
  const successors = pairs(/^Status: .*; supersedes (\d{4})$/m);

  expect(superseded.length).toBeGreaterThan(0);
  expect(successors.map(([by, old]) => [old, by]).toSorted()).toEqual(superseded.toSorted());
});

test('no two decisions have the same number', () => {
  const numbers = files.map((file) => file.slice(0, 4));

  expect(new Set(numbers).size).toBe(numbers.length);
});
