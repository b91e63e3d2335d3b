import { createHash, randomUUID } from 'node:crypto';
import type { State } from '../state/database.ts';

/** A message attribute as in the SQS API. */
export interface MessageAttribute {
  DataType: string;
  StringValue?: string;
  BinaryValue?: string;
}

/** The settings of a queue. Times in seconds. */
export interface QueueSettings {
  name: string;
  arn: string;
  visibilityTimeout: number;
  delaySeconds: number;
  receiveWaitSeconds: number;
  maxMessageBytes: number;
  redrive?: { deadLetterArn: string; maxReceiveCount: number };
}

export interface ReceivedMessage {
  messageId: string;
  receipt: string;
  body: string;
  md5: string;
  attributes: Record<string, MessageAttribute>;
  sentAt: number;
  receiveCount: number;
  firstReceivedAt: number;
}

export interface Depth {
  visible: number;
  inFlight: number;
  delayed: number;
  /** When the next hidden message becomes visible, in epoch milliseconds. */
  nextVisibleAt?: number;
}

interface Waiter {
  wake: () => void;
}

interface Row {
  id: number;
  message_id: string;
  body: string;
  md5: string;
  attributes: string;
  sent_at: number;
  receive_count: number;
  first_received_at: number | null;
}

/**
 * Standard queues on SQLite. Every operation is one transaction, so a kill at any moment leaves each message in
 * exactly one place. Messages are ordered by the time at which they became visible.
 *
 * Messages do not expire, unlike on AWS: a laptop that was off for weeks must not lose its documents.
 */
export class QueueStore {
  readonly #state: State;
  readonly #now: () => number;
  readonly #queues = new Map<string, QueueSettings>();
  readonly #waiters = new Map<string, Set<Waiter>>();
  readonly #timers = new Map<string, NodeJS.Timeout>();
  readonly #sql: ReturnType<typeof prepare>;

  constructor(state: State, now: () => number = Date.now) {
    this.#state = state;
    this.#now = now;
    this.#sql = prepare(state);
  }

  define(settings: QueueSettings): void {
    this.#queues.set(settings.name, settings);
  }

  get(name: string): QueueSettings | undefined {
    return this.#queues.get(name);
  }

