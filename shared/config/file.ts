import { readFileSync } from 'node:fs';
import { type Config, readConfig, type Shorthands } from './config.ts';
import { WrongConfig } from './faults.ts';

/** The name of the configuration in a function's bundle. */
export const configName = 'dropline.config.json';

/**
 * The text of a configuration.
 * @throws {WrongConfig} when the file cannot be read
 */
export function readConfigText(path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException;
    throw new WrongConfig([code === 'ENOENT' ? 'there is no such file' : message], path);
  }
}

/**
 * Reads and checks the configuration.
 * @param path of the file; without one, the shorthands and the defaults are all there is
 * @throws {WrongConfig} that names the file and each fault in it
 */
export function readConfigFile(path: string | undefined, shorthands: Shorthands = {}): Config {
  if (path === undefined) return readConfig(undefined, shorthands);
  const json = readConfigText(path);
  try {
    return readConfig(json, shorthands);
  } catch (error) {
    throw error instanceof WrongConfig ? error.in(path) : error;
  }
}
