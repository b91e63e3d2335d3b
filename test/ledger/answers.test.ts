import { beforeEach, describe, expect, test } from 'vitest';
import {
  type AnswerIn,
  type AnswerItem,
  packReply,
  unpackReply,
} from '../../shared/ledger/answer-item.ts';
import { Answers } from '../../shared/ledger/answers.ts';
import { answerKey, contentKey, referenceKey } from '../../shared/ledger/keys.ts';
import type { QueryInput, Table } from '../../shared/ledger/table.ts';
import { emptyLedger } from './support.ts';

let table: Table;
let clock: { now: number };
let answers: Answers;
let loseAcknowledgement: (meanwhile?: () => unknown) => void;

const contentId = 'a'.repeat(64);
const ref = { contentId, question: 'q' };
const asker = {
  documentId: 'd1',
  order: '01',
  model: 'claude-haiku-5-5',
  profile: 'default',
  prefix: 'reports/',
};
const leaseMs = 1_000;
const billed = {
  model: 'claude-haiku-5-5',
  inputTokens: 10,
  outputTokens: 5,
  cacheReadTokens: 0,
  costUsd: 0.25,
  at: '2026-11-22T12:00:00.000Z',
};
const stored = { reply: packReply({ text: 'yes' }) };
const refusal = { code: 'summarize.refused', message: 'no' };

beforeEach(async () => {
  const ledger = await emptyLedger();
  ({ table, clock } = ledger);
  loseAcknowledgement = (meanwhile) => ledger.server.loseAcknowledgement(meanwhile);
  answers = new Answers(table, () => clock.now);
});

const present = async (): Promise<AnswerItem> => {
  const answer = await answers.get(ref);
  return answer ?? expect.unreachable('the question was asked');
};
const claimed = async (owner = 'me', by = asker): Promise<AnswerIn<'asking'>> => {
  const answer = await answers.claim(ref, by, owner, leaseMs);
  return answer ?? expect.unreachable('it was free');
};
/** Lets the lease run out to the last millisecond, and one more. */
const lapse = () => {
  clock.now += leaseMs + 1;
};
const answered = async () => answers.settle(ref, await claimed(), stored, billed);
const refused = async () => answers.settle(ref, await claimed(), stored, billed, refusal);

describe('claim', () => {
  test('of a question that was never asked takes its lease and counts a call', async () => {
    const answer = await answers.claim(ref, asker, 'me', leaseMs);

    expect(answer).toEqual({
      state: 'asking',
      question: 'q',
      generation: 0,
      bornAt: clock.now,
      life: 'me',
      calls: 1,
      unknownCalls: 1,
      askedBy: asker,
      awaited: false,
      owner: 'me',
      leaseUntil: clock.now + leaseMs,
    });
    expect(await present()).toEqual(answer);
  });

  test('is refused while another worker asks, to the last millisecond of its lease', async () => {
    const first = await claimed();

    clock.now += leaseMs;

    expect(await answers.claim(ref, asker, 'you', leaseMs)).toBeUndefined();
    expect(await present()).toEqual(first);
  });

  test('takes over a lapsed lease, for its own document, and counts both calls', async () => {
    await claimed();
    await answers.awaitAnswer(ref);
    lapse();
    const mine = { ...asker, documentId: 'd2', order: '07', profile: 'other' };

    const answer = await answers.claim(ref, mine, 'you', leaseMs);

    expect(answer).toMatchObject({
      bornAt: clock.now - leaseMs - 1,
      life: 'me',
      calls: 2,
      unknownCalls: 2,
      owner: 'you',
      askedBy: mine,
      awaited: true,
      leaseUntil: clock.now + leaseMs,
    });
  });

  test.each([
    ['answered', answered],
    ['refused', refused],
  ])('is refused once the question is %s, whenever that was', async (state, settle) => {
    const settled = await settle();
    lapse();

    expect(await answers.claim(ref, asker, 'you', leaseMs)).toBeUndefined();
    expect(settled).toMatchObject({ state });
    expect(await present()).toEqual(settled);
  });

  test('is one for each question about each content', async () => {
    await claimed();

    const another = await answers.claim({ contentId, question: 'r' }, asker, 'you', leaseMs);
    const elsewhere = { contentId: 'b'.repeat(64), question: 'q' };

    expect(another).toMatchObject({ question: 'r', calls: 1 });
    expect(await answers.claim(elsewhere, asker, 'him', leaseMs)).toMatchObject({ calls: 1 });
    expect(await table.get(answerKey(contentId, 'r'))).toMatchObject({ owner: 'you' });
  });

  test('whose acknowledgement was lost holds, even if a document began to wait for it meanwhile', async () => {
    loseAcknowledgement(() => answers.awaitAnswer(ref));

    expect(await claimed()).toMatchObject({ calls: 1, owner: 'me' });
  });

  test('that a worker makes twice, because it lost the acknowledgement, is one call', async () => {
    loseAcknowledgement();

    expect(await claimed()).toMatchObject({ calls: 1, unknownCalls: 1, owner: 'me' });
  });
});

