import { resolve } from 'node:path';
import { type Config, readConfig, type Shorthands } from '../shared/config/config.ts';
import { WrongConfig } from '../shared/config/faults.ts';
import { configName, readConfigFile } from '../shared/config/file.ts';
import { WrongLimits } from '../shared/formats/index.ts';
import { functionLimits } from './limits.ts';
import type { DroplineProps } from './settings.ts';

/**
 * The configuration of a deployment: its file with the properties that are shorthands, checked as the functions will
 * check it, and its limits against what the functions can grant.
 * @throws {WrongConfig}
 */
export function deployedConfig(props: DroplineProps): Config {
  const { config: path, model, containerUploads, dialect, limits } = props;
  const shorthands = { model, containerUploads, dialect, limits };
  return grantable(readConfigFile(path, shorthands), path);
}

/**
 * The same for a file that was read already.
 * @throws {WrongConfig}
 */
export function configFrom(json: string | undefined, shorthands: Shorthands): Config {
  return grantable(readConfig(json, shorthands), undefined);
}

function grantable(config: Config, path: string | undefined): Config {
  try {
    functionLimits(config.limits);
    return config;
  } catch (error) {
    if (!(error instanceof WrongLimits)) throw error;
    throw new WrongConfig([`limits: ${error.message}`], path);
  }
}

/** The configuration as a file of a function's bundle. */
export const configAsset = ({ config }: DroplineProps): { from: string; to: string }[] =>
  config === undefined ? [] : [{ from: resolve(config), to: configName }];
