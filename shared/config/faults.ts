import type { z } from 'zod';
import { limitsSchema } from '../formats/index.ts';
import { budgetSchema, codeSchema, configSchema, priceSchema, profileSchema } from './schema.ts';

/** The configuration has faults; the message names each by profile and field, one a line if there are several. */
export class WrongConfig extends Error {
  override readonly name = 'WrongConfig';
  /** One sentence a fault, without the file's name. */
  readonly faults: readonly string[];

  constructor(faults: readonly string[], file = 'the configuration') {
    super(`${file}: ${listed(faults)} (see docs/profiles.md)`);
    this.faults = faults;
  }

  /** The same faults, of a named file. */
  in(file: string): WrongConfig {
    return new WrongConfig(this.faults, file);
  }
}

const listed = (faults: readonly string[]): string =>
  faults.length === 1 ? `${faults[0]}` : ['these are wrong:', ...faults].join('\n  ');

/** How messages name a profile: its place and, if it has one, its name. */
export function labelOf(index: number, given: unknown): string {
  const { name, prefix } = (given ?? {}) as { name?: unknown; prefix?: unknown };
  const called = typeof name === 'string' ? name : typeof prefix === 'string' ? prefix : '';
  return `profiles[${index}]${called === '' ? '' : ` "${called}"`}`;
}

/** What is wrong with the shape of a configuration, one sentence a fault. */
export function faultsOf(error: z.ZodError, given: unknown): string[] {
  return error.issues.flatMap((issue) => {
    const [first, second] = issue.path;
    const profiles = (given as { profiles?: unknown[] } | undefined)?.profiles;
    const isProfile = first === 'profiles' && typeof second === 'number';
    const where = isProfile ? [labelOf(second, profiles?.[second])] : [];
    const rest = (isProfile ? issue.path.slice(2) : issue.path).map(String);
    const at = (...more: string[]) =>
      [...where, ...[[...rest, ...more].join('.')].filter((path) => path !== '')].join(': ');
    if (issue.code === 'unrecognized_keys') {
      return issue.keys.map((key) => `${at(key)}: ${unknownField(key, issue.path)}`);
    }
    const value = valueAt(given, issue.path);
    const what = plain(issue, value);
    const place = at();
    return place === '' ? what : `${place}: ${what}`;
  });
}

function plain(issue: z.core.$ZodIssue, value: unknown): string {
  const given = value === undefined ? 'is missing' : `not ${shown(value)}`;
  switch (issue.code) {
    case 'invalid_value':
      return `must be one of ${issue.values.map(String).join(', ')}, ${given}`;
    case 'invalid_type':
      return value === undefined
        ? 'is missing'
        : `must be ${article(issue.expected)}, not ${shown(value)}`;
    case 'too_small':
      return issue.inclusive === false
        ? `must be above ${issue.minimum}, ${given}`
        : `must be at least ${issue.minimum}${unitOf(issue.origin, issue.minimum)}, ${given}`;
    case 'too_big':
      return `must be at most ${issue.maximum}${unitOf(issue.origin, issue.maximum)}, ${given}`;
    case 'invalid_key':
      return 'the id of a model must not be empty';
    case 'invalid_format':
      return `must be 1 to 64 letters, digits, spaces and . _ : / = + @ -, beginning with a letter or digit, ${given}`;
    default:
      return issue.message;
  }
}

function unitOf(origin: string, count: number | bigint): string {
  if (origin === 'array') return ' entries';
  if (origin !== 'string') return '';
  return count === 1 ? ' character long' : ' characters long';
}

const article = (type: string): string => {
  if (type === 'int') return 'a whole number';
  if (type === 'record') return 'an object';
  return `${/^[aeiou]/.test(type) ? 'an' : 'a'} ${type}`;
};

function shown(value: unknown): string {
  const text = JSON.stringify(value) ?? String(value);
  return text.length > 60 ? `${text.slice(0, 57)}…` : text;
}

function unknownField(key: string, path: readonly PropertyKey[]): string {
  const fields = fieldsAt(path);
  const near = nearest(key, fields);
  return near
    ? `unknown field; did you mean ${near}?`
    : `unknown field; the fields are ${fields.join(', ')}`;
}

function fieldsAt([first, , third, fourth]: readonly PropertyKey[]): string[] {
  if (first === 'profiles' && third === 'code') {
    return fourth === 'skills' ? ['id', 'version'] : Object.keys(codeSchema.shape);
  }
  if (first === 'profiles') return Object.keys(profileSchema.shape);
  if (first === 'limits') return Object.keys(limitsSchema.shape);
  if (first === 'budget') return Object.keys(budgetSchema.shape);
  if (first === 'prices') {
    return third === 'above' ? ['promptTokens', 'input', 'output'] : Object.keys(priceSchema.shape);
  }
  return Object.keys(configSchema.shape);
}

/** The known name that is most like what was written, if one is like it at all. */
export function nearest(written: string, known: readonly string[]): string | undefined {
  const [best] = known
    .map((name) => ({ name, edits: editsBetween(written.toLowerCase(), name.toLowerCase()) }))
    .sort((a, b) => a.edits - b.edits);
  return best && best.edits <= Math.max(2, Math.floor(written.length / 3)) ? best.name : undefined;
}

/** The letters to insert, delete or replace between two words (Levenshtein). */
function editsBetween(a: string, b: string): number {
  let row = Array.from({ length: b.length + 1 }, (_, index) => index);
  for (let i = 1; i <= a.length; i += 1) {
    const next = [i];
    for (let j = 1; j <= b.length; j += 1) {
      const replaced = (row[j - 1] ?? 0) + (a[i - 1] === b[j - 1] ? 0 : 1);
      next[j] = Math.min(replaced, (row[j] ?? 0) + 1, (next[j - 1] ?? 0) + 1);
    }
    row = next;
  }
  return row[b.length] ?? 0;
}

function valueAt(given: unknown, path: readonly PropertyKey[]): unknown {
  return path.reduce<unknown>(
    (value, name) => (value as Record<PropertyKey, unknown> | undefined | null)?.[name],
    given,
  );
}
