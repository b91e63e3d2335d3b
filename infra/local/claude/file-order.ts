interface Numbered {
  seq: number;
}

/**
 * Files in the order of `seq`, so that a page of a list costs no more than its length. Removed files
 * stay in the array until they make up half of it.
 */
export class FileOrder<T extends Numbered> {
  #files: T[] = [];
  readonly #removed = new Set<T>();

  add(file: T): void {
    this.#files.push(file);
    // Uploads may finish in a different order than they got their numbers.
    for (let i = this.#files.length - 1; i > 0; i--) {
      const [before, after] = [this.#files[i - 1], this.#files[i]];
      if (!before || !after || before.seq < after.seq) break;
      this.#files[i - 1] = after;
      this.#files[i] = before;
    }
  }

  remove(file: T): void {
    this.#removed.add(file);
    if (this.#removed.size > 100 && this.#removed.size * 2 > this.#files.length) {
      this.#files = this.all();
      this.#removed.clear();
    }
  }

  /** Oldest first. */
  all(): T[] {
    return this.#files.filter((file) => !this.#removed.has(file));
  }

  /** Up to `limit` files older than `seq` for which `wanted` holds, newest first. */
  olderThan(seq: number, limit: number, wanted: (file: T) => boolean): T[] {
    const found: T[] = [];
    for (let i = this.#position(seq) - 1; i >= 0 && found.length < limit; i--) {
      const file = this.#files[i];
      if (file && !this.#removed.has(file) && wanted(file)) found.push(file);
    }
    return found;
  }

  /** The `limit` files next newer than `seq` for which `wanted` holds, newest first. */
  newerThan(seq: number, limit: number, wanted: (file: T) => boolean): T[] {
    const found: T[] = [];
    for (let i = this.#position(seq + 1); i < this.#files.length && found.length < limit; i++) {
      const file = this.#files[i];
      if (file && !this.#removed.has(file) && wanted(file)) found.push(file);
    }
    return found.reverse();
  }

  /** Index of the first file with this `seq` or a later one. */
  #position(seq: number): number {
    let low = 0;
    let high = this.#files.length;
    while (low < high) {
      const middle = (low + high) >> 1;
      if ((this.#files[middle]?.seq ?? Infinity) < seq) low = middle + 1;
      else high = middle;
    }
    return low;
  }
}
