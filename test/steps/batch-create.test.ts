import { expect, test } from 'vitest';
import { packReply } from '../../shared/ledger/answer-item.ts';
import type { BatchLine } from '../../shared/ledger/batches.ts';
import { fill } from '../../shared/steps/batch-create.ts';
import { workshop } from './support.ts';

type Tools = Awaited<ReturnType<typeof workshop>>['tools'];

/** A question that waits for a batch. */
async function waits(id: string, tools: Tools): Promise<BatchLine> {
  const ref = { contentId: id.repeat(64), question: 'q' };
  const askedBy = { documentId: id, order: '1', model: 'm', profile: 'p', prefix: '' };
  const claimed = await tools.answers.claim(ref, askedBy, `worker of ${id}`, 60_000);
  const parked = claimed && (await tools.batched.park(ref, claimed, id, 1e9));
  if (!parked) throw new Error('not parked');
  const { life, bornAt, calls, unknownCalls } = parked;
  const line: BatchLine = {
    ...{ id, ref, kind: 'summary', life, bornAt, askedBy, calls, unknownCalls },
    ...{ hasMoreRoom: true, since: tools.now(), request: packReply({ params: {} }), bytes: 400 },
  };
  await tools.batches.add(line);
  return line;
}

async function idsIn(lines: AsyncIterable<BatchLine>): Promise<string[]> {
  const ids: string[] = [];
  for await (const { id } of lines) ids.push(id);
  return ids.sort();
}

const empty = (name: string) => ({ name, state: 'filling', madeAt: 0, lines: 0 }) as const;

test.each([
  ['lines', { everyMs: 1, maxLines: 2, maxBytes: 1e9 }],
  ['bytes', { everyMs: 1, maxLines: 9, maxBytes: 1_000 }],
])(
  'a batch takes as many %s as it may, and leaves the rest for the next',
  async (_, batchRules) => {
    const { tools } = await workshop();
    for (const id of ['a', 'b', 'c']) await waits(id, tools);

    const first = await fill(empty('1'), { ...tools, batchRules });
    expect(first.state).toBe('full');
    expect(await idsIn(tools.batches.lines('1'))).toHaveLength(2);
    await fill(empty('2'), { ...tools, batchRules });

    expect(await idsIn(tools.batches.lines('2'))).toHaveLength(1);
    expect(await idsIn(tools.batches.waiting())).toEqual([]);
  },
);

test('a question of which a dead worker wrote only that it goes into a batch goes into another', async () => {
  const { tools } = await workshop();
  const line = await waits('a', tools);
  await tools.batched.assign(line, '1');

  await fill(empty('2'), tools);

  expect(await idsIn(tools.batches.lines('2'))).toEqual(['a']);
  const answer = await tools.answers.get(line.ref);
  expect(answer).toMatchObject({ batchName: '2' });
});

test('a question that is in a batch and was left among those that wait goes into no other', async () => {
  const { tools } = await workshop();
  const line = await waits('a', tools);
  await fill(empty('1'), tools);
  await tools.batches.add(line);

  await fill(empty('2'), tools);

  expect(await idsIn(tools.batches.lines('1'))).toEqual(['a']);
  expect(await idsIn(tools.batches.lines('2'))).toEqual([]);
  expect(await idsIn(tools.batches.waiting())).toEqual([]);
});

test('a question that was taken back, or whose content was removed, goes into none', async () => {
  const { tools } = await workshop();
  const back = await waits('a', tools);
  await tools.answers.giveBack(back.ref, 'worker of a', false);
  const removed = await waits('b', tools);
  const seen = await tools.answers.get(removed.ref);
  if (seen) await tools.answers.remove(removed.ref, seen);

  await fill(empty('1'), tools);

  expect(await idsIn(tools.batches.lines('1'))).toEqual([]);
  expect(await idsIn(tools.batches.waiting())).toEqual([]);
});
