import type { QuestionPlan } from '../../../shared/questions/plan.ts';
import type { AskCommand } from './arguments.ts';

/** What a question may cost before a person is asked. */
const usualMaxUsd = 0.1;

/** Whether to ask Claude at once, to ask the person first, or not at all. */
export type Consent = { is: 'given' } | { is: 'needed' | 'refused'; because: string };

/** Decides by the estimate: what costs little is asked at once; above that a person agrees, or a flag did before. */
export function consentTo(
  { inputUsd, mostUsd }: Pick<QuestionPlan['estimate'], 'inputUsd' | 'mostUsd'>,
  { yes, maxUsd }: Pick<AskCommand, 'yes' | 'maxUsd'>,
  isTerminal: boolean,
): Consent {
  const limit = maxUsd ?? usualMaxUsd;
  if (mostUsd !== undefined && mostUsd <= limit) return { is: 'given' };
  if (yes && maxUsd === undefined) return { is: 'given' };
  const because =
    mostUsd === undefined
      ? 'the price of the model is not known, so neither is the cost'
      : `it may cost ${usd(mostUsd)} (input alone ${usd(inputUsd)}), more than ${usd(limit)}`;
  if (isTerminal && !yes) return { is: 'needed', because };
  const advice =
    mostUsd === undefined
      ? 'add its price to "prices" of --config, or use --yes without --max-usd'
      : 'use --yes, or --max-usd with a higher amount';
  return { is: 'refused', because: `${because}: ${advice}` };
}

/** An amount for people, such as `$0.0012`. */
export const usd = (amount: number | undefined): string =>
  amount === undefined
    ? 'unknown cost'
    : `$${amount.toLocaleString('en-US', amount >= 1 ? { maximumFractionDigits: 2, minimumFractionDigits: 2 } : { maximumSignificantDigits: 2, maximumFractionDigits: 20 })}`;
