import { createHash } from 'node:crypto';

/** Cached prefixes of prompts, for 5 minutes or an hour as `cache_control` asks. */

const lifetimes = { '5m': 5 * 60_000, '1h': 60 * 60_000 };

/** A piece of the prompt, in order; `ttl` when a cache breakpoint follows it. */
export interface PromptPiece {
  content: string;
  tokens: number;
  ttl?: '5m' | '1h' | undefined;
}

interface CacheUse {
  read: number;
  created: { '5m': number; '1h': number };
}

export class PromptCache {
  readonly #now: () => number;
  readonly #until = new Map<string, { at: number; ttl: '5m' | '1h' }>();

  constructor(now: () => number) {
    this.#now = now;
  }

  /**
   * The tokens that this prompt reads from the cache and adds to it.
   * @param minimumTokens shorter prefixes are not cached
   */
  use(model: string, minimumTokens: number, pieces: readonly PromptPiece[]): CacheUse {
    const use: CacheUse = { read: 0, created: { '5m': 0, '1h': 0 } };
    if (!pieces.some((piece) => piece.ttl)) return use;

    const now = this.#now();
    const hash = createHash('sha256').update(model);
    let tokens = 0;
    let counted = 0;

    for (const piece of pieces) {
      hash.update('\0').update(piece.content);
      tokens += piece.tokens;
      if (!piece.ttl || tokens < minimumTokens) continue;

      const key = hash.copy().digest('hex');
      const held = this.#until.get(key);
      if (held && held.at > now) {
        use.read = tokens;
        use.created = { '5m': 0, '1h': 0 };
        this.#until.set(key, { at: now + lifetimes[held.ttl], ttl: held.ttl });
      } else {
        use.created[piece.ttl] += tokens - counted;
        this.#until.set(key, { at: now + lifetimes[piece.ttl], ttl: piece.ttl });
      }
      counted = tokens;
    }
    if (this.#until.size > 10_000) this.#sweep(now);
    return use;
  }

  #sweep(now: number): void {
    for (const [key, { at }] of this.#until) if (at <= now) this.#until.delete(key);
  }
}
