import { ClaudeError } from '../../../shared/claude/errors.ts';
import { outcomeOf } from '../../../shared/claude/outcome.ts';
import { DroplineError } from '../../../shared/journey/errors.ts';
import { CannotAsk } from '../../../shared/questions/errors.ts';

/** Why there is no answer, for a person and for a script. */
export class Trouble extends Error {
  readonly code: string;
  readonly advice: string;
  readonly exitCode: number;

  constructor(code: string, message: string, advice: string, exitCode = 1) {
    super(message);
    this.code = code;
    this.advice = advice;
    this.exitCode = exitCode;
  }
}

const again = 'Ask again in a few minutes.';
const console = 'See the Claude Console.';
const advices: Record<string, string> = {
  'claude.unauthorized': 'Put a valid key in ANTHROPIC_API_KEY.',
  'claude.forbidden': console,
  'claude.billing': console,
  'claude.spend_limit': console,
  'claude.rate_limited': again,
  'claude.overloaded': again,
  'claude.server_error': again,
  'claude.conflict': again,
  'claude.unreachable': 'Check the network and the address of Claude.',
  'question.model_not_found': 'Name another model with --model.',
  'claude.refused_parameter': 'Name another model with --model, or another --effort.',
};

/**
 * What was thrown while asking, in words; `undefined` for what is no fault of the question, of Claude or on the way.
 * @param isBilled whether the call that failed is one that costs money
 */
export function troubleOf(error: unknown, isBilled: boolean): Trouble | undefined {
  if (error instanceof Trouble) return error;
  if (error instanceof CannotAsk) {
    return new Trouble(`question.${error.code}`, error.message, error.advice);
  }
  if (!(error instanceof ClaudeError)) return undefined;
  const outcome = outcomeOf(error, 'summarize');
  if (!(outcome.error instanceof DroplineError)) return undefined;
  const code = outcome.error.code.replace(/^summarize\./, 'question.');
  const request = error.requestId === undefined ? '' : ` (request ${error.requestId})`;
  const paid = isBilled && outcome.mayBePaid ? ['The question may have been billed.'] : [];
  const advice = [...paid, ...(advices[code] ? [advices[code]] : [])].join(' ');
  return new Trouble(code, `${error.message}${request}`, advice);
}
