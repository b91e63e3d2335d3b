import { expect } from 'vitest';
import type { World } from './world.ts';

/** Lets every lease and grace period pass and runs the reconciler, which must report no errors. */
export async function settleDown(world: World, runs = 2): Promise<void> {
  for (let run = 0; run < runs; run += 1) {
    world.advance(7 * 3_600_000);
    const { report } = await world.reconcile();
    expect(report?.ids.errors).toBeUndefined();
    expect(report?.ids.unrepaired).toBeUndefined();
    expect(report?.unfinished).toBe(false);
    await world.drain();
  }
}
