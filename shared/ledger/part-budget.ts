import { budgetKey, documentKey } from './keys.ts';
import type { Table } from './table.ts';

/** A version of the dropped file whose tree of parts shares one budget. */
export interface Root {
  documentId: string;
  /** Padded sequencer; every part below the version has the same. */
  order: string;
}

/** What a container may announce, and how the tree is doing. */
export interface PartGrant {
  /** How many parts the container may announce: the first ones, in their order. */
  granted: number;
  /** Parts left out so far, in the whole tree. */
  leftOut: number;
}

/** Code of the warning that says how many parts were left out. */
export const partsLeftOut = 'normalize.parts_left_out';

/**
 * The budget of parts of every dropped file: one item a version, with what each container below it was granted.
 *
 * The number granted and the grant are one conditional write on one item. So however many workers open containers of
 * one tree at once, and however often each is delivered, no more than `max` parts are granted, and a container keeps the grant
 * that it got first. A version that is dropped again has a budget of its own.
 */
export class PartBudget {
  readonly #table: Table;

  constructor(table: Table) {
    this.#table = table;
  }

  /**
   * Grants a container as many parts as the tree has left.
   * @param container documentId of the container
   * @param wanted how many parts the container has
   * @param max how many parts the whole tree may have
   */
  async grant(root: Root, container: string, wanted: number, max: number): Promise<PartGrant> {
    const key = budgetKey(root.documentId, root.order);
    for (;;) {
      const item = await this.#table.get(key);
      const { used, leftOut } = countsOf(item);
      const known = item?.[container];
      if (known !== undefined) return { granted: Number(known), leftOut };
      const granted = Math.min(wanted, Math.max(0, max - used));
      const written = await this.#table.update(
        key,
        { set: { [container]: granted }, add: { used: granted, leftOut: wanted - granted } },
        {
          expression:
            'attribute_not_exists(#own) AND (attribute_not_exists(#used) OR #used = :used)',
          names: { own: container, used: 'used' },
          values: { used },
        },
      );
      if (written) return { granted, leftOut: countsOf(written).leftOut };
    }
  }

  /**
   * Writes into the root's record how many parts were left out below it, unless it says more already. The record may have
   * ended by then: this is no transition.
   */
  async report({ documentId, order }: Root, leftOut: number): Promise<void> {
    await this.#table.update(
      documentKey(documentId),
      { set: { partsLeftOut: { code: partsLeftOut, count: leftOut } }, add: { revision: 1 } },
      {
        expression:
          '#order = :order AND (attribute_not_exists(partsLeftOut) OR partsLeftOut.#count < :count)',
        names: { order: 'order', count: 'count' },
        values: { order, count: leftOut },
      },
    );
  }
}

const countsOf = (item: Record<string, unknown> | undefined) => ({
  used: Number(item?.used ?? 0),
  leftOut: Number(item?.leftOut ?? 0),
});
