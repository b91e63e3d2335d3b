import { z } from 'zod';
import { type ContentName, contentIdOf } from './content-id.ts';
import { contentKey, type Key, referenceKey, shardOf } from './keys.ts';
import type { Changes, Condition, Table } from './table.ts';

const attributes = z.object({
  pk: z.string(),
  contentSha256: z.string(),
  /** Begins with the time, and grows by one with every write; conditions name it. */
  revision: z.int(),
  /** Uploads begun for this content. */
  claims: z.int(),
  owner: z.string().optional(),
  /** Epoch milliseconds until which the owner's claim holds. */
  leaseUntil: z.number().optional(),
  /** A file that was to be deleted when a newcomer took the content over: the newcomer deletes it. */
  doomedFileId: z.string().optional(),
  sizeBytes: z.int(),
  filename: z.string(),
  mimeType: z.string(),
});
const remoteFile = { fileId: z.string(), expiresAt: z.string().optional() };
const noFile = { fileId: z.undefined().optional(), expiresAt: z.undefined().optional() };

/**
 * A content: bytes with one SHA-256, and the one remote file that carries them.
 * - `uploading`: a worker holds the lease, or held it and died (then a stray file may exist);
 * - `free`: no remote file, and none can be under way: the next claim uploads without looking;
 * - `live`: `fileId` carries it;
 * - `past`: no document refers to it and it has no file; its answers are kept until `keptUntil`, in case it comes back;
 * - `deleting`: nobody refers to it; `fileId` is about to be deleted.
 */
export const contentItemSchema = z.discriminatedUnion('state', [
  attributes.extend({ state: z.literal('uploading'), ...noFile }),
  attributes.extend({ state: z.literal('free'), ...noFile }),
  attributes.extend({ state: z.literal('live'), ...remoteFile }),
  attributes.extend({ state: z.literal('past'), keptUntil: z.string(), ...noFile }),
  attributes.extend({
    state: z.literal('deleting'),
    leaseUntil: z.number(),
    fileId: z.string().optional(),
    expiresAt: z.string().optional(),
  }),
]);
export type ContentItem = z.infer<typeof contentItemSchema>;

/** What is known of a content when it is claimed for the first time. */
export type ContentFacts = Pick<ContentItem, 'sizeBytes' | 'filename' | 'mimeType'> & ContentName;

/** The content half of the ledger. Every method is one conditional write on one item. */
export class Contents {
  readonly #table: Table;
  readonly #now: () => number;

  /** @param now epoch milliseconds */
  constructor(table: Table, now: () => number) {
    this.#table = table;
    this.#now = now;
  }

  async get(contentId: string): Promise<ContentItem | undefined> {
    const item = await this.#table.get(contentKey(contentId));
    return item && contentItemSchema.parse(item);
  }

  /** Writes that a version of a document uses the content. Idempotent. */
  async join(contentId: string, documentId: string, order: string): Promise<void> {
    await this.#table.put({ ...referenceKey(contentId, documentId, order), documentId, order });
  }

