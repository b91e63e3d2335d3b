import type { AnswerIn, AnswerItem } from './answer-item.ts';
import type { Condition } from './table.ts';

/** What must hold of an answer for a write to it. */

export const exists: Condition = { expression: 'attribute_exists(pk)' };

/** Holds while the answer is in the same life, has had no call since, and nobody has taken its lease. */
export const asSeen = (seen: AnswerItem): Condition => ({
  expression: `life = :life AND calls = :calls AND #state = :state${seen.state === 'asking' ? ' AND leaseUntil = :until' : ''}`,
  names: { state: 'state' },
  values: {
    life: seen.life,
    calls: seen.calls,
    state: seen.state,
    ...(seen.state === 'asking' ? { until: seen.leaseUntil } : {}),
  },
});

/** Holds while a reply to the question is wanted: nobody else wrote one, and the content was not removed. */
export function stillWanted({ life, generation }: AnswerIn<'asking'>): Condition {
  const same = atGeneration('asking', generation);
  return {
    ...same,
    expression: `${same.expression} AND life = :life AND attribute_not_exists(revoked)`,
    values: { ...same.values, life },
  };
}

/** Holds while the answer is in a state and nobody has had it asked again since. */
export function atGeneration(state: AnswerItem['state'], generation: number): Condition {
  const same = generation === 0 ? 'attribute_not_exists(generation)' : 'generation = :generation';
  return {
    expression: `#state = :state AND ${same}`,
    names: { state: 'state' },
    values: { state, ...(generation === 0 ? {} : { generation }) },
  };
}
