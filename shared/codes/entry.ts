/** What a code means and what a person can do about it; the source of `docs/errors.md`. */
export interface CodeEntry {
  /** What the document's record ends as when this code is in it. */
  outcome: 'failed' | 'skipped' | 'held' | 'retried' | 'waiting';
  meaning: string;
  advice: string;
}
