/** Log messages that the stack's alarms look for, word for word. */

/** A document is held until a person acts. The reconciler repeats it in each run while a lane is stopped. */
export const laneStopped = 'held until a person acts';

/** A document waits because the Claude API is down. Logged at each of its tries. */
export const serviceDown = 'the API is down';

/** The Claude API has been down for seven minutes, as the whole fleet sees it. One worker a minute logs it. */
export const serviceIsDown = 'the Claude API has been down for a while';

/** The reconciler has not come through everything for more than a day since that was due. */
export const sweepIsBehind = 'the reconciler has not finished its sweep for more than a day';

/** A run of the reconciler came to its end. */
export const reconciled = 'reconciled';

/** A duty of the reconciler broke off with an error. The other duties were done. */
export const dutyFailed = 'a duty of the reconciler broke off';