  /**
   * Marks that a version of a document waits for the answer to a question about the content it refers to.
   * @returns false when the reference is gone: the version was removed or replaced
   */
  async markWaiting(
    contentId: string,
    { documentId, order }: { documentId: string; order: string },
    question: string,
  ): Promise<boolean> {
    const item = await this.#table.update(
      referenceKey(contentId, documentId, order),
      { set: { waitsFor: question } },
      { expression: 'attribute_exists(pk)' },
    );
    return item !== undefined;
  }

  /** Drops that reference. Idempotent. */
  async leave(contentId: string, documentId: string, order: string): Promise<void> {
    await this.#table.delete(referenceKey(contentId, documentId, order));
  }

  /** Whether that reference is there, by a consistent read. */
  async holds(contentId: string, documentId: string, order: string): Promise<boolean> {
    return (await this.#table.get(referenceKey(contentId, documentId, order))) !== undefined;
  }

  /** The versions that use the content, a page at a time, by a consistent read. */
  async references(contentId: string, options: { limit?: number; cursor?: unknown } = {}) {
    const page = await this.#table.query({
      hash: { name: 'pk', value: contentKey(contentId).pk },
      range: { name: 'sk', beginsWith: 'REF#' },
      consistent: true,
      ...(options.limit ? { limit: options.limit } : {}),
      cursor: options.cursor as Record<string, unknown> | undefined,
    });
    const references = page.items.map((item) => ({
      documentId: String(item.documentId),
      order: String(item.order),
      /** The question whose answer the version waits for, or waited for once. */
      waitsFor: item.waitsFor === undefined ? undefined : String(item.waitsFor),
    }));
    return { references, cursor: page.cursor };
  }

  async isReferenced(contentId: string): Promise<boolean> {
    const { references } = await this.references(contentId, { limit: 1 });
    return references.length > 0;
  }

  /**
   * Takes the content for an upload, as it was seen: `seen` is what `get` gave just before.
   * @param leaseMs how long the claim holds without renewal, in milliseconds
   * @returns the content as claimed, or `undefined` when another worker was first
   */
  async claim(
    facts: ContentFacts,
    seen: ContentItem | undefined,
    owner: string,
    leaseMs: number,
  ): Promise<ContentItem | undefined> {
    const { contentId: _, ...kept } = facts;
    const doomed = (seen?.state === 'deleting' ? seen.fileId : undefined) ?? seen?.doomedFileId;
    const item = await this.#table.update(
      contentKey(contentIdOf(facts)),
      {
        set: {
          ...kept,
          state: 'uploading',
          owner,
          leaseUntil: this.#now() + leaseMs,
          doomedFileId: doomed,
          // Where it begins differs each time that a content is made anew, so that a worker which
          // saw it in a former life cannot take the one for the other.
          ...(seen ? {} : { revision: this.#now() }),
        },
        add: { ...(seen ? { revision: 1 } : {}), claims: 1 },
        remove: ['fileId', 'expiresAt', ...pastAttributes],
      },
      seen ? atRevision(seen) : { expression: 'attribute_not_exists(pk)' },
    );
    return item && contentItemSchema.parse(item);
  }

  /** Prolongs the owner's claim; `false` when it was lost. */
  async renew(contentId: string, owner: string, leaseMs: number): Promise<boolean> {
    return this.#owned(contentId, owner, {
      set: { leaseUntil: this.#now() + leaseMs },
      add: { revision: 1 },
    });
  }

  /** Writes the file that carries the content now; `false` when the claim was lost meanwhile. */
  async setLive(
    contentId: string,
    owner: string,
    file: { fileId: string; expiresAt?: string | undefined },
  ): Promise<boolean> {
    return this.#owned(contentId, owner, {
      set: { state: 'live', fileId: file.fileId, expiresAt: file.expiresAt },
      add: { revision: 1 },
      remove: ['owner', 'leaseUntil', 'doomedFileId'],
    });
  }

  /**
   * Gives the claim back after a failure.
   * @param stray whether a file may have been made all the same: then the next claim looks first
   */
  async abandon(contentId: string, owner: string, stray: boolean): Promise<boolean> {
    return this.#owned(contentId, owner, {
      set: stray ? { leaseUntil: 0 } : { state: 'free' },
      add: { revision: 1 },
      remove: stray ? ['owner'] : ['owner', 'leaseUntil'],
    });
  }

  /** A live file turned out to be gone: the next claim uploads again. */
  async evict(contentId: string, fileId: string): Promise<boolean> {
    const item = await this.#table.update(
      contentKey(contentId),
      { set: { state: 'free' }, add: { revision: 1 }, remove: ['fileId', 'expiresAt'] },
      {
        expression: '#state = :live AND fileId = :file',
        names: { state: 'state' },
        values: { live: 'live', file: fileId },
      },
    );
    return item !== undefined;
  }

  /**
   * Takes a content that nobody refers to, as it was seen, for deletion: a `live` one, or one whose
   * deleter died. Only the deleter may delete the file or revive the content, for `leaseMs`.
   * @param leaseMs longer than a worker can live, in milliseconds
   * @returns the content as taken, or `undefined` when somebody was first
   */
  async beginDelete(
    seen: ContentItem,
    owner: string,
    leaseMs: number,
  ): Promise<ContentItem | undefined> {
    const item = await this.#table.update(
      keyOf(seen),
      {
        set: { state: 'deleting', owner, leaseUntil: this.#now() + leaseMs },
        add: { revision: 1 },
      },
      atRevision(seen),
    );
    return item && contentItemSchema.parse(item);
  }

  /**
   * The deleter found a newcomer's reference: `live` again, or, when there was no file yet, as a dead
   * uploader left it, so that the next claim looks for a stray file first.
   * @param mayBeGone whether a deleter before this one may have deleted the file: then it is as good as doomed
   * @returns false when it lost the content
   */
  async revive(taken: ContentItem, mayBeGone: boolean): Promise<boolean> {
    const dead = mayBeGone ? taken.fileId : undefined;
    const state = dead ? 'free' : taken.fileId ? 'live' : 'uploading';
    const item = await this.#table.update(
      keyOf(taken),
      {
        set: { state, doomedFileId: dead },
        add: { revision: 1 },
        remove: [
          'owner',
          'leaseUntil',
          ...pastAttributes,
          ...(dead ? ['fileId', 'expiresAt'] : []),
        ],
      },
      atRevision(taken),
    );
    return item !== undefined;
  }

  /** Ends the deleter's lease after a failure, so that the next attempt need not wait for it. */
  async forgetDeleter(taken: ContentItem): Promise<boolean> {
    const item = await this.#table.update(
      keyOf(taken),
      { set: { leaseUntil: 0 }, add: { revision: 1 } },
      atRevision(taken),
    );
    return item !== undefined;
  }

  /**
   * The deleter has deleted the file: from now on a newcomer waits until the rest is deleted too, or the lease is over.
   * @returns the content as it is now, or `undefined` when a newcomer had taken it over
   */
  async fileDeleted(taken: ContentItem): Promise<ContentItem | undefined> {
    const item = await this.#table.update(
      keyOf(taken),
      { add: { revision: 1 }, remove: ['fileId', 'expiresAt', 'doomedFileId'] },
      atRevision(taken),
    );
    return item && contentItemSchema.parse(item);
  }

  /**
   * The deleter has deleted the file, and what was asked about the content is kept for a while.
   * @param keptUntil RFC 3339
   * @returns false when it lost the content
   */
  async retire(taken: ContentItem, keptUntil: string): Promise<boolean> {
    const item = await this.#table.update(
      keyOf(taken),
      {
        set: {
          state: 'past',
          keptUntil,
          stateShard: `past#${shardOf(contentIdOfItem(taken))}`,
          stateAt: keptUntil,
        },
        add: { revision: 1 },
        remove: ['owner', 'leaseUntil', 'fileId', 'expiresAt', 'doomedFileId'],
      },
      atRevision(taken),
    );
    return item !== undefined;
  }

  /** Removes the item of a content without a file; `false` when a newcomer took it over. */
  async forget(seen: ContentItem): Promise<boolean> {
    return this.#table.delete(keyOf(seen), atRevision(seen));
  }

  async #owned(contentId: string, owner: string, changes: Changes): Promise<boolean> {
    const item = await this.#table.update(contentKey(contentId), changes, {
      expression: '#state = :uploading AND #owner = :owner',
      names: { state: 'state', owner: 'owner' },
      values: { uploading: 'uploading', owner },
    });
    return item !== undefined;
  }
}

/**
 * Whether a file that nobody wrote down may carry this content: an upload was begun and its outcome
 * is not known. Who takes such a content over looks for that file first.
 */
export function mayHaveStray(seen: Pick<ContentItem, 'state' | 'fileId'>): boolean {
  return seen.state === 'uploading' || (seen.state === 'deleting' && !seen.fileId);
}

/** The id of a content, as its item's key has it. */
export const contentIdOfItem = ({ pk }: Pick<ContentItem, 'pk'>): string =>
  pk.slice('CONTENT#'.length);

/** The key of the item itself: those of the first release are all under the SHA-256 alone. */
const keyOf = ({ pk }: Pick<ContentItem, 'pk'>): Key => ({ pk, sk: 'CONTENT' });

/** What only a `past` content has. */
const pastAttributes = ['keptUntil', 'stateShard', 'stateAt'];

function atRevision(seen: ContentItem): Condition {
  return { expression: 'revision = :seen', values: { seen: seen.revision } };
}
