import { expect, test } from 'vitest';
import { illustratedReport } from '../fixtures/documents.ts';
import { crashEverywhere, type Scenario } from '../world/crash.ts';
import { mailWith } from '../world/mail.ts';
import { memoryLedger } from '../world/memory-dynamodb.ts';
import type { World } from '../world/world.ts';

const first = 'First version. Sales rose by 12 percent. Staff grew to 40 people.';
const second = 'Second version. Costs fell by a third. Nothing else changed at all.';

const illustrated = await illustratedReport();

const dropped =
  (...files: [key: string, content: string | Uint8Array][]) =>
  async (world: World) => {
    world.deliver(...files.map(([key, content]) => world.drop(key, content)));
    await world.drain();
  };

/** The file waits for its upload. */
const aboutToUpload = async (world: World) => {
  world.deliver(world.drop('a.txt', first));
  await world.work({ only: ['intake'] });
};

/** The docx waits to be printed. */
const aboutToPrint = async (world: World) => {
  world.deliver(world.drop('a.docx', illustrated));
  await world.work({ only: ['intake'] });
};

const scenarios: Scenario[] = [
  {
    name: 'a file is overwritten with new content',
    prepare: dropped(['a.txt', first]),
    events: (world) => [world.drop('a.txt', second)],
    expected: { 'a.txt': 'Costs fell' },
  },
  {
    name: 'a file is dropped again unchanged',
    prepare: dropped(['a.txt', first]),
    events: (world) => [world.drop('a.txt', first)],
    expected: { 'a.txt': 'Sales rose' },
  },
  {
    name: 'a file is overwritten while it waits for its upload',
    prepare: aboutToUpload,
    events: (world) => [world.drop('a.txt', second)],
    expected: { 'a.txt': 'Costs fell' },
  },
  {
    name: 'a file is removed',
    prepare: dropped(['a.txt', first]),
    events: (world) => [world.remove('a.txt')],
    expected: { 'a.txt': null },
  },
  {
    name: 'a file is removed while it waits for its upload',
    prepare: aboutToUpload,
    events: (world) => [world.remove('a.txt')],
    expected: { 'a.txt': null },
  },
  {
    name: 'a docx with pictures is dropped again',
    prepare: dropped(['a.docx', illustrated]),
    events: (world) => [world.drop('a.docx', illustrated)],
    expected: { 'a.docx': 'Printed from a.docx' },
  },
  {
    name: 'a docx is overwritten while it waits to be printed',
    prepare: aboutToPrint,
    events: (world) => [world.drop('a.docx', second)],
    expected: { 'a.docx': 'Costs fell' },
  },
  {
    name: 'a docx is removed while it waits to be printed',
    prepare: aboutToPrint,
    events: (world) => [world.remove('a.docx')],
    expected: { 'a.docx': null },
  },
  {
    name: 'one of two files with the same content is removed',
    prepare: dropped(['a.txt', first], ['b.txt', first]),
    events: (world) => [world.remove('a.txt')],
    expected: { 'a.txt': null, 'b.txt': 'Sales rose' },
  },
  {
    name: 'a file is removed and dropped again',
    prepare: dropped(['a.txt', first]),
    events: (world) => [world.remove('a.txt'), world.drop('a.txt', first)],
    expected: { 'a.txt': 'Sales rose' },
  },
  {
    name: 'the removal of a file is undone',
    prepare: dropped(['a.txt', first]),
    events: (world) => {
      const removal = world.remove('a.txt');
      return [removal, world.removeVersion('a.txt', removal.versionId ?? '')];
    },
    expected: { 'a.txt': 'Sales rose' },
  },
  {
    name: 'a mail is overwritten and has another attachment',
    prepare: dropped(['a.eml', mailWith('valves')]),
    events: (world) => [world.drop('a.eml', mailWith('pumps'))],
    expected: { 'a.eml': 'turbines', 'a.eml!/valves.txt': null, 'a.eml!/pumps.txt': 'pumps' },
  },
  {
    name: 'a mail with an attachment is removed',
    prepare: dropped(['a.eml', mailWith('valves')]),
    events: (world) => [world.remove('a.eml')],
    expected: { 'a.eml': null, 'a.eml!/valves.txt': null },
  },
];

const server = memoryLedger();

test.each(scenarios)(
  'when $name, the invariants hold wherever a worker dies',
  async (scenario) => {
    const points = await crashEverywhere(server, scenario);

    expect(points).toBeGreaterThan(5);
  },
  120_000,
);