describe('awaitAnswer', () => {
  test('marks the question while it is being asked', async () => {
    const asking = await claimed();
    clock.now += leaseMs;

    await expect(answers.awaitAnswer(ref)).resolves.toBe(true);

    expect(await present()).toEqual({ ...asking, awaited: true });
  });

  test.each([
    ['was never asked', async () => {}],
    [
      'was asked by a worker that died',
      async () => {
        await claimed();
        lapse();
      },
    ],
    [
      'was given back',
      async () => {
        await claimed();
        await answers.giveBack(ref, 'me', true);
      },
    ],
    ['is answered', async () => void (await answered())],
    ['is refused', async () => void (await refused())],
  ])('does not wait for a question that %s', async (_, prepare) => {
    await prepare();
    const before = await answers.get(ref);

    await expect(answers.awaitAnswer(ref)).resolves.toBe(false);

    expect(await answers.get(ref)).toEqual(before);
  });

  test('ends when the mark is cleared, and clearing makes no answer where there is none', async () => {
    await answers.clearAwaited(ref).catch(() => {});
    expect(await answers.get(ref)).toBeUndefined();
    await claimed();
    await answers.awaitAnswer(ref);

    await answers.clearAwaited(ref);

    expect(await present()).toMatchObject({ state: 'asking', awaited: false });
  });
});

describe('settle', () => {
  test('writes the reply and what it was billed, and ends the lease', async () => {
    const answer = await answers.settle(ref, await claimed(), stored, billed);

    expect(answer).toEqual({
      state: 'answered',
      question: 'q',
      generation: 0,
      bornAt: clock.now,
      life: 'me',
      calls: 1,
      unknownCalls: 0,
      call: 1,
      askedBy: asker,
      awaited: false,
      billed,
      reply: stored.reply,
    });
    expect(await present()).toEqual(answer);
  });

  test('says why a reply is of no use', async () => {
    const answer = await answers.settle(ref, await claimed(), stored, billed, refusal);

    expect(answer).toMatchObject({ state: 'refused', error: refusal, billed, unknownCalls: 0 });
  });

  test('keeps the address of a long reply', async () => {
    const answer = await answers.settle(ref, await claimed(), { replyKey: 'a/b.json' }, billed);

    expect(answer).toMatchObject({ state: 'answered', replyKey: 'a/b.json' });
    expect(answer).not.toHaveProperty('reply');
  });

  test('keeps that documents wait', async () => {
    const asking = await claimed();
    await answers.awaitAnswer(ref);

    expect(await answers.settle(ref, asking, stored, billed)).toMatchObject({ awaited: true });
  });

  test('is done by a worker after its lease, and after another took over, whose call is unknown', async () => {
    const late = await claimed('late');
    lapse();
    await claimed('other', { ...asker, documentId: 'd2' });

    const answer = await answers.settle(ref, late, stored, billed);

    expect(answer).toMatchObject({ state: 'answered', call: 1, calls: 2, unknownCalls: 1 });
    expect(answer).not.toHaveProperty('owner');
  });

  test('is done once: the second reply of two workers is not needed', async () => {
    const late = await claimed('late');
    lapse();
    const asking = await claimed('other');
    const first = await answers.settle(ref, asking, stored, billed);

    expect(await answers.settle(ref, late, { replyKey: 'late' }, billed)).toBeUndefined();
    expect(await present()).toEqual(first);
  });

  test('after a lease was given back is still the reply', async () => {
    const late = await claimed('late');
    lapse();
    await claimed('other');
    await answers.giveBack(ref, 'other', false);

    expect(await answers.settle(ref, late, stored, billed)).toMatchObject({
      state: 'answered',
      calls: 1,
      unknownCalls: 0,
    });
  });

  test('does not bring back an answer that was removed', async () => {
    const asking = await claimed();
    lapse();
    await answers.remove(ref, asking);

    expect(await answers.settle(ref, asking, stored, billed)).toBeUndefined();
    expect(await answers.get(ref)).toBeUndefined();
  });

  test('does not answer for one that was removed and asked again', async () => {
    const before = await claimed('late');
    lapse();
    await answers.remove(ref, before);
    const now = await claimed('you');

    expect(await answers.settle(ref, before, stored, billed)).toBeUndefined();
    expect(await present()).toEqual(now);
  });

  test('is refused when the content was removed during the call', async () => {
    const asking = await claimed();
    await answers.remove(ref, asking);

    expect(await answers.settle(ref, asking, stored, billed)).toBeUndefined();
    expect(await present()).toEqual({ ...asking, revoked: true });
  });

  test('of a generation that is over is refused', async () => {
    const late = await claimed('late');
    lapse();
    await refused();
    await answers.reopen(ref, 0);
    const reopened = await present();

    expect(await answers.settle(ref, late, stored, billed)).toBeUndefined();
    expect(await present()).toEqual(reopened);
  });

  test('of the generation that is being asked is taken', async () => {
    await refused();
    await answers.reopen(ref, 0);
    const asking = await claimed();

    expect(asking).toMatchObject({ generation: 1, calls: 2, unknownCalls: 1 });
    expect(await answers.settle(ref, asking, stored, billed)).toMatchObject({
      state: 'answered',
      generation: 1,
      calls: 2,
      unknownCalls: 0,
      call: 2,
    });
  });

  test('whose acknowledgement was lost succeeds, and counts once', async () => {
    const asking = await claimed();
    loseAcknowledgement();

    expect(await answers.settle(ref, asking, stored, billed)).toMatchObject({
      state: 'answered',
      calls: 1,
      unknownCalls: 0,
    });
  });
});

