import { ApiError } from './errors.ts';
import type { EmulatorSettings } from './options.ts';

/**
 * A token bucket, as the documentation describes the limits: capacity is refilled continuously, not at
 * fixed intervals. A rejected call takes nothing.
 */
export class TokenBucket {
  readonly perMinute: number;
  readonly #capacity: number;
  readonly #now: () => number;
  #level: number;
  #at: number;

  constructor(perMinute: number, capacity: number, now: () => number) {
    this.perMinute = perMinute;
    this.#capacity = capacity;
    this.#now = now;
    this.#level = capacity;
    this.#at = now();
  }

  get limited(): boolean {
    return Number.isFinite(this.perMinute);
  }

  #refill(): void {
    const now = this.#now();
    const elapsed = Math.max(0, now - this.#at);
    this.#level = Math.min(this.#capacity, this.#level + (elapsed / 60_000) * this.perMinute);
    this.#at = now;
  }

  /**
   * Milliseconds until `amount` can be taken; 0 when it can be taken now. An amount above the capacity
   * is allowed when the bucket is full, and leaves it in debt.
   */
  waitMs(amount: number): number {
    if (!this.limited) return 0;
    this.#refill();
    const missing = Math.min(amount, this.#capacity) - this.#level;
    // Rounding in the refill must not leave a wait of a fraction of a microsecond.
    return missing <= 1e-9 ? 0 : (missing / this.perMinute) * 60_000;
  }

  take(amount: number): void {
    if (!this.limited) return;
    this.#refill();
    this.#level -= amount;
  }

  /** `limit`, `remaining` and `reset` as `anthropic-ratelimit-*` headers. */
  headers(name: string): Record<string, string> {
    if (!this.limited) return {};
    this.#refill();
    const full = this.#now() + ((this.#capacity - this.#level) / this.perMinute) * 60_000;
    return {
      [`anthropic-ratelimit-${name}-limit`]: String(this.perMinute),
      [`anthropic-ratelimit-${name}-remaining`]: String(Math.max(0, Math.floor(this.#level))),
      [`anthropic-ratelimit-${name}-reset`]: new Date(Math.ceil(full)).toISOString(),
    };
  }
}

/** The separate limits of one organization: files, Messages, and count_tokens. */
export class Rates {
  readonly #files: TokenBucket;
  readonly #requests: TokenBucket;
  readonly #counts: TokenBucket;
  readonly #input: TokenBucket;
  readonly #output: TokenBucket;

  constructor(settings: EmulatorSettings) {
    const { now } = settings;
    const minute = (perMinute: number) => new TokenBucket(perMinute, perMinute, now);
    this.#files = new TokenBucket(settings.filesPerMinute, settings.filesBurst, now);
    this.#requests = minute(settings.messagesPerMinute);
    this.#counts = minute(settings.messagesPerMinute);
    this.#input = minute(settings.inputTokensPerMinute);
    this.#output = minute(settings.outputTokensPerMinute);
  }

  /** Takes one file operation and returns the rate headers. Throws 429 when none is left. */
  files(): Record<string, string> {
    return this.#request(this.#files, 'file operations');
  }

  counts(): Record<string, string> {
    return this.#request(this.#counts, 'count_tokens requests');
  }

  #request(bucket: TokenBucket, what: string): Record<string, string> {
    const wait = bucket.waitMs(1);
    if (wait > 0) throw refused(what, bucket.perMinute, wait, bucket.headers('requests'));
    bucket.take(1);
    return bucket.headers('requests');
  }

  /** Takes one Messages request, before its body is read. Throws 429. */
  message(): void {
    const wait = this.#requests.waitMs(1);
    if (wait > 0) throw refused('requests', this.#requests.perMinute, wait, this.messageHeaders());
    this.#requests.take(1);
  }

  /** Takes the input tokens of a Messages request. Throws 429 when input or output tokens are used up. */
  inputTokens(tokens: number): void {
    const input = this.#input.waitMs(tokens);
    if (input > 0) {
      throw refused('input tokens', this.#input.perMinute, input, this.messageHeaders());
    }
    const output = this.#output.waitMs(1);
    if (output > 0) {
      throw refused('output tokens', this.#output.perMinute, output, this.messageHeaders());
    }
    this.#input.take(tokens);
  }

  outputTokens(tokens: number): void {
    this.#output.take(tokens);
  }

  messageHeaders(): Record<string, string> {
    return {
      ...this.#requests.headers('requests'),
      ...this.#input.headers('input-tokens'),
      ...this.#output.headers('output-tokens'),
      // According to the documentation, "tokens" is the most restrictive limit: here, the input's.
      ...this.#input.headers('tokens'),
    };
  }
}

function refused(
  what: string,
  perMinute: number,
  waitMs: number,
  headers: Record<string, string>,
): ApiError {
  const message = `This request would exceed your organization's rate limit of ${perMinute} ${what} per minute.`;
  const retryAfter = String(Math.max(1, Math.ceil(waitMs / 1000)));
  return new ApiError(429, message, { headers: { ...headers, 'retry-after': retryAfter } });
}
