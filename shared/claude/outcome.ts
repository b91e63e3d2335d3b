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
   * What the step throws: one of Dropline's errors for a failed call. What is no failure of a call
   * (an error of the ledger, of S3, of Dropline itself) is given back as it is.
   */
  error: unknown;
  /** Upload: whether a remote file may have been made, so that the next attempt looks for it. */
  fileMayExist: boolean;
  /** Summarize: whether the call may have been paid. False only when it certainly was not. */
  mayBePaid: boolean;
}

/**
 * What a step makes of something thrown around a call to the Claude API.
 *
 * A 429 with a wait is a `Defer`, and an API that was not reached or had no capacity a `ServiceDown`, for
 * neither is the document's fault; a 429 without a wait is an attempt.
 * An unknown error leaves both questions open, so both are answered with yes.
 */
export function outcomeOf(thrown: unknown, step: CallingStep): CallOutcome {
  const done = mayHaveBeenDone(thrown);
  return {
    error: thrown instanceof errors.ClaudeError ? errorFor(thrown, step) : thrown,
    fileMayExist: step === 'upload' && done,
    mayBePaid: step === 'summarize' && done,
  };
}

/** Whether the call may have had its effect although it failed. */
function mayHaveBeenDone(thrown: unknown): boolean {
  // Our own errors come out of a call only before it (`admit`) or out of an upload's body, whose
  // request then is not whole.
  if (thrown instanceof DroplineError) return false;
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
    // Paid for and unreadable: the next one would most likely be the same, and paid as well.
    return step === 'summarize'
      ? new RejectDocument(details(error, 'summarize.unexpected_reply'))
      : new RetryLater(details(error, 'claude.unexpected_reply'));
  }
  if (error instanceof errors.UploadSizeMismatch) {
    return new RetryLater(details(error, 'upload.size_mismatch'));
  }
  return new StopLane(details(error, 'claude.misconfigured'));
}

/** The least to wait for an API that is not there, in milliseconds, where it does not say how long. */
const downMs = 1_000;

function unanswered(error: errors.ClaudeConnectionError, step: CallingStep): DroplineError {
  if (error.sent === 'maybe') {
    const inStep = step === 'upload' || step === 'summarize';
    return new RetryLater(details(error, inStep ? `${step}.reply_lost` : 'claude.reply_lost'));
  }
  return error instanceof errors.ClaudeAbortedError
    ? new RetryLater(details(error, 'claude.interrupted'))
    : new ServiceDown({ ...details(error, 'claude.unreachable'), delayMs: downMs });
}

function refused(error: errors.ClaudeApiError, step: CallingStep): DroplineError {
  if (error instanceof errors.NeedsPerson) return new StopLane(details(error, personCode(error)));
  if (error instanceof errors.RateLimited) {
    const { retryAfterMs: delayMs } = error;
    const about = details(error, 'claude.rate_limited');
    return delayMs === undefined ? new RetryLater(about) : new Defer({ ...about, delayMs });
  }
  if (error instanceof errors.Overloaded) {
    const delayMs = error.retryAfterMs ?? downMs;
    return new ServiceDown({ ...details(error, 'claude.overloaded'), delayMs });
  }
  if (error instanceof errors.ServerError || error instanceof errors.Conflict) {
    const code = error instanceof errors.Conflict ? 'claude.conflict' : 'claude.server_error';
    return new RetryLater({ ...details(error, code), delayMs: error.retryAfterMs });
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
  return 'claude.forbidden';
}

function details(error: errors.ClaudeError, code: ClaudeCode): ErrorDetails & { code: ClaudeCode } {
  return { code, message: error.message, requestId: error.requestId, cause: error };
}