describe('giveBack', () => {
  test('of a revoked question keeps it revoked', async () => {
    await answers.remove(ref, await claimed());

    expect(await answers.giveBack(ref, 'me', true)).toMatchObject({ revoked: true, leaseUntil: 0 });
  });

  test('of a call that may be paid keeps it counted', async () => {
    const asking = await claimed();

    const given = await answers.giveBack(ref, 'me', true);

    const { owner: _owner, ...rest } = asking;
    expect(given).toEqual({ ...rest, leaseUntil: 0 });
    expect(await present()).toEqual(given);
  });

  test('of a call that was certainly not paid takes it off the count', async () => {
    await claimed();

    expect(await answers.giveBack(ref, 'me', false)).toMatchObject({
      state: 'asking',
      leaseUntil: 0,
      calls: 0,
      unknownCalls: 0,
    });
  });

  test('lets the next worker ask at once', async () => {
    await claimed();
    await answers.giveBack(ref, 'me', true);

    expect(await claimed('you')).toMatchObject({ owner: 'you', calls: 2, unknownCalls: 2 });
  });

  test('whose acknowledgement was lost takes one call off the count', async () => {
    await claimed();
    lapse();
    await claimed('you');
    loseAcknowledgement();

    const given = await answers.giveBack(ref, 'you', false);

    expect(given).toMatchObject({ calls: 1, unknownCalls: 1 });
  });

  test('does nothing for a worker that lost its lease', async () => {
    await claimed();
    lapse();
    const now = await claimed('you');

    expect(await answers.giveBack(ref, 'me', false)).toBeUndefined();
    expect(await present()).toEqual(now);
  });

  test('does nothing once the question is settled', async () => {
    const settled = await answered();

    expect(await answers.giveBack(ref, 'me', false)).toBeUndefined();
    expect(await present()).toEqual(settled);
  });

  test('makes no answer where there is none', async () => {
    await expect(answers.giveBack(ref, 'me', true)).resolves.toBeUndefined();
    expect(await answers.get(ref)).toBeUndefined();
  });
});

