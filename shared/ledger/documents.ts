import { documentIdOf } from '../journey/ids.ts';
import type { ObjectChange } from '../journey/messages.ts';
import type { DocumentRecord, Status, Step } from '../journey/record.ts';
import {
  assertImplied,
  type DocumentAttributes,
  type DocumentIn,
  type DocumentItem,
  documentItemSchema,
  type PastVersion,
  pastVersionSchema,
  type Release,
  replacedItemSchema,
} from './document-item.ts';
import { budgetKey, documentKey, orderOf, pastVersionKey, shardOf } from './keys.ts';
import type { Condition, Item, Table } from './table.ts';
import { transitions } from './transitions.ts';
import { clean, inherited, isOpen, newestOrder, stateIndex } from './version.ts';

/** What became of an event that was offered to the ledger. */
export type Receipt =
  /** The event starts a new version: the record now describes it. */
  | { outcome: 'new'; document: DocumentItem }
  /** The very same event was applied before: a redelivery. */
  | { outcome: 'again'; document: DocumentItem }
  /** A newer event was applied before: nothing changed. */
  | { outcome: 'stale'; document: DocumentItem };

/** Fields a step may write; book-keeping (revision, times, index keys) is added here. */
export type DocumentChanges = {
  [Field in keyof DocumentAttributes]?: DocumentAttributes[Field] | undefined;
};

/** What else a move writes, and what it depends on. */
export interface MoveOptions {
  /** The step whose attempt is counted. */
  attempt?: Step;
  add?: Record<string, number>;
  remove?: (keyof DocumentAttributes)[];
  condition?: Condition;
}

/** A step tried to move a document against the state machine. */
export class IllegalTransition extends Error {
  override readonly name = 'IllegalTransition';
}

/** The document half of the ledger. Every method is one conditional write on one item. */
export class Documents {
  readonly #table: Table;
  readonly #now: () => number;
  readonly #keepPastMs: number;

  /**
   * @param now epoch milliseconds
   * @param keepPastMs how long a version is kept after it was replaced, in milliseconds
   */
  constructor(table: Table, now: () => number, keepPastMs = 0) {
    this.#table = table;
    this.#now = now;
    this.#keepPastMs = keepPastMs;
  }

  /** The document by a consistent read, or `undefined` when the key was never seen. */
  async get(documentId: string): Promise<DocumentItem | undefined> {
    const item = await this.#table.get(documentKey(documentId));
    return item && documentItemSchema.parse(item);
  }

  /** The past version that was archived under `order`, or `undefined`. */
  async getPast(documentId: string, order: string): Promise<PastVersion | undefined> {
    const item = await this.#table.get(pastVersionKey(documentId, order));
    return item && pastVersionSchema.parse(item);
  }

