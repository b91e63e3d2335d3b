/** Log messages that the stack's alarms look for, word for word. */

/** A document is held until a person acts. */
export const laneStopped = 'held until a person acts';

/** The Claude API has been down for some ten minutes. */
export const serviceIsDown = 'the Claude API has been down for a while';
