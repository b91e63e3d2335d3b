/** What a reconciliation found and did; stored for people to read. Lists are limited to 1,000 ids. */
export interface ReconcileReport {
  startedAt: string;
  endedAt?: string;
  dryRun: boolean;
  /** True when time ran out; the next run resumes where this one stopped. */
  unfinished: boolean;
  counts: Record<string, number>;
  ids: Record<string, string[]>;
  /** Bytes of our files at Claude, if the sweep of remote files finished. */
  storageBytes?: number;
  remoteFiles?: number;
}

const maxIds = 1_000;

/** Notes in the report that `what` was found for `id`. */
export function note(report: ReconcileReport, what: string, id: string): void {
  report.counts[what] = (report.counts[what] ?? 0) + 1;
  report.ids[what] ??= [];
  if (report.ids[what].length < maxIds) report.ids[what].push(id);
}