describe('uncount', () => {
  test('takes back the call that was not made, and keeps the lease', async () => {
    await claimed();
    lapse();
    const asking = await claimed('you');

    const uncounted = await answers.uncount(ref, 'you');

    expect(uncounted).toEqual({ ...asking, calls: 1, unknownCalls: 1 });
  });

  test('is refused to a worker that lost the lease', async () => {
    await claimed();
    lapse();
    const asking = await claimed('you');

    expect(await answers.uncount(ref, 'me')).toBeUndefined();
    expect(await present()).toEqual(asking);
  });

  test('whose acknowledgement was lost takes one call off the count', async () => {
    await claimed();
    lapse();
    await claimed('you');
    loseAcknowledgement();

    expect(await answers.uncount(ref, 'you')).toMatchObject({ calls: 1, unknownCalls: 1 });
  });
});

describe('reopen', () => {
  test('has a refused question asked again, and keeps what it cost so far', async () => {
    await refused();

    await expect(answers.reopen(ref, 0)).resolves.toBe(true);

    const { leaseUntil: _lease, ...rest } = (await present()) as AnswerIn<'asking'>;
    expect(rest).toEqual({
      state: 'asking',
      question: 'q',
      earlier: billed,
      generation: 1,
      bornAt: clock.now,
      life: 'me',
      calls: 1,
      unknownCalls: 0,
      askedBy: asker,
      awaited: false,
    });
    expect(await claimed('you')).toMatchObject({ generation: 1, calls: 2 });
  });

  test('is done by the first of those that share a refusal', async () => {
    await refused();

    const reopened = [await answers.reopen(ref, 0), await answers.reopen(ref, 0)];

    expect(reopened).toEqual([true, false]);
    expect(await present()).toMatchObject({ generation: 1 });
  });

  test('of a later refusal names its generation', async () => {
    await refused();
    await answers.reopen(ref, 0);
    await refused();

    expect(await answers.reopen(ref, 0)).toBe(false);
    expect(await answers.reopen(ref, 1)).toBe(true);
    expect(await present()).toMatchObject({ generation: 2, calls: 2 });
  });

  test.each([
    ['answered', async () => void (await answered())],
    ['being asked', async () => void (await claimed())],
  ])('leaves a question alone that is %s', async (_, prepare) => {
    await prepare();
    const before = await present();

    expect(await answers.reopen(ref, 0)).toBe(false);
    expect(await present()).toEqual(before);
  });

  test('makes no answer where there is none', async () => {
    expect(await answers.reopen(ref, 0)).toBe(false);
    expect(await answers.get(ref)).toBeUndefined();
  });
});

describe('ofContent', () => {
  test('finds all answers about one content, and nothing else in its partition', async () => {
    for (const question of ['q1', 'q2', 'q3']) {
      await answers.claim({ contentId, question }, asker, 'me', leaseMs);
    }
    await answers.claim({ contentId: `${contentId}.12345678`, question: 'q4' }, asker, 'me', 1);
    await table.put({ ...contentKey(contentId), state: 'live' });
    await table.put({ ...referenceKey(contentId, 'd', '01') });

    const found = await answers.ofContent(contentId);

    expect(found.map(({ question }) => question)).toEqual(['q1', 'q2', 'q3']);
    expect(await answers.ofContent('b'.repeat(64))).toEqual([]);
  });

  test('reads page by page, consistently', async () => {
    for (const question of ['q1', 'q2', 'q3']) {
      await answers.claim({ contentId, question }, asker, 'me', leaseMs);
    }
    const query = table.query.bind(table);
    const asked: QueryInput[] = [];
    table.query = async (input) => {
      asked.push(input);
      return query({ ...input, limit: 2 });
    };

    expect(await answers.ofContent(contentId)).toHaveLength(3);

    expect(asked).toMatchObject([{ consistent: true }, { consistent: true }]);
  });
});

