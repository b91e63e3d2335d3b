import { parseArgs } from 'node:util';
import type { CostQuery } from '../../../shared/client/index.ts';
import { asksOf, unknownModels } from '../../../shared/config/asks.ts';
import type { Config } from '../../../shared/config/config.ts';
import { WrongConfig } from '../../../shared/config/faults.ts';
import { readConfigText } from '../../../shared/config/file.ts';
import { type Limits, WrongLimits } from '../../../shared/formats/index.ts';
import { configFrom } from '../../config.ts';
import { functionLimits } from '../../limits.ts';
import { UsageError } from './usage.ts';

type Dialect = 'ga' | 'beta';

/** Which Claude to use. */
export type ClaudeChoice =
  | { kind: 'emulator' }
  | { kind: 'url'; url: string }
  | { kind: 'live'; apiKey: string };

/** The configuration in force, and the file that it comes from. */
interface HostConfig extends Pick<Config, 'model' | 'limits'> {
  /** The text of the file, as it was at the start; the functions get a copy of it. */
  json: string | undefined;
  /** What a person should know who may have mistyped something. */
  warnings: string[];
}

export interface HostSettings {
  dataDir: string;
  dialect: Dialect;
  claude: ClaudeChoice;
  config: HostConfig;
  filesPerMinute: number | undefined;
  concurrency: number | undefined;
  port: number | undefined;
}

export type Command =
  | { run: 'help' }
  /** `lines` say what each profile of the checked file asks. */
  | { run: 'check'; lines: string[] }
  | { run: 'watch'; inbox: string; settings: HostSettings }
  | { run: 'once'; paths: string[]; json: boolean; settings: HostSettings }
  | { run: 'costs'; query: CostQuery; json: boolean; dataDir: string }
  | { run: 'invoke'; name: string; payload: unknown; settings: HostSettings };

const options = {
  once: { type: 'boolean' },
  json: { type: 'boolean' },
  costs: { type: 'boolean' },
  by: { type: 'string' },
  from: { type: 'string' },
  to: { type: 'string' },
  data: { type: 'string' },
  inbox: { type: 'string' },
  dialect: { type: 'string' },
  'claude-url': { type: 'string' },
  live: { type: 'boolean' },
  config: { type: 'string' },
  'check-config': { type: 'string' },
  model: { type: 'string' },
  'files-per-minute': { type: 'string' },
  concurrency: { type: 'string' },
  port: { type: 'string' },
  limits: { type: 'string' },
  invoke: { type: 'string' },
  payload: { type: 'string' },
  help: { type: 'boolean', short: 'h' },
} as const;

/**
 * Reads the command line.
 * @param apiKey ANTHROPIC_API_KEY of the environment; used only with `--live`
 * @param now epoch milliseconds
 * @throws {UsageError}
 */
export function readArguments(args: string[], apiKey: string | undefined, now: number): Command {
  const { values, positionals } = parse(args);
  if (values.help) return { run: 'help' };
  if (values['check-config'] !== undefined) {
    for (const other of ['once', 'invoke', 'config'] as const) {
      if (values[other] === undefined) continue;
      throw new UsageError(`--check-config and --${other} cannot be combined`);
    }
    const { config } = checkedConfig({ ...values, config: values['check-config'] });
    return { run: 'check', lines: asksOf(config) };
  }
  const settings: HostSettings = {
    dataDir: text('data', values.data) ?? '.dropline',
    dialect: dialectOf(values.dialect),
    claude: claudeOf(values, apiKey),
    config: hostConfig(values),
    filesPerMinute: integer('files-per-minute', values['files-per-minute'], 1, 1_000_000),
    concurrency: integer('concurrency', values.concurrency, 1, 1000),
    port: integer('port', values.port, 0, 65_534),
  };
  if (values.json && !values.once && !values.costs) {
    throw new UsageError('--json needs --once or --costs');
  }
  if (values.costs) return costsOf(values, positionals, settings.dataDir, now);
  for (const name of ['by', 'from', 'to'] as const) {
    if (values[name] !== undefined) throw new UsageError(`--${name} needs --costs`);
  }
  if (values.payload !== undefined && values.invoke === undefined) {
    throw new UsageError('--payload needs --invoke');
  }
  if (values.invoke !== undefined) {
    if (values.once) throw new UsageError('--invoke and --once cannot be combined');
    if (positionals.length > 0) throw new UsageError('--invoke takes no paths');
    const name = text('invoke', values.invoke) ?? '';
    return { run: 'invoke', name, payload: json('payload', values.payload ?? '{}'), settings };
  }
  if (values.once) {
    if (positionals.length === 0) throw new UsageError('--once needs at least one file or folder');
    if (values.inbox !== undefined) throw new UsageError('--inbox and --once cannot be combined');
    return { run: 'once', paths: positionals, json: values.json ?? false, settings };
  }
  if (positionals.length > 0) {
    throw new UsageError(`to drop ${positionals[0]}, use --once ${positionals[0]}`);
  }
  return { run: 'watch', inbox: text('inbox', values.inbox) ?? 'inbox', settings };
}

