import { expect, test } from 'vitest';
import { mayAnnounce } from '../../shared/reconcile/intake.ts';

const day = 24 * 3_600_000;

test.each([
  { waiting: 0, ageMs: 0, may: true },
  { waiting: 1, ageMs: day - 1, may: false },
  { waiting: 1, ageMs: day, may: true },
  { waiting: 1_000, ageMs: day, may: true },
  { waiting: 1_001, ageMs: day, may: false },
  { waiting: 1_001, ageMs: 30 * day, may: false },
])(
  'with $waiting messages in the intake queue, what is missing for $ageMs ms: announced $may',
  ({ waiting, ageMs, may }) => {
    expect(mayAnnounce(ageMs, { intakeWaiting: waiting })).toBe(may);
  },
);
