/** What a reconciliation found and did; stored for people to read. Lists are cut at 1,000 ids. */
export interface ReconcileReport {
  startedAt: string;
  endedAt?: string;
  dryRun: boolean;
  /** True when time ran out; the next run goes on where this one ended. */
  unfinished: boolean;
  counts: Record<string, number>;
  ids: Record<string, string[]>;
  /** Bytes of our files at Claude, when the sweep of remote files came to its end. */
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
