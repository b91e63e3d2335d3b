/** What happened in the emulator, call by call: the proof that nothing was paid or uploaded twice. */

export interface JournalUsage {
  inputTokens: number;
  outputTokens: number;
  cacheReadTokens: number;
  cacheCreationTokens: number;
}

export interface JournalEntry {
  /** Grows by one with every call, in the order of arrival. */
  seq: number;
  /** RFC 3339 time of arrival. */
  at: string;
  /** `BATCH` for a request that was worked off inside a Message Batch. */
  method: string;
  path: string;
  query?: string;
  /** Such as `files.upload` or `messages.create`; `unknown` for a path the API does not have. */
  operation: string;
  requestId: string;
  /** What the server answered or meant to answer; null while it works, or when it was cut off. */
  status: number | null;
  errorType?: string;
  errorCode?: string;
  message?: string;
  /** Kind of the fault that was applied. */
  fault?: string;
  /**
   * Whether the whole answer was handed to the connection. A lost reply is `status: 200,
   * delivered: false`: it happened, and the client cannot know.
   */
  delivered: boolean;
  /** The client went away before its request was complete. */
  aborted?: boolean;
  /** `x-stainless-retry-count` of the official SDK, where sent. */
  retryCount?: number;
  fileId?: string;
  filename?: string;
  mimeType?: string;
  sizeBytes?: number;
  /** Hex SHA-256 of the uploaded bytes. */
  sha256?: string;
  model?: string;
  stopReason?: string;
  /** Tokens that the call is billed for; only on answered Messages calls. */
  usage?: JournalUsage;
  /** Files that a Messages call referred to. */
  fileIds?: string[];
  /** Titles of the documents in a Messages call that was understood. */
  titles?: string[];
  batchId?: string;
  customId?: string;
  durationMs: number | null;
}

export interface JournalFilter {
  path?: string;
  method?: string;
  operation?: string;
  status?: number;
  filename?: string;
  fileId?: string;
  fault?: string;
  /** Only entries after this `seq`. */
  after?: number;
  /** Only the newest so many. */
  limit?: number;
}

/** Remembers the newest `size` calls. */
export class Journal {
  #entries: JournalEntry[] = [];
  #next = 1;
  readonly #size: number;

  constructor(size: number) {
    this.#size = size;
  }

  /** Adds a call at its arrival; the caller fills in the rest of the entry as it becomes known. */
  open(entry: Omit<JournalEntry, 'seq' | 'status' | 'delivered' | 'durationMs'>): JournalEntry {
    const opened: JournalEntry = {
      seq: this.#next++,
      ...entry,
      status: null,
      delivered: false,
      durationMs: null,
    };
    this.#entries.push(opened);

    // Drops in bulk: a shift at every call would move the whole array each time.
    if (this.#entries.length > this.#size * 2) this.#entries = this.#entries.slice(-this.#size);
    return opened;
  }

  /** Oldest first. The entries are copies. */
  entries(filter: JournalFilter = {}): JournalEntry[] {
    const { after, limit, ...equal } = filter;
    const wanted = Object.entries(equal).filter(([, value]) => value !== undefined);
    const found = this.#entries
      .slice(-this.#size)
      .filter((entry) => after === undefined || entry.seq > after)
      .filter((entry) =>
        wanted.every(([field, value]) => entry[field as keyof JournalEntry] === value),
      );
    const kept = limit === undefined ? found : limit === 0 ? [] : found.slice(-limit);
    return kept.map((entry) => ({ ...entry }));
  }

  clear(): void {
    this.#entries = [];
  }
}
