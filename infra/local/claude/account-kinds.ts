/**
 * What the API answers when a person has to act, or when it means something else than its status says, in its
 * own words. Sources: https://platform.claude.com/docs/en/api/errors, the codes in the official SDK (1.12,
 * `resources/shared`), and public reports of the texts that have no code.
 */
export const accountFaultKinds = [
  /** 400, by words alone: the prepaid credit is used up. */
  'credit_balance',
  /** 400, by words alone: the organization has used up the spend limit that it has set itself. */
  'usage_limit',
  /** 400, by words alone: the same for the workspace of the key. */
  'workspace_usage_limit',
  /** 400, by words alone: the organization was disabled. */
  'organization_disabled',
  /** 400: a key of several workspaces without `anthropic-workspace-id`. */
  'workspace_missing',
  /** 400 with a code: the workspace's human review is switched off (batches only). */
  'human_review_disabled',
  /** 402 with a code: the organization that pays for this one cannot be billed. */
  'linked_billing',
  /** 429 with a code and `retry-after`: the use of the organization grows too fast. */
  'ramp_limit',
  /** 404 whose type is `invalid_request_error`, as the Files API's first documentation prints it. */
  'file_missing',
] as const;

export type AccountFaultKind = (typeof accountFaultKinds)[number];

/** The calls that a kind applies to, where it does not apply to all. */
export const accountFaultOperations = {
  human_review_disabled: ['batches.create'],
  file_missing: ['files.get', 'files.delete', 'files.content', 'messages.create', 'batch.request'],
} as const satisfies Partial<Record<AccountFaultKind, readonly string[]>>;
