import type { AccountFaultKind } from './account-kinds.ts';
import type { CallContext } from './call.ts';
import { ApiError, fileMissing, invalid } from './errors.ts';
import type { Fault } from './faults.ts';

const errors: Record<AccountFaultKind, (fault: Fault, call: CallContext) => ApiError> = {
  credit_balance: () =>
    invalid(
      'Your credit balance is too low to access the Anthropic API. Please go to Plans & Billing to upgrade or purchase credits.',
    ),
  usage_limit: (_fault, { state }) =>
    invalid(
      `You have reached your specified API usage limits. You will regain access on ${nextMonth(state.settings.now())} at 00:00 UTC.`,
    ),
  workspace_usage_limit: (_fault, { state }) =>
    invalid(
      `You have reached your specified workspace API usage limits. You will regain access on ${nextMonth(state.settings.now())} at 00:00 UTC.`,
    ),
  organization_disabled: () => invalid('This organization has been disabled.'),
  workspace_missing: () =>
    invalid(
      'anthropic-workspace-id: header is required for a key with access to several workspaces',
    ),
  human_review_disabled: () =>
    invalid('Message Batches need human review, which is disabled in this workspace.', {
      error_code: 'workspace_human_review_disabled',
    }),
  linked_billing: () =>
    new ApiError(402, 'The organization that is billed for this one cannot be billed.', {
      details: { error_code: 'linked_organization_billing_unavailable' },
    }),
  ramp_limit: ({ retryAfter }) =>
    new ApiError(429, 'The usage of your organization is growing too fast.', {
      details: { error_code: 'ramp_limit_exceeded' },
      headers: { 'retry-after': String(retryAfter ?? 1) },
    }),
  file_missing: (_fault, { path }) =>
    new ApiError(404, fileMissing(idIn(path)).message, { type: 'invalid_request_error' }),
};

/** The error of an account fault; `undefined` for every other kind. */
export function accountError(fault: Fault, call: CallContext): ApiError | undefined {
  const make = (errors as Partial<Record<Fault['kind'], (typeof errors)[AccountFaultKind]>>)[
    fault.kind
  ];
  return make?.(fault, call);
}

const idIn = (path: string): string => /^\/v1\/files\/([^/]+)/.exec(path)?.[1] ?? 'file_unknown';

function nextMonth(now: number): string {
  const date = new Date(now);
  return new Date(Date.UTC(date.getUTCFullYear(), date.getUTCMonth() + 1))
    .toISOString()
    .slice(0, 10);
}