function parse(args: string[]) {
  try {
    return parseArgs({ args, options, allowPositionals: true });
  } catch (error) {
    const message = error instanceof Error ? error.message : String(error);
    throw new UsageError(message.split(/\.? To specify|\n/)[0] ?? message);
  }
}

const groups = ['day', 'profile', 'prefix', 'model'] as const;

/** The days are those of the present UTC month, unless they are named. */
function costsOf(
  values: {
    by?: string;
    from?: string;
    to?: string;
    json?: boolean;
    once?: boolean;
    invoke?: string;
  },
  positionals: string[],
  dataDir: string,
  now: number,
): Command {
  if (values.once || values.invoke !== undefined || positionals.length > 0) {
    throw new UsageError('--costs takes no paths, and cannot be combined with --once or --invoke');
  }
  const by = groups.find((group) => group === (values.by ?? 'day'));
  if (!by) throw new UsageError(`--by must be ${groups.join(', ')}, not "${values.by}"`);
  const today = new Date(now).toISOString().slice(0, 10);
  const to = values.to ?? today;
  const from = values.from ?? `${to.slice(0, 7)}-01`;
  return { run: 'costs', query: { from, to, by }, json: values.json ?? false, dataDir };
}

function text(name: string, value: string | undefined): string | undefined {
  if (value !== undefined && value.trim() === '') throw new UsageError(`--${name} is empty`);
  return value;
}

function json(name: string, value: string): unknown {
  try {
    return JSON.parse(value);
  } catch {
    throw new UsageError(`--${name} must be JSON, not '${value}'`);
  }
}

function limitsOf(value: string | undefined): Partial<Limits> | undefined {
  if (value === undefined) return undefined;
  try {
    return functionLimits(json('limits', value));
  } catch (error) {
    if (error instanceof WrongLimits) throw new UsageError(`--limits: ${error.message}`);
    throw error;
  }
}

interface ConfigFlags {
  config?: string;
  model?: string;
  limits?: string;
  dialect?: string;
}

function hostConfig(values: ConfigFlags): HostConfig {
  const { json, config } = checkedConfig(values);
  const { model, limits } = config;
  return { json, model, limits, warnings: unknownModels(config) };
}

/** The configuration in force, checked, and the text of its file. */
function checkedConfig(values: ConfigFlags): { json: string | undefined; config: Config } {
  const path = text('config', values.config);
  const shorthands = {
    model: text('model', values.model),
    limits: limitsOf(values.limits),
    dialect: dialectOf(values.dialect),
  };
  try {
    const json = path === undefined ? undefined : readConfigText(path);
    return { json, config: configFrom(json, shorthands) };
  } catch (error) {
    if (!(error instanceof WrongConfig)) throw error;
    throw new UsageError(path === undefined ? error.message : error.in(path).message);
  }
}

function integer(
  name: string,
  value: string | undefined,
  min: number,
  max: number,
): number | undefined {
  if (value === undefined) return undefined;
  const number = Number(value);
  if (!/^\d+$/.test(value) || number < min || number > max) {
    throw new UsageError(`--${name} must be a whole number from ${min} to ${max}, not "${value}"`);
  }
  return number;
}

function dialectOf(value: string | undefined): Dialect {
  if (value === undefined || value === 'ga' || value === 'beta') return value ?? 'ga';
  throw new UsageError(`--dialect must be ga or beta, not "${value}"`);
}

/** The Claude that `--live` or `--claude-url` names; without either, the emulator. */
export function claudeOf(
  values: { 'claude-url'?: string; live?: boolean },
  apiKey: string | undefined,
): ClaudeChoice {
  const url = values['claude-url'];
  if (values.live) {
    if (url !== undefined) throw new UsageError('--live and --claude-url cannot be combined');
    if (!apiKey) throw new UsageError('--live needs ANTHROPIC_API_KEY in the environment');
    return { kind: 'live', apiKey };
  }
  if (url === undefined) return { kind: 'emulator' };
  if (!URL.canParse(url) || !/^https?:$/.test(new URL(url).protocol)) {
    throw new UsageError(`--claude-url must be an http or https URL, not "${url}"`);
  }
  return { kind: 'url', url: url.replace(/\/+$/, '') };
}
