import { expect, test } from 'vitest';
import { illustratedReport } from '../fixtures/documents.ts';
import { crashEverywhere, type Scenario } from '../world/crash.ts';
import { mailWith } from '../world/mail.ts';
import { memoryLedger } from '../world/memory-dynamodb.ts';
import { partOf } from '../world/world.ts';

const first = 'First version. Sales rose by 12 percent. Staff grew to 40 people.';

const mail = mailWith('figures');
const illustrated = await illustratedReport();

const scenarios: Scenario[] = [
  {
    name: 'a file is dropped',
    events: (world) => [world.drop('a.txt', first)],
    expected: { 'a.txt': 'Sales rose' },
  },
  {
    name: 'the same content is dropped under two keys',
    events: (world) => [world.drop('a.txt', first), world.drop('b.txt', first)],
    expected: { 'a.txt': 'Sales rose', 'b.txt': 'Sales rose' },
  },
  {
    name: 'a mail with an attachment is dropped',
    events: (world) => [world.drop('a.eml', mail)],
    expected: { 'a.eml': 'turbines', [partOf('a.eml', 'figures.txt')]: 'speaks of figures' },
  },
  {
    name: 'a docx with pictures is dropped',
    events: (world) => [world.drop('a.docx', illustrated)],
    expected: { 'a.docx': 'Printed from a docx' },
  },
  {
    name: 'the reply to the upload is lost',
    prepare: async (world) => {
      world.emulator.addFault({ kind: 'lost_reply', operation: 'files.upload' });
    },
    events: (world) => [world.drop('a.txt', first)],
    expected: { 'a.txt': 'Sales rose' },
  },
  {
    name: 'the reply to the paid call is lost',
    prepare: async (world) => {
      world.emulator.addFault({ kind: 'lost_reply', operation: 'messages.create' });
    },
    events: (world) => [world.drop('a.txt', first)],
    expected: { 'a.txt': 'Sales rose' },
    moreCalls: 1,
  },
  {
    name: 'the first answer is cut off',
    prepare: async (world) => {
      world.emulator.addFault({ kind: 'max_tokens' });
    },
    events: (world) => [world.drop('a.txt', first)],
    expected: { 'a.txt': 'Sales rose' },
    moreCalls: 1,
  },
  {
    name: 'the file vanishes before it is summarised',
    prepare: async (world) => {
      world.emulator.addFault({ kind: 'vanish_file', operation: 'messages.create' });
    },
    events: (world) => [world.drop('a.txt', first)],
    expected: { 'a.txt': 'Sales rose' },
  },
];

const server = memoryLedger();

test.each(scenarios)(
  'when $name, the invariants hold wherever a worker dies',
  async (scenario) => {
    const points = await crashEverywhere(server, scenario);

    expect(points).toBeGreaterThan(15);
  },
  120_000,
);
