import { afterEach, describe, expect, test } from 'vitest';
import type { World } from '../world/world.ts';
import { begin, costEntries, drop, ledger, present, world } from './support.ts';

afterEach(() => world.close());

const config = JSON.stringify({ profiles: [{ prefix: '', mode: 'batch' }] });

test('smoke', async () => {
  await begin({ config });
  drop('a.txt', 'Sales rose by 12 percent. Staff grew to 40 people.');
  drop('b.txt', 'Costs fell by a third. Nothing else changed at all.');
  await world.drain();
  console.log(await present('a.txt'));
  console.log(await costEntries());
  console.log(ledger.items().filter(({pk})=>String(pk).startsWith('BATCH')));
  console.log(world.emulator.journal().map(e=>`${e.operation} ${e.status}`).join('\n'));
  expect((await present('a.txt')).status).toBe('ready');
});
