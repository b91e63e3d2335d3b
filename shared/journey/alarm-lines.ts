/** Log messages that the stack's alarms look for, word for word. */

/** A document is held until a person acts. */
export const laneStopped = 'held until a person acts';

/** The Claude API has been down for some ten minutes. */
export const serviceIsDown = 'the Claude API has been down for a while';

/** A duty of the reconciler failed; the others went on. */
export const dutyFailed = 'a duty of the reconciler failed';

/** The reconciler has not come through everything for more than a day since that was due. */
export const sweepIsBehind = 'the reconciler has not finished its sweep for more than a day';
