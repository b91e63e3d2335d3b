/** A log of all calls to the emulator: proves that nothing was billed or uploaded twice. */

export interface JournalUsage {
  inputTokens: number;
  outputTokens: number;
  cacheReadTokens: number;
  cacheCreationTokens: number;
}

export interface JournalEntry {
  /** Counts up by one with every call, in order of arrival. */
  seq: number;
  /** RFC 3339 time of arrival. */
  at: string;
  /** `BATCH` for a request inside a Message Batch. */
  method: string;
  path: string;
  query?: string;
  /** Such as `files.upload` or `messages.create`; `unknown` for a path the API does not have. */
  operation: string;
  requestId: string;
  /** The status sent or about to be sent; null while the call is in progress or when it was cut off. */
  status: number | null;
  errorType?: string;
  errorCode?: string;
  message?: string;
  /** Kind of the fault that struck. */
  fault?: string;
  /**
   * Whether the complete reply was written to the connection. A lost reply is `status: 200,
   * delivered: false`: the call took effect, but the client cannot know.
   */
  delivered: boolean;
  /** The client disconnected before its request was complete. */
  aborted?: boolean;
  /** `x-stainless-retry-count` of the official SDK, if sent. */
  retryCount?: number;
  fileId?: string;
  filename?: string;
  mimeType?: string;
  sizeBytes?: number;
  /** Hex SHA-256 of the uploaded bytes. */
  sha256?: string;
  model?: string;
  stopReason?: string;
  /** The billed tokens; only on answered Messages calls. */
  usage?: JournalUsage;
  /** Files that a Messages call referenced. */
  fileIds?: string[];
  /** Titles of the documents in a valid Messages call. */
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
  /** Only this many of the newest. */
  limit?: number;
}

/** Keeps the newest `size` calls. */
export class Journal {
  #entries: JournalEntry[] = [];
  #next = 1;
  readonly #size: number;

  constructor(size: number) {
    this.#size = size;
  }

  /** Adds a call on arrival; its handler fills in the rest of the entry as it becomes known. */
  open(entry: Omit<JournalEntry, 'seq' | 'status' | 'delivered' | 'durationMs'>): JournalEntry {
    const opened: JournalEntry = {
      seq: this.#next++,
      ...entry,
      status: null,
      delivered: false,
      durationMs: null,
    };
    this.#entries.push(opened);

    // Drops in bulk, because a shift at every call would move the whole array each time.
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
