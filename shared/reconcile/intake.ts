import type { DutyTools } from './duty.ts';

/** How long an event may be in transit before it counts as lost, in milliseconds. */
export const onItsWayMs = 3_600_000;

/** After this long an event counts as lost even while others wait in the intake queue, in milliseconds. */
const certainlyLostMs = 24 * 3_600_000;

/** With more messages than this, the intake queue is far behind, whatever the age of what is missing. */
const farBehind = 1_000;

/**
 * Whether the sweep may announce something that happened `ageMs` ago. If messages waited in the intake queue when the
 * sweep began, what it misses may be among them: announced again, it would be worked on twice and put the
 * queue further behind. What the sweep itself announces does not count, for it visits everything once.
 */
export const mayAnnounce = (
  ageMs: number,
  { intakeWaiting }: Pick<DutyTools, 'intakeWaiting'>,
): boolean => intakeWaiting === 0 || (intakeWaiting <= farBehind && ageMs >= certainlyLostMs);
