import type { Status } from '../journey/record.ts';

/**
 * The state machine of one version of a document: from each status, where a step may take it.
 * A newer S3 event starts a new version from any status and is not listed here. Code builds the
 * condition of every write from this table, and docs/architecture.md is checked against it.
 */
export const transitions: Record<Status, readonly Status[]> = {
  received: ['received', 'normalized', 'failed', 'skipped', 'held'],
  normalized: ['normalized', 'uploaded', 'failed', 'held'],
  uploaded: ['uploaded', 'ready', 'normalized', 'failed', 'held'],
  ready: ['ready'],
  failed: ['received', 'normalized', 'uploaded'],
  skipped: [],
  removed: [],
  held: ['received', 'normalized', 'uploaded', 'failed'],
};
