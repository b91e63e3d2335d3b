/** What a code means and what a person can do about it; the source of `docs/errors.md`. */
export interface CodeEntry {
  /** What becomes of a document with this code. */
  outcome: 'failed' | 'skipped' | 'held' | 'retried' | 'waiting';
  meaning: string;
  advice: string;
}
