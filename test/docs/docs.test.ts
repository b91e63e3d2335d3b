import { readdirSync, readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { generatedDocs } from '../../docs/generate.ts';
import { codes, journeyWarnings } from '../../shared/codes/index.ts';
import { findings } from '../../shared/reconcile/report.ts';

const root = new URL('../../', import.meta.url);
const read = (path: string): string => readFileSync(new URL(path, root), 'utf8');

test.each(Object.entries(generatedDocs()))('docs/%s is up to date with the code', (name, text) => {
  expect(read(`docs/${name}`)).toBe(text);
});

test('every code raised in the sources is in the catalogue', () => {
  const sources = readdirSync(new URL('shared/', root), { recursive: true, encoding: 'utf8' })
    .filter((path) => path.endsWith('.ts') && !path.endsWith('codes.ts'))
    .map((path) => read(`shared/${path}`));

  const raised = sources.flatMap((source) =>
    [...source.matchAll(/code: '([a-z]+\.[a-z_0-9]+)'/g)].map((match) => match[1] ?? ''),
  );

  const known = new Set([
    ...Object.keys(codes),
    ...Object.keys(journeyWarnings),
    ...warningCodes(),
  ]);
  expect(raised.length).toBeGreaterThan(20);
  expect([...new Set(raised)].filter((code) => !known.has(code))).toEqual([]);
});

/** Codes of warnings and waits, which do not end a document. */
function warningCodes(): string[] {
  const formats = read('docs/formats.md');
  const listed = [...formats.matchAll(/`([a-z]+\.[a-z_0-9]+)`/g)].map((match) => match[1] ?? '');
  return [...listed, 'claude.paced', 'upload.under_way', 'summarize.under_way'];
}

test('operations.md explains what a report of the reconciler may name, and nothing else', () => {
  const page = read('docs/operations.md');
  const table = page.slice(page.indexOf('| in the report |')).split('\n\n')[0] ?? '';
  const explained = table
    .split('\n')
    .slice(2)
    .flatMap((row) =>
      [...(row.split(' | ')[0] ?? '').matchAll(/`(\w+)`/g)].map(([, name]) => name),
    );
  const sums = ['remoteFiles', 'storageBytes'];

  expect(explained.toSorted()).toEqual([...findings, ...sums].toSorted());
});

test('the commands in the README are scripts', () => {
  const { scripts } = JSON.parse(read('package.json')) as { scripts: Record<string, string> };
  const named = [...read('README.md').matchAll(/npm run ([a-z:]+)/g)].map(
    (match) => match[1] ?? '',
  );

  expect(named.length).toBeGreaterThan(2);
  expect(named.filter((name) => !(name in scripts))).toEqual([]);
});

test('links between documents have targets', () => {
  const pages = [
    'README.md',
    'CONTRIBUTING.md',
    'CHANGELOG.md',
    ...readdirSync(new URL('docs/', root), { recursive: true, encoding: 'utf8' })
      .filter((name) => name.endsWith('.md'))
      .map((name) => `docs/${name}`),
  ];

  const broken = pages.flatMap((page) =>
    [...read(page).matchAll(/\]\((?!https?:|#)([^)#]+)/g)]
      .map((match) => new URL(match[1] ?? '', new URL(page, root)))
      .filter((target) => !exists(target))
      .map((target) => `${page}: ${target.pathname}`),
  );

  expect(broken).toEqual([]);
});

test('the files that CONTRIBUTING.md names exist', () => {
  const named = [...read('CONTRIBUTING.md').matchAll(/`([a-z.][\w./-]*(?:\/|\.(?:ts|md|json)))`/g)]
    .map((match) => match[1] ?? '')
    .filter((path) => path.includes('/'));

  expect(named.length).toBeGreaterThan(30);
  expect(named.filter((path) => !exists(new URL(path, root)))).toEqual([]);
});

function exists(target: URL): boolean {
  try {
    readdirSync(target);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'ENOTDIR';
  }
}
