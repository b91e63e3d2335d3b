import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { FileOrder } from '../../infra/local/claude/file-order.ts';

interface Entry {
  seq: number;
}

/** Adds `order` (numbers in any order), then removes some; returns what should be left, sorted. */
function filled(order: number[], removed: ReadonlySet<number>) {
  const files = new FileOrder<Entry>();
  const entries = order.map((seq): Entry => ({ seq }));
  for (const entry of entries) files.add(entry);
  for (const entry of entries) if (removed.has(entry.seq)) files.remove(entry);
  const left = order.filter((seq) => !removed.has(seq)).sort((a, b) => a - b);
  return { files, left };
}

const seqs = (entries: Entry[]): number[] => entries.map(({ seq }) => seq);
const even = ({ seq }: Entry): boolean => seq % 2 === 0;

describe('the order of files', () => {
  it('pages like a sorted list, whatever was added late or removed', () => {
    fc.assert(
      fc.property(
        fc.uniqueArray(fc.integer({ min: 1, max: 60 })),
        fc.uniqueArray(fc.integer({ min: 1, max: 60 })),
        fc.integer({ min: 0, max: 61 }),
        fc.integer({ min: 1, max: 5 }),
        (order, gone, from, limit) => {
          const { files, left } = filled(order, new Set(gone));
          const older = left.filter((seq) => seq < from && seq % 2 === 0).reverse();
          const newer = left.filter((seq) => seq > from && seq % 2 === 0);

          expect(seqs(files.all())).toEqual(left);
          expect(seqs(files.olderThan(from, limit, even))).toEqual(older.slice(0, limit));
          expect(seqs(files.newerThan(from, limit, even))).toEqual(newer.slice(0, limit).reverse());
        },
      ),
    );
  });

  it('keeps its order when it drops the removed files', () => {
    const order = Array.from({ length: 300 }, (_, index) => index + 1);
    const removed = new Set(order.filter((seq) => seq % 3 !== 0));

    const { files, left } = filled(order, removed);

    expect(seqs(files.all())).toEqual(left);
    expect(seqs(files.olderThan(Infinity, 2, () => true))).toEqual([300, 297]);
  });
});
