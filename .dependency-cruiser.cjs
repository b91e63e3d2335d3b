/**
 * The directions in which the rooms may import one another; `npm run check` enforces them. Each list below reads from
 * the top of the house to the bottom: a room may import those below it, never one above.
 */
const floors = [
  ['test'],
  ['docs'],
  ['infra'],
  ['functions'],
  ['shared/config'],
  ['shared/reconcile', 'shared/client'],
  ['shared/steps'],
  ['shared/convert', 'shared/print'],
  ['shared/word'],
  ['shared/formats'],
  ['shared/questions', 'shared/fields', 'shared/long'],
  ['shared/summary', 'shared/ledger', 'shared/pace', 'shared/aws'],
  ['shared/claude'],
  ['shared/codes'],
  ['shared/journey'],
];

const room = (names) => `^(${names.join('|')})/`;

const upwards = floors.slice(1).map((floor, index) => ({
  name: `nothing-upwards-from-${floor.map((name) => name.split('/').at(-1)).join('-or-')}`,
  comment: 'A room imports what is below it, never what is above it.',
  severity: 'error',
  from: { path: room(floor) },
  to: { path: room(floors.slice(0, index + 1).flat()) },
}));

/** Rooms on one floor do not know each other, but for these. */
const neighbours = floors
  .filter((floor) => floor.length > 1)
  .flatMap((floor) =>
    floor.map((name) => ({
      name: `no-neighbour-of-${name.split('/').at(-1)}`,
      comment: 'Rooms on one floor do not import each other.',
      severity: 'error',
      from: { path: room([name]) },
      to: { path: room(floor.filter((other) => other !== name && !allowed(name, other))) },
    })),
  )
  .filter(({ to }) => to.path !== '^()/');

function allowed(from, to) {
  // The pace keeps its slots in the ledger's table; the reader knows the ledger's keys.
  return from === 'shared/pace' && to === 'shared/ledger';
}

module.exports = {
  forbidden: [
    {
      name: 'no-circle',
      comment: 'Files that import each other, types included, can only be understood together.',
      severity: 'error',
      from: {},
      to: { circular: true },
    },
    ...upwards,
    ...neighbours,
    {
      name: 'formats-by-the-door',
      comment:
        'Code outside of the formats enters by their face. See the comment in shared/formats/index.ts.',
      severity: 'error',
      from: { path: '^(infra|functions|docs|shared)/', pathNot: '^shared/(formats|word|convert)/' },
      to: { path: '^shared/formats/', pathNot: '^shared/formats/index\\.ts$' },
    },
    {
      name: 'formats-inside-for-conversions-only',
      comment: 'Only what runs in the conversion process loads parsers.',
      severity: 'error',
      from: { path: '^shared/convert/' },
      to: {
        path: '^shared/formats/',
        pathNot: '^shared/formats/(index|inside|types|sandbox/serve)\\.ts$',
      },
    },
    {
      name: 'word-stands-on-the-foundations-only',
      severity: 'error',
      from: { path: '^shared/word/' },
      to: {
        path: '^shared/formats/',
        pathNot:
          '^shared/formats/((office|safety)/|html/(reader|style-collector)|text/(output|wording)|limits|types)',
      },
    },
    {
      name: 'word-by-its-doors',
      comment:
        'One door for each way: text must not load what prints, nor printing what makes text.',
      severity: 'error',
      from: { path: '^(infra|functions|docs|shared)/', pathNot: '^shared/word/' },
      to: { path: '^shared/word/', pathNot: '^shared/word/to-(text|pdf)/index\\.ts$' },
    },
    {
      name: 'only-entry-points-read-the-runtime',
      comment: 'The composition root is for entry points: the tests swap its ports.',
      severity: 'error',
      from: { path: '^(functions|shared|test)/', pathNot: '^functions/[^/]+/index\\.ts$' },
      to: { path: '^functions/runtime\\.ts$' },
    },
    {
      name: 'no-package-undeclared',
      severity: 'error',
      from: {},
      to: { dependencyTypes: ['npm-no-pkg', 'npm-unknown'] },
    },
  ],
  options: {
    parser: 'swc',
    doNotFollow: { path: 'node_modules' },
    exclude: { path: ['^dist/', '^node_modules/[^@]+/node_modules'] },
  },
};
