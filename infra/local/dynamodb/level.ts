import { promisify } from 'node:util';
import type { Level } from 'dynalite/db/index.js';

/** dynalite's prefixed databases return no promises; these do. */

type Operations<Value> = Parameters<Level<Value>['batch']>[0];

export function put<Value>(level: Level<Value>, key: string, value: Value): Promise<void> {
  return promisify(level.put)(key, value) as Promise<void>;
}

export function batch<Value>(level: Level<Value>, operations: Operations<Value>): Promise<void> {
  return promisify(level.batch)(operations) as Promise<void>;
}