  /**
   * Applies an S3 event: the newest sequencer wins, whatever the order of arrival. The version it
   * replaces is archived first (an idempotent put), so that a crash in between loses nothing: the
   * redelivered event archives it again and then replaces it.
   */
  async receive(change: ObjectChange, profile: string, profileHash?: string): Promise<Receipt> {
    const documentId = documentIdOf(change.bucket, change.key);
    const order = orderOf(change.sequencer);
    const fresh = this.#version(change, documentId, order, { profile, profileHash });
    if (await this.#table.put(fresh, { expression: 'attribute_not_exists(pk)' })) {
      return { outcome: 'new', document: documentItemSchema.parse(fresh) };
    }

    for (;;) {
      const item = await this.#table.get(documentKey(documentId));
      if (!item) throw new Error(`document ${documentId} vanished from the ledger`);
      const present = replacedItemSchema.parse(item);
      if (newestOrder(present) >= order) {
        const outcome = present.order === order ? 'again' : 'stale';
        return { outcome, document: documentItemSchema.parse(item) };
      }

      // Of a removed document nothing is kept.
      if (change.kind === 'created') await this.#archive(present);
      const next = {
        ...fresh,
        ...inherited(present, change.kind === 'removed' ? order : undefined),
      };
      const replaced = await this.#table.put(next, {
        expression: '#order = :was AND revision = :revision',
        names: { order: 'order' },
        values: { was: present.order, revision: present.revision },
      });
      if (replaced) return { outcome: 'new', document: documentItemSchema.parse(next) };
    }
  }

  /**
   * Writes that the event with this sequencer left the version as it is, so that older events that
   * come late change nothing any more.
   * @returns false when a newer event was first
   */
  async confirm(document: DocumentItem, sequencer: string): Promise<boolean> {
    const item = await this.#table.update(
      documentKey(document.documentId),
      { set: { confirmedBy: orderOf(sequencer) }, add: { revision: 1 } },
      {
        expression: '#order = :order AND (attribute_not_exists(confirmedBy) OR confirmedBy < :new)',
        names: { order: 'order' },
        values: { order: document.order, new: orderOf(sequencer) },
      },
    );
    return item !== undefined;
  }

  /**
   * Moves this version of a document from the status it was seen in to `to` and writes `changes`,
   * provided that the record still describes this version in that status.
   * @returns the record as it is now, or `undefined` when another worker or a newer event was first
   * @throws IllegalTransition when the state machine has no such step: a fault of the caller
   */
  async move<To extends Status>(
    document: DocumentItem,
    to: To,
    changes: DocumentChanges = {},
    options: MoveOptions = {},
  ): Promise<DocumentIn<To> | undefined> {
    if (!transitions[document.status].includes(to)) {
      throw new IllegalTransition(`${document.status} → ${to} is no transition of a document`);
    }
    const kept = Object.entries(document).filter(([name]) => !isRemoved(name, options));
    assertImplied(to, { ...Object.fromEntries(kept), ...defined(changes) });
    const expression = '#order = :order AND #status = :from';
    const values = { order: document.order, from: document.status };
    const also = options.condition;
    const index = stateIndex(to, document.documentId);
    const removed = [...(options.remove ?? []), ...(index ? [] : ['stateShard'])];
    const item = await this.#table.update(
      documentKey(document.documentId),
      {
        set: { ...changes, ...index, status: to, updatedAt: this.#iso() },
        add: {
          revision: 1,
          ...(options.attempt ? { [`attempts.${options.attempt}`]: 1 } : {}),
          ...options.add,
        },
        remove: removed,
      },
      {
        expression: also ? `${expression} AND (${also.expression})` : expression,
        names: { order: 'order', status: 'status', ...also?.names },
        values: { ...values, ...also?.values },
      },
    );
    return item && (documentItemSchema.parse(item) as DocumentIn<To>);
  }

  /**
   * Ends this version `failed` or `skipped`, or parks it `held`, with the error that says why.
   * @returns the record as it is now, or `undefined` when a newer event was first or it had ended
   */
  async setAside<To extends 'failed' | 'skipped' | 'held'>(
    document: DocumentItem,
    to: To,
    error: Omit<NonNullable<DocumentRecord['error']>, 'at'>,
    options: MoveOptions & { changes?: DocumentChanges } = {},
  ): Promise<DocumentIn<To> | undefined> {
    const { changes: more, remove = [], ...counted } = options;
    const changes: DocumentChanges = { ...more, error: { ...error, at: this.#iso() } };
    if (to === 'held' && isOpen(document.status)) changes.heldFrom = document.status;
    return this.move(document, to, changes, { ...counted, remove: [...remove, 'waiting'] });
  }

  /** The past versions of a document that are still kept. */
  async *past(documentId: string): AsyncGenerator<PastVersion> {
    let cursor: Item | undefined;
    do {
      const page = await this.#table.query({
        hash: { name: 'pk', value: documentKey(documentId).pk },
        range: { name: 'sk', beginsWith: 'V#' },
        consistent: true,
        cursor,
      });
      for (const item of page.items) yield pastVersionSchema.parse(item);
      cursor = page.cursor;
    } while (cursor);
  }

  /** Deletes a past version, and the budget of its parts. Idempotent. */
  async forgetPast({
    documentId,
    order,
  }: Pick<PastVersion, 'documentId' | 'order'>): Promise<void> {
    await this.#table.delete(budgetKey(documentId, order));
    await this.#table.delete(pastVersionKey(documentId, order));
  }

  /** Deletes the budgets of the parts of all versions before a removal. Idempotent. */
  async forgetBudgets(documentId: string, before: string): Promise<void> {
    const { items } = await this.#table.query({
      hash: { name: 'pk', value: documentKey(documentId).pk },
      range: { name: 'sk', beginsWith: 'PARTS#' },
      consistent: true,
    });
    for (const { sk } of items) {
      const order = String(sk).slice('PARTS#'.length);
      if (order < before) await this.#table.delete(budgetKey(documentId, order));
    }
  }

  /** Forgets releases that were sent, provided that nobody wrote the record meanwhile. */
  async keepReleases(document: DocumentItem, releases: Release[]): Promise<void> {
    await this.#table.update(
      documentKey(document.documentId),
      releases.length > 0 ? { set: { releases } } : { remove: ['releases'] },
      {
        expression: '#order = :order AND revision = :revision',
        names: { order: 'order' },
        values: { order: document.order, revision: document.revision },
      },
    );
  }

  /** Counts a failed attempt of a step and keeps the error that the next attempt may clear. */
  async attemptFailed(
    document: DocumentItem,
    step: Step,
    error: Omit<NonNullable<DocumentRecord['error']>, 'at'>,
  ): Promise<DocumentItem | undefined> {
    return this.move(
      document,
      document.status,
      { error: { ...error, at: this.#iso() } },
      { attempt: step },
    );
  }

  /**
   * Keeps the error of a service that is down, and counts how many times in a row that was so. The count
   * ends with the step.
   */
  async waitsForService(
    document: DocumentItem,
    error: Omit<NonNullable<DocumentRecord['error']>, 'at'>,
  ): Promise<DocumentItem | undefined> {
    return this.move(
      document,
      document.status,
      { error: { ...error, at: this.#iso() } },
      { add: { outages: 1 } },
    );
  }

  /**
   * Another file carries the same content now, in the place of `was`. That is no transition: it may
   * happen in any status.
   * @returns false when this version stands on another file meanwhile, or a newer event came in
   */
  async refile(
    document: Pick<DocumentItem, 'documentId' | 'order'>,
    was: string,
    file: { fileId: string; expiresAt?: string | undefined },
  ): Promise<boolean> {
    const item = await this.#table.update(
      documentKey(document.documentId),
      {
        set: { fileId: file.fileId, fileExpiresAt: file.expiresAt, updatedAt: this.#iso() },
        add: { revision: 1 },
        remove: file.expiresAt ? [] : ['fileExpiresAt'],
      },
      {
        expression: '#order = :order AND fileId = :was',
        names: { order: 'order' },
        values: { order: document.order, was },
      },
    );
    return item !== undefined;
  }

  /** Forgets what past versions held once it was let go, provided that no newer event came in. */
  async clearReleases(document: DocumentItem): Promise<void> {
    await this.#table.update(
      documentKey(document.documentId),
      { remove: ['releases', 'retiresParts', 'purgesBefore'] },
      {
        expression: '#order = :order',
        names: { order: 'order' },
        values: { order: document.order },
      },
    );
  }

  async #archive(present: DocumentAttributes): Promise<void> {
    const { stateShard: _state, dayShard: _day, listedAt: _listed, ...kept } = present as Item;
    // The past version keeps its fileId under another name, so that the index by file finds only
    // documents that still stand on that file.
    const { fileId, ...rest } = kept;
    await this.#table.put(
      clean({
        ...rest,
        ...pastVersionKey(present.documentId, present.order),
        pastFileId: fileId,
        stateShard: `past#${shardOf(present.documentId)}`,
        stateAt: new Date(this.#now() + this.#keepPastMs).toISOString(),
      }),
      // Two events may replace the same version at once: the one that read it earlier must not
      // overwrite what the other archived with what it was before its last step.
      {
        expression: 'attribute_not_exists(pk) OR revision < :revision',
        values: { revision: present.revision },
      },
    );
  }

  #version(
    change: ObjectChange,
    documentId: string,
    order: string,
    profile: Pick<DocumentAttributes, 'profile' | 'profileHash'>,
  ): Item {
    const now = this.#iso();
    const removed = change.kind === 'removed';
    const status: Status = removed ? 'removed' : 'received';
    return clean({
      ...documentKey(documentId),
      documentId,
      bucket: change.bucket,
      key: change.key,
      versionId: change.versionId,
      etag: change.etag,
      sequencer: change.sequencer,
      order,
      sizeBytes: change.sizeBytes,
      original: change.original,
      parent: change.parent,
      depth: change.depth,
      status,
      attempts: {},
      ...profile,
      profileAsked: change.profileAsked,
      createdAt: now,
      updatedAt: now,
      revision: 1,
      stateAt: now,
      ...stateIndex(status, documentId),
      dayShard: `${now.slice(0, 10)}#${shardOf(documentId)}`,
      listedAt: now,
    });
  }

  #iso(): string {
    return new Date(this.#now()).toISOString();
  }
}

const isRemoved = (name: string, { remove = [] }: MoveOptions): boolean =>
  (remove as string[]).includes(name);

const defined = (changes: DocumentChanges): DocumentChanges => clean(changes);