describe('remove', () => {
  test.each([
    ['answered', answered],
    ['refused', refused],
  ])('deletes an answer that is %s', async (_, settle) => {
    await settle();
    const seen = await present();

    expect(await answers.remove(ref, seen)).toBeUndefined();

    expect(await answers.get(ref)).toBeUndefined();
    expect(await claimed('you')).toMatchObject({ life: 'you', calls: 1, generation: 0 });
  });

  test('whose acknowledgement was lost succeeds', async () => {
    await answered();
    const seen = await present();
    loseAcknowledgement();

    expect(await answers.remove(ref, seen)).toBeUndefined();
  });

  test('only revokes a question that is being asked, and says until when', async () => {
    const asking = await claimed();
    clock.now += leaseMs;

    expect(await answers.remove(ref, asking)).toBe(asking.leaseUntil);

    expect(await present()).toEqual({ ...asking, revoked: true });
    expect(await answers.remove(ref, await present())).toBe(asking.leaseUntil);
  });

  test('deletes a question whose worker died, revoked or not', async () => {
    for (const revokes of [true, false]) {
      const asking = await claimed();
      if (revokes) await answers.remove(ref, asking);
      lapse();

      expect(await answers.remove(ref, await present())).toBeUndefined();
      expect(await answers.get(ref)).toBeUndefined();
    }
  });

  test('deletes a question that was given back', async () => {
    await claimed();
    await answers.giveBack(ref, 'me', true);

    expect(await answers.remove(ref, await present())).toBeUndefined();
    expect(await answers.get(ref)).toBeUndefined();
  });

  test.each([
    [
      'was claimed again',
      async () => {
        const seen = await claimed();
        lapse();
        await claimed('you');
        return seen;
      },
    ],
    [
      'was answered during the look',
      async () => {
        const seen = await claimed();
        await answers.settle(ref, seen, stored, billed);
        return seen;
      },
    ],
    [
      'was removed and answered again',
      async () => {
        const seen = (await answered()) ?? expect.unreachable('it was asked');
        await answers.remove(ref, seen);
        await answers.settle(ref, await claimed('you'), stored, billed);
        return seen;
      },
    ],
    [
      'was asked again',
      async () => {
        const seen = await refused();
        await answers.reopen(ref, 0);
        return seen ?? expect.unreachable('it was refused');
      },
    ],
  ])('has to look again at one that %s meanwhile', async (_, prepare) => {
    const seen = await prepare();
    const now = await present();

    expect(await answers.remove(ref, seen)).toBe(clock.now);
    expect(await present()).toEqual(now);
  });

  test('is forgotten when somebody asks again after the dead worker', async () => {
    await answers.remove(ref, await claimed('dead'));
    lapse();

    const asking = await claimed('you');

    expect(asking).not.toHaveProperty('revoked');
    expect(await answers.settle(ref, asking, stored, billed)).toMatchObject({ state: 'answered' });
  });
});

describe('end', () => {
  test('deletes a revoked question for its own worker alone', async () => {
    await answers.remove(ref, await claimed());

    expect(await answers.end(ref, 'you')).toBe(false);
    expect(await present()).toMatchObject({ revoked: true });
    expect(await answers.end(ref, 'me')).toBe(true);
    expect(await answers.get(ref)).toBeUndefined();
  });

  test('leaves a question alone that was taken over', async () => {
    await answers.remove(ref, await claimed());
    lapse();
    const now = await claimed('you');

    expect(await answers.end(ref, 'me')).toBe(false);
    expect(await present()).toEqual(now);
  });
});

test('a reply is packed small and unpacked as it was', async () => {
  const reply = { content: [{ type: 'text', text: 'Umsätze stiegen 🎉. '.repeat(500) }] };

  const packed = packReply(reply);
  await answers.settle(ref, await claimed(), { reply: packed }, billed);
  const kept = (await present()) as AnswerIn<'answered'>;

  expect(packed.length).toBeLessThan(JSON.stringify(reply).length / 3);
  expect(unpackReply(kept.reply ?? expect.unreachable('it is in the item'))).toEqual(reply);
});

describe('an item read from the table', () => {
  const least = {
    question: 'q',
    bornAt: 1,
    life: 'me',
    calls: 1,
    unknownCalls: 0,
    askedBy: asker,
  };
  const reply = { billed, call: 1, reply: stored.reply };
  const put = (item: object) => table.put({ ...answerKey(contentId, 'q'), ...least, ...item });

  test.each([
    ['asking', { leaseUntil: 0 }],
    ['answered', reply],
    ['refused', { ...reply, error: refusal }],
  ])('is %s with no more than that state implies', async (state, more) => {
    await put({ state, ...more });

    expect(await answers.get(ref)).toEqual({
      ...least,
      state,
      generation: 0,
      awaited: false,
      ...more,
    });
  });

  test.each([
    ['asking', 'leaseUntil', {}],
    ['answered', 'billed', { call: 1 }],
    ['answered', 'call', { billed }],
    ['refused', 'error', reply],
  ])('is refused when it is %s without %s', async (state, attribute, more) => {
    await put({ state, ...more });

    await expect(answers.get(ref)).rejects.toMatchObject({ issues: [{ path: [attribute] }] });
  });
});
