import type { Status } from '../journey/record.ts';
import type { OpenStatus } from '../journey/steps.ts';
import { contentNameOf } from './content-id.ts';
import type { DocumentAttributes, Release } from './document-item.ts';
import { shardOf } from './keys.ts';
import type { Item } from './table.ts';

/** What follows for an item from the version that it describes, and from the one before. */

/** The newest event that the record tells of. */
export const newestOrder = ({
  order,
  confirmedBy = order,
}: Pick<DocumentAttributes, 'order' | 'confirmedBy'>): string =>
  confirmedBy > order ? confirmedBy : order;

/** What a new version takes over from the one it replaces. */
export function inherited(present: DocumentAttributes, removedAt: string | undefined): Item {
  const releases: Release[] = [...(present.releases ?? [])];
  const { contentSha256, contentId, order } = present;
  if (contentSha256) {
    const name = contentNameOf({ contentSha256, contentId });
    releases.push({ ...name, order, ...(present.fileId ? { hadFile: true } : {}) });
  }
  return clean({
    createdAt: present.createdAt,
    dayShard: `${present.createdAt.slice(0, 10)}#${shardOf(present.documentId)}`,
    listedAt: present.createdAt,
    revision: present.revision + 1,
    releases: releases.length > 0 ? releases : undefined,
    retiresParts: present.hasParts || present.retiresParts ? true : undefined,
    purgesBefore: removedAt ?? present.purgesBefore,
  });
}

/** The statuses of a document that some queue is working on. */
export function isOpen(status: Status): status is OpenStatus {
  return status === 'received' || status === 'normalized' || status === 'uploaded';
}

/** The sparse index by state; `stateAt` is constant for a version, so that moving costs nothing. */
export function stateIndex(status: Status, documentId: string): { stateShard: string } | undefined {
  const shard = shardOf(documentId);
  if (isOpen(status)) return { stateShard: `open#${shard}` };
  if (status === 'failed' || status === 'held') return { stateShard: `${status}#${shard}` };
  return undefined;
}

/** Without attributes that are `undefined`, which DynamoDB does not take. */
export function clean(item: Item): Item {
  return Object.fromEntries(Object.entries(item).filter(([, value]) => value !== undefined));
}
