/** What the queue does with a message after a step has worked on it. */
export type Outcome =
  /** The message has served its purpose: delete it. */
  | { next: 'done' }
  /** The attempt failed and was counted: deliver the same message again after `delayMs`. */
  | { next: 'retry'; delayMs: number }
  /** Nothing failed, but it is not our turn yet: send a fresh copy of the message after `delayMs`. */
  | { next: 'defer'; delayMs: number };

export const done: Outcome = { next: 'done' };
