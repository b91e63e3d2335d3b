import type { ClaudeCode } from '../codes/claude.ts';
import {
  Defer,
  DroplineError,
  type ErrorDetails,
  RejectDocument,
  RetryLater,
  ServiceDown,
  StopLane,
} from '../journey/errors.ts';
import * as errors from './errors.ts';

/** The step that made the call. */
export type CallingStep = 'upload' | 'summarize' | 'remove' | 'reconcile';

export interface CallOutcome {
  /**
   * The error for the step to throw: one of Dropline's errors for a failed call. Any other error (of
   * the ledger, of S3, of Dropline itself) is returned unchanged.
   */
  error: unknown;
  /** Upload: whether a remote file may have been created, so that the next attempt looks for it. */
  fileMayExist: boolean;
  /** Summarize: whether the call may have been billed. False only when it certainly was not. */
  mayBePaid: boolean;
}

/**
 * The outcome of whatever was thrown around a call to the Claude API.
 *
 * A 429 with a wait is a `Defer`. What was certainly not paid for waits like an outage (`ServiceDown`): an API
 * that is unreachable or overloaded, and every failure of the server or the connection in calls that cost
 * nothing, which are all but a message. A message that may be billed counts as an attempt.
 * An unknown error may have had either effect, so both flags are true.
 */
export function outcomeOf(thrown: unknown, step: CallingStep): CallOutcome {
  const done = mayHaveBeenDone(thrown);
  return {
    error: thrown instanceof errors.ClaudeError ? errorFor(thrown, step) : thrown,
    fileMayExist: step === 'upload' && done,
    mayBePaid: step === 'summarize' && done,
  };
}

/** Whether the call may have taken effect although it failed. */
function mayHaveBeenDone(thrown: unknown): boolean {
  // A call throws our own errors only before it is sent (`admit`) or from an upload's body, which
  // leaves the request incomplete.
  if (thrown instanceof DroplineError || errors.wasUnsent(thrown)) return false;
  if (thrown instanceof errors.UploadSizeMismatch) return false;
  if (thrown instanceof errors.ClaudeSetupError) return false;
  if (thrown instanceof errors.ClaudeConnectionError) return thrown.sent === 'maybe';
  if (thrown instanceof errors.Overloaded) return false;
  if (thrown instanceof errors.ServerError) return true;
  return !(thrown instanceof errors.ClaudeApiError);
}

function errorFor(error: errors.ClaudeError, step: CallingStep): DroplineError {
  if (error instanceof errors.ClaudeApiError) return refused(error, step);
  if (error instanceof errors.ClaudeConnectionError) return unanswered(error, step);
  if (error instanceof errors.ClaudeReplyError) {
    // Billed and unreadable: the next reply would most likely be the same, and billed as well.
    return step === 'summarize'
      ? new RejectDocument(details(error, 'summarize.unexpected_reply'))
      : new RetryLater(details(error, 'claude.unexpected_reply'));
  }
  if (error instanceof errors.UploadSizeMismatch) {
    return new RetryLater(details(error, 'upload.size_mismatch'));
  }
  return new StopLane(details(error, 'claude.misconfigured'));
}

/** Minimum wait for an unavailable API that does not say how long to wait, in milliseconds. */
const downMs = 1_000;

function unanswered(error: errors.ClaudeConnectionError, step: CallingStep): DroplineError {
  const aborted = error instanceof errors.ClaudeAbortedError;
  if (error.sent === 'maybe') {
    const inStep = step === 'upload' || step === 'summarize';
    const about = details(error, inStep ? `${step}.reply_lost` : 'claude.reply_lost');
    // What we ended ourselves says nothing about the API.
    return aborted ? new RetryLater(about) : unlessBilled(about, step);
  }
  return aborted
    ? new RetryLater(details(error, 'claude.interrupted'))
    : new ServiceDown({ ...details(error, 'claude.unreachable'), delayMs: downMs });
}

/** Waits for the API; where a second call may be paid a second time, counts an attempt instead. */
function unlessBilled(
  about: ErrorDetails,
  step: CallingStep,
  delayMs?: number | undefined,
): DroplineError {
  return step === 'summarize'
    ? new RetryLater({ ...about, delayMs })
    : new ServiceDown({ ...about, delayMs: delayMs ?? downMs });
}

function refused(error: errors.ClaudeApiError, step: CallingStep): DroplineError {
  if (error instanceof errors.NeedsPerson) return new StopLane(details(error, personCode(error)));
  if (error instanceof errors.RateLimited) {
    const { retryAfterMs: delayMs } = error;
    const about = details(error, 'claude.rate_limited');
    return delayMs === undefined
      ? new ServiceDown({ ...about, delayMs: downMs })
      : new Defer({ ...about, delayMs });
  }
  if (error instanceof errors.Overloaded) {
    const delayMs = error.retryAfterMs ?? downMs;
    return new ServiceDown({ ...details(error, 'claude.overloaded'), delayMs });
  }
  if (error instanceof errors.Conflict) {
    const delayMs = error.retryAfterMs ?? downMs;
    return new ServiceDown({ ...details(error, 'claude.conflict'), delayMs });
  }
  if (error instanceof errors.ServerError) {
    return unlessBilled(details(error, 'claude.server_error'), step, error.retryAfterMs);
  }
  if (step === 'summarize' && errors.isFileGone(error)) {
    return new RetryLater(details(error, 'summarize.file_gone'));
  }
  if (error instanceof errors.NotFound) {
    return step === 'summarize'
      ? new RejectDocument(details(error, 'summarize.model_not_found'))
      : new RetryLater(details(error, 'claude.not_found'));
  }
  if (error instanceof errors.PromptTooLong && step === 'summarize') {
    return new RejectDocument(details(error, 'summarize.too_long'));
  }
  if (error instanceof errors.TooLarge && (step === 'upload' || step === 'summarize')) {
    return new RejectDocument(details(error, `${step}.too_large`));
  }
  if (error instanceof errors.ParameterRefused) {
    return new RejectDocument(details(error, 'claude.refused_parameter'));
  }
  if (error instanceof errors.InvalidRequest || error instanceof errors.TooLarge) {
    const inStep = step === 'upload' || step === 'summarize';
    const code = inStep ? (`${step}.invalid_request` as const) : 'claude.invalid_request';
    return new RejectDocument(details(error, code));
  }
  return new StopLane(details(error, 'claude.misconfigured'));
}

function personCode(error: errors.NeedsPerson): ClaudeCode {
  if (error instanceof errors.AuthenticationFailed) return 'claude.unauthorized';
  if (error instanceof errors.BillingFailed) return 'claude.billing';
  if (error instanceof errors.SpendLimitReached) return 'claude.spend_limit';
  if (error instanceof errors.StorageFull) return 'claude.storage_full';
  if (error instanceof errors.WorkspaceMissing) return 'claude.misconfigured';
  return 'claude.forbidden';
}

function details(error: errors.ClaudeError, code: ClaudeCode): ErrorDetails & { code: ClaudeCode } {
  return { code, message: error.message, requestId: error.requestId, cause: error };
}