  list(): QueueSettings[] {
    return [...this.#queues.values()].sort((a, b) => (a.name < b.name ? -1 : 1));
  }

  byArn(arn: string): QueueSettings | undefined {
    return this.list().find((queue) => queue.arn === arn);
  }

  /**
   * Adds a message. Joins the caller's transaction, if there is one.
   * @param delaySeconds the queue's own delay when left out
   */
  send(
    queue: QueueSettings,
    body: string,
    attributes: Record<string, MessageAttribute> = {},
    delaySeconds: number = queue.delaySeconds,
  ): { messageId: string; md5: string } {
    const messageId = randomUUID();
    const md5 = createHash('md5').update(body).digest('hex');
    const now = this.#now();
    this.#sql.insert.run(
      queue.name,
      messageId,
      body,
      md5,
      JSON.stringify(attributes),
      now,
      now + delaySeconds * 1000,
    );
    // Runs after the caller's transaction, so that a waiter finds the message committed.
    queueMicrotask(() => this.#wake(queue.name));
    return { messageId, md5 };
  }

  /** Takes up to `max` visible messages; those beyond `maxReceiveCount` go to the dead-letter queue. */
  receive(queue: QueueSettings, max: number, visibilityTimeout?: number): ReceivedMessage[] {
    const now = this.#now();
    const hiddenUntil = now + (visibilityTimeout ?? queue.visibilityTimeout) * 1000;
    const taken: ReceivedMessage[] = [];
    let deadLetters: QueueSettings | undefined;
    this.#state.transaction(() => {
      while (taken.length < max) {
        const rows = this.#sql.visible.all(queue.name, now, max - taken.length) as unknown as Row[];
        if (rows.length === 0) break;
        for (const row of rows) {
          const receiveCount = row.receive_count + 1;
          const target =
            queue.redrive && receiveCount > queue.redrive.maxReceiveCount
              ? this.byArn(queue.redrive.deadLetterArn)
              : undefined;
          if (target) {
            this.#sql.move.run(target.name, now, row.id);
            deadLetters = target;
            continue;
          }
          const receipt = `${row.id}.${randomUUID()}`;
          const firstReceivedAt = row.first_received_at ?? now;
          this.#sql.take.run(hiddenUntil, receiveCount, firstReceivedAt, receipt, row.id);
          taken.push({
            messageId: row.message_id,
            receipt,
            body: row.body,
            md5: row.md5,
            attributes: JSON.parse(row.attributes),
            sentAt: row.sent_at,
            receiveCount,
            firstReceivedAt,
          });
        }
      }
    });
    if (deadLetters) this.#wake(deadLetters.name);
    return taken;
  }

  /**
   * Takes messages, waiting up to `waitSeconds` for the first.
   * @param signal ends the wait early, with nothing taken
   */
  async receiveWaiting(
    queue: QueueSettings,
    max: number,
    waitSeconds: number,
    options: { visibilityTimeout?: number; signal?: AbortSignal } = {},
  ): Promise<ReceivedMessage[]> {
    const until = Date.now() + waitSeconds * 1000;
    for (;;) {
      if (options.signal?.aborted) return [];
      const taken = this.receive(queue, max, options.visibilityTimeout);
      const left = until - Date.now();
      if (taken.length > 0 || left <= 0) return taken;
      await this.#wait(queue.name, left, options.signal);
    }
  }

  /** Deletes by receipt. A receipt that a later receive has replaced deletes nothing, as on AWS. */
  delete(queue: QueueSettings, receipt: string): boolean {
    return this.#sql.delete.run(queue.name, receipt).changes === 1;
  }

  /** @returns false when the message is not in flight under this receipt */
  changeVisibility(queue: QueueSettings, receipt: string, seconds: number): boolean {
    const now = this.#now();
    const changed =
      this.#sql.changeVisibility.run(now + seconds * 1000, queue.name, receipt, now).changes === 1;
    if (changed) queueMicrotask(() => this.#wake(queue.name));
    return changed;
  }

  purge(queue: QueueSettings): void {
    this.#sql.purge.run(queue.name);
  }

  depth(queue: QueueSettings): Depth {
    const now = this.#now();
    const row = this.#sql.depth.get(now, now, now, now, queue.name);
    const next = row?.next;
    return {
      visible: Number(row?.visible ?? 0),
      inFlight: Number(row?.in_flight ?? 0),
      delayed: Number(row?.delayed ?? 0),
      ...(typeof next === 'number' ? { nextVisibleAt: next } : {}),
    };
  }

  /**
   * Makes every message visible. Called when the host starts: the functions that had received messages ended
   * with the previous host, so there is no reason to wait for their visibility timeouts. Deferred messages are
   * delivered too, since a user who restarts the host (with a valid API key, say) wants them to resume.
   */
  releaseAll(): void {
    this.#sql.release.run(this.#now(), this.#now());
  }

  close(): void {
    for (const timer of this.#timers.values()) clearTimeout(timer);
    for (const waiters of this.#waiters.values()) for (const waiter of waiters) waiter.wake();
  }

  #wake(name: string): void {
    const waiters = this.#waiters.get(name);
    if (!waiters || waiters.size === 0) return;
    // Wakes all: a waiter that finds nothing waits again, but one that is missed would stall.
    for (const waiter of [...waiters]) waiter.wake();
  }

  #wait(name: string, ms: number, signal: AbortSignal | undefined): Promise<void> {
    const waiters = this.#waiters.get(name) ?? new Set<Waiter>();
    this.#waiters.set(name, waiters);
    return new Promise((resolve) => {
      const wake = () => {
        clearTimeout(timer);
        signal?.removeEventListener('abort', wake);
        waiters.delete(waiter);
        resolve();
      };
      const waiter: Waiter = { wake };
      const timer = setTimeout(wake, ms);
      signal?.addEventListener('abort', wake, { once: true });
      waiters.add(waiter);
      this.#scheduleVisibility(name);
    });
  }

  /** One timer per queue, for the next hidden message that becomes visible. */
  #scheduleVisibility(name: string): void {
    clearTimeout(this.#timers.get(name));
    const next = this.#sql.next.get(name)?.next;
    if (typeof next !== 'number') return;
    const delay = Math.min(Math.max(next - this.#now(), 0) + 1, 60_000);
    this.#timers.set(
      name,
      setTimeout(() => this.#wake(name), delay),
    );
  }
}

function prepare({ db }: State) {
  return {
    insert: db.prepare(
      'INSERT INTO messages (queue, message_id, body, md5, attributes, sent_at, visible_at) VALUES (?, ?, ?, ?, ?, ?, ?)',
    ),
    visible: db.prepare(
      'SELECT id, message_id, body, md5, attributes, sent_at, receive_count, first_received_at FROM messages WHERE queue = ? AND visible_at <= ? ORDER BY visible_at, id LIMIT ?',
    ),
    take: db.prepare(
      'UPDATE messages SET visible_at = ?, receive_count = ?, first_received_at = ?, receipt = ? WHERE id = ?',
    ),
    move: db.prepare('UPDATE messages SET queue = ?, visible_at = ?, receipt = NULL WHERE id = ?'),
    delete: db.prepare('DELETE FROM messages WHERE queue = ? AND receipt = ?'),
    changeVisibility: db.prepare(
      'UPDATE messages SET visible_at = ? WHERE queue = ? AND receipt = ? AND visible_at > ?',
    ),
    purge: db.prepare('DELETE FROM messages WHERE queue = ?'),
    depth: db.prepare(
      'SELECT sum(visible_at <= ?) AS visible, sum(visible_at > ? AND receipt IS NOT NULL) AS in_flight, sum(visible_at > ? AND receipt IS NULL) AS delayed, min(CASE WHEN visible_at > ? THEN visible_at END) AS next FROM messages WHERE queue = ?',
    ),
    next: db.prepare('SELECT min(visible_at) AS next FROM messages WHERE queue = ?'),
    release: db.prepare('UPDATE messages SET visible_at = ? WHERE visible_at > ?'),
  };
}
