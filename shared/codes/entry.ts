/** What a code means and what a person can do about it; the source of `docs/errors.md`. */
export interface CodeEntry {
  /** What becomes of a document with this code. */
  outcome: 'failed' | 'skipped' | 'held' | 'retried' | 'waiting';
  /**
   * True where the document cannot be the cause, but the deployment: after a few documents in a row that fail
   * with it, all others are held (docs/decisions/0045).
   */
  brakes?: true;
  meaning: string;
  advice: string;
}
