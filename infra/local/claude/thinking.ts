import type { Effort } from '../../../shared/claude/models.ts';
import type { CountRequest } from './message-schema.ts';
import type { Model } from './models.ts';

/**
 * How much the emulator "thinks". It does not; it bills what a request would have it bill, by a rule of its own: the
 * amounts are not Claude's, but they grow with effort and with the prompt, and they are 0 where thinking is off.
 */

/** Tokens of thinking for a small prompt, by effort. */
const baseTokens: Record<Effort, number> = {
  low: 24,
  medium: 160,
  high: 640,
  xhigh: 1_600,
  max: 3_200,
};

/** Most that the length of the prompt adds, as a multiple of the base. */
const mostGrowth = 4;

/** The tokens that the model wants to think before it answers. */
export function thinkingTokensOf(
  request: Pick<CountRequest, 'thinking' | 'output_config'>,
  { model, tokens }: { model: Model; tokens: number },
): number {
  if (!thinks(request, model)) return 0;
  const effort = request.output_config?.effort ?? model.defaultEffort ?? 'high';
  const growth = Math.min(mostGrowth, tokens / 20_000);
  const wanted = Math.ceil(baseTokens[effort] * (1 + growth));
  const { thinking } = request;
  return thinking?.type === 'enabled' ? Math.min(wanted, thinking.budget_tokens) : wanted;
}

function thinks({ thinking }: Pick<CountRequest, 'thinking'>, model: Model): boolean {
  if (!thinking) return model.thinking.byDefault;
  return thinking.type === 'adaptive' || thinking.type === 'enabled';
}
