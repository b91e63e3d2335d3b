import { documentIdOf } from '../../../shared/journey/ids.ts';
import type { DocumentRecord } from '../../../shared/journey/record.ts';
import { isTerminal, type Records } from './records.ts';
import { isOlder } from './wait.ts';

/** What the user should know about a document. */
export interface News {
  /** It ended, it is held until a person acts, or it resumed after it was held or had failed. */
  what: 'ended' | 'held' | 'resumed';
  record: DocumentRecord;
}

export interface FollowOptions {
  records: Records;
  /** Name of the inbox bucket. */
  inbox: string;
  /** Sequencer of the newest change of each key; the follower removes those that it has noted. */
  changes: Map<string, string>;
  /** Epoch milliseconds. */
  now: () => number;
}

/** Counts since no document was last in progress. */
export interface Tally {
  total: number;
  done: number;
  failed: number;
  held: number;
  /** Codes of what documents are waiting for while the Claude API is down, one for each document. */
  waiting: string[];
}

/** Maximum of documents read at once, and of held ones taken from one shard of the index. */
const lookAt = 100;
/** How often to search for documents that were not just dropped; that costs more. */
const searchEveryMs = 3000;

/**
 * Follows the documents that are in progress: those just dropped, those that an earlier run left unfinished,
 * those that are held (attachments of mails and entries of archives included), and failed ones that are retried.
 */
export class Follower {
  readonly #options: FollowOptions;
  /** Documents in progress, with the sequencer of the drop that is awaited, if known. */
  readonly #open = new Map<string, string | undefined>();
  /** Held ones among them that were reported. */
  readonly #held = new Set<string>();
  /** Those that wait for the Claude API, with the code of the reason. */
  readonly #waiting = new Map<string, string>();
  /** Documents that ended failed, in the order of their next check. */
  readonly #failed = new Set<string>();
  #searchAt = 0;
  #counts = { total: 0, done: 0, failed: 0 };

  constructor(options: FollowOptions) {
    this.#options = options;
  }

  /** Finds the documents that an earlier run left. */
  async start(): Promise<void> {
    const { records } = this.#options;
    for (const id of await records.inState('open')) this.#follow(id, undefined);
    for (const id of await records.inState('held')) this.#follow(id, undefined);
    for (const id of await records.inState('failed')) this.#failed.add(id);
  }

  get tally(): Tally {
    return { ...this.#counts, held: this.#held.size, waiting: [...this.#waiting.values()] };
  }

  /** Checks some of the documents, each in its turn. @returns what is new */
  async look(): Promise<News[]> {
    const { records, now } = this.#options;
    if (this.#open.size === 0) this.#counts = { total: 0, done: 0, failed: 0 };
    if (now() >= this.#searchAt) {
      await this.#search();
      this.#searchAt = now() + searchEveryMs;
    }
    this.#takeChanges();
    const looked = [...this.#open].slice(0, lookAt);
    for (const [id, sequencer] of looked) {
      this.#open.delete(id);
      this.#open.set(id, sequencer);
    }
    const standings = await records.standings(looked.map(([id]) => id));
    for (const [id] of looked) {
      const code = standings.get(id)?.waitsFor;
      if (code) this.#waiting.set(id, code);
      else this.#waiting.delete(id);
    }
    const changed = looked.filter(([id, sequencer]) => {
      const standing = standings.get(id);
      // An older version than the dropped one is not news.
      if (!standing || (sequencer && isOlder(standing.sequencer, sequencer))) return false;
      return this.#whatOf(id, standing.status) !== undefined;
    });
    const news = await records.read(changed.map(([id]) => id));
    return news.flatMap((record) => this.#newsOf(record) ?? []);
  }

  #whatOf(id: string, status: string): News['what'] | undefined {
    if (isTerminal(status)) return 'ended';
    if (status === 'held') return this.#held.has(id) ? undefined : 'held';
    return this.#held.has(id) || this.#failed.has(id) ? 'resumed' : undefined;
  }

  #newsOf(record: DocumentRecord): News | undefined {
    const { documentId, status } = record;
    // The record was read later than the standing, so it may have moved on.
    const what = this.#whatOf(documentId, status);
    if (!what) return undefined;
    this.#held.delete(documentId);
    this.#failed.delete(documentId);
    if (what === 'held') this.#held.add(documentId);
    if (what === 'ended') {
      this.#open.delete(documentId);
      this.#waiting.delete(documentId);
      this.#counts.done += 1;
      if (status === 'failed') {
        this.#counts.failed += 1;
        this.#failed.add(documentId);
      }
    }
    return { what, record };
  }

  /** Finds documents that are held or were retried, wherever they came from. */
  async #search(): Promise<void> {
    const { records } = this.#options;
    for (const id of await records.inState('held', lookAt)) this.#follow(id, undefined);
    const looked = [...this.#failed].slice(0, lookAt);
    for (const { documentId, status } of (await records.standings(looked)).values()) {
      if (status !== 'failed') this.#follow(documentId, undefined);
    }
    for (const id of looked) {
      this.#failed.delete(id);
      this.#failed.add(id);
    }
  }

  #takeChanges(): void {
    const { inbox, changes } = this.#options;
    for (const [key, sequencer] of changes) {
      const id = documentIdOf(inbox, key);
      // A new version: that the old one was held or failed no longer matters.
      this.#held.delete(id);
      this.#failed.delete(id);
      if (!this.#open.has(id)) this.#counts.total += 1;
      this.#open.set(id, sequencer);
    }
    changes.clear();
  }

  #follow(id: string, sequencer: string | undefined): void {
    if (this.#open.has(id)) return;
    this.#open.set(id, sequencer);
    this.#counts.total += 1;
  }
}
