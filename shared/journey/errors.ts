/**
 * Errors are named by what happens next, never by where they came from. The class decides between
 * redelivery, a failed record, a skipped record, or an alarm; the `code` is stable and is what
 * records, logs, the CLI and apps match on. Message texts may change at any time.
 */

import type { Fidelity } from './record.ts';

/** What every error of ours carries into the record. */
export interface ErrorDetails {
  /** Stable code, `<step>.<reason>`, listed in `docs/errors.md`. */
  code: string;
  /** One sentence for a person: what is wrong with this document. */
  message: string;
  /** What a person can do about it; taken from the catalogue of codes when left out. */
  advice?: string;
  /** The API's `request-id`, where a call was answered. */
  requestId?: string | undefined;
  /** Why Claude refused, where it says. */
  category?: string | undefined;
  cause?: unknown;
}

/** Base of all errors with a stable code. Not thrown itself. */
export abstract class DroplineError extends Error {
  readonly code: string;
  readonly advice: string | undefined;
  readonly requestId: string | undefined;
  readonly category: string | undefined;

  constructor({ code, message, advice, requestId, category, cause }: ErrorDetails) {
    super(message, cause === undefined ? undefined : { cause });
    this.name = new.target.name;
    this.code = code;
    this.advice = advice;
    this.requestId = requestId;
    this.category = category;
  }
}

/** This document can never succeed as it is: it ends `failed`; others are not affected. No redelivery. */
export class RejectDocument extends DroplineError {}

/**
 * This document itself holds nothing for Claude (an unsupported type, or a container of other files): it
 * ends `skipped`, with advice.
 */
export class SkipDocument extends DroplineError {
  /** What was found in it nevertheless. */
  readonly fidelity: Fidelity | undefined;

  constructor(details: ErrorDetails & { fidelity?: Fidelity | undefined }) {
    super(details);
    this.fidelity = details.fidelity;
  }
}

/** The attempt failed for a reason that may pass: count it, and deliver the message again. */
export class RetryLater extends DroplineError {
  /** Milliseconds to wait before the next attempt; the step's backoff decides when left out. */
  readonly delayMs: number | undefined;

  constructor(details: ErrorDetails & { delayMs?: number | undefined }) {
    super(details);
    this.delayMs = details.delayMs;
  }
}

/** Nothing failed, but it is not our turn yet: deliver again later without counting an attempt. */
export class Defer extends DroplineError {
  /** Milliseconds to wait before looking again. */
  readonly delayMs: number;

  constructor(details: ErrorDetails & { delayMs: number }) {
    super(details);
    this.delayMs = details.delayMs;
  }
}

/**
 * The service is currently down for everybody and certainly did nothing of this. It does not count as an
 * attempt, because no document is at fault. `delayMs` is the minimum wait; it grows with each outage in a row.
 */
export class ServiceDown extends Defer {}

/** No document can proceed until a person acts (bad key, unpaid bill, storage full): hold and alarm. */
export class StopLane extends DroplineError {}
