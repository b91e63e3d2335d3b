import { parseArgs } from 'node:util';
import { type Effort, efforts } from '../../../shared/claude/models.ts';
import { type ClaudeChoice, claudeOf } from '../cli/arguments.ts';
import { UsageError } from '../cli/usage.ts';

export interface AskCommand {
  question: string;
  /** Keys and prefixes, as given. */
  wanted: string[];
  dataDir: string;
  /** The Claude that a flag names; `undefined` for the one that the documents' files are at. */
  claude: ClaudeChoice | undefined;
  model: string | undefined;
  effort: Effort | undefined;
  maxTokens: number | undefined;
  maxUsd: number | undefined;
  yes: boolean;
  json: boolean;
  configPath: string | undefined;
}

const options = {
  data: { type: 'string' },
  model: { type: 'string' },
  effort: { type: 'string' },
  'max-tokens': { type: 'string' },
  'max-usd': { type: 'string' },
  yes: { type: 'boolean' },
  config: { type: 'string' },
  json: { type: 'boolean' },
  'claude-url': { type: 'string' },
  live: { type: 'boolean' },
  help: { type: 'boolean', short: 'h' },
} as const;

/**
 * Reads the command line of a question.
 * @param apiKey ANTHROPIC_API_KEY of the environment; used only with `--live`
 * @returns 'help' when it asks for help
 * @throws {UsageError}
 */
export function readAskArguments(args: string[], apiKey: string | undefined): AskCommand | 'help' {
  const { values, positionals } = parse(args);
  if (values.help) return 'help';
  const [question = '', ...wanted] = positionals;
  if (question.trim() === '') throw new UsageError('the question is missing');
  if (wanted.length === 0) {
    throw new UsageError('name documents by key or prefix; "" stands for all of them');
  }
  const named = values.live || values['claude-url'] !== undefined;
  return {
    question,
    wanted,
    dataDir: filled('data', values.data) ?? '.dropline',
    claude: named ? claudeOf(values, apiKey) : undefined,
    model: filled('model', values.model),
    effort: effortOf(values.effort),
    maxTokens: tokensOf(values['max-tokens']),
    maxUsd: usdOf(values['max-usd']),
    yes: values.yes ?? false,
    json: values.json ?? false,
    configPath: filled('config', values.config),
  };
}

function parse(args: string[]) {
  try {
    return parseArgs({ args, options, allowPositionals: true });
  } catch (error) {
    const message = error instanceof Error ? error.message : String(error);
    throw new UsageError(message.split(/\.? To specify|\n/)[0] ?? message);
  }
}

function filled(name: string, value: string | undefined): string | undefined {
  if (value !== undefined && value.trim() === '') throw new UsageError(`--${name} is empty`);
  return value;
}

function effortOf(value: string | undefined): Effort | undefined {
  const found = efforts.find((effort) => effort === value);
  if (value === undefined || found) return found;
  throw new UsageError(`--effort must be one of ${efforts.join(', ')}, not "${value}"`);
}

function tokensOf(value: string | undefined): number | undefined {
  if (value === undefined) return undefined;
  if (/^\d{1,7}$/.test(value) && Number(value) > 0) return Number(value);
  throw new UsageError(`--max-tokens must be a whole number above 0, not "${value}"`);
}

function usdOf(value: string | undefined): number | undefined {
  if (value === undefined) return undefined;
  if (/^\d{1,6}(\.\d{1,6})?$/.test(value)) return Number(value);
  throw new UsageError(`--max-usd must be an amount such as 0.25, not "${value}"`);
}
