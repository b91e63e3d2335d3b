/** What a run may find and do, as its report names it; docs/operations.md explains each. */
export const findings = [
  'announced',
  'answersDeleted',
  'batchesCalled',
  'budgetsCorrected',
  'buried',
  'errors',
  'expiring',
  'fileIdsCorrected',
  'gone',
  'inBacklog',
  'orphansDeleted',
  'madeByTools',
  'pastVersionsDeleted',
  'referencesReleased',
  'referencesRestored',
  'released',
  'removalsAnnounced',
  'resent',
  'reservationsSettled',
  'resumed',
  'retried',
  'unreadable',
  'unrepaired',
  'unstaged',
] as const;
export type Finding = (typeof findings)[number];

/** What a reconciliation found and did; stored for people to read. Lists are limited to 1,000 ids. */
export interface ReconcileReport {
  startedAt: string;
  endedAt?: string;
  dryRun: boolean;
  /** True when time ran out; the next run resumes where this one stopped. */
  unfinished: boolean;
  counts: Partial<Record<Finding, number>>;
  ids: Partial<Record<Finding, string[]>>;
  /** Bytes of our files at Claude, if the sweep of remote files finished. */
  storageBytes?: number;
  remoteFiles?: number;
}

const maxIds = 1_000;

/** Notes in the report that `what` was found for `id`. */
export function note(report: ReconcileReport, what: Finding, id: string): void {
  report.counts[what] = (report.counts[what] ?? 0) + 1;
  report.ids[what] ??= [];
  const ids = report.ids[what];
  if (ids.length < maxIds) ids.push(id);
}
