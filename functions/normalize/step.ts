import { changesOf, UnreadableMessage } from '../../shared/aws/events.ts';
import { done, type Outcome } from '../../shared/journey/outcome.ts';
import { PartBudget } from '../../shared/ledger/part-budget.ts';
import { type NormalizeTools, normalize } from '../../shared/steps/normalize.ts';
import { profileSettings, type Settings, stepSettings } from '../settings.ts';
import type { StepFunction } from '../step-function.ts';
import { configOf, stepTools } from '../tools.ts';

const settings = [
  ...stepSettings,
  'inboxBucket',
  'renderQueueUrl',
  ...profileSettings,
  'limits',
] as const satisfies readonly (keyof Settings)[];

/** S3 events (and parts of mails and archives) → staged bytes that Claude accepts; then to upload. */
export const normalizeStep: StepFunction<
  (typeof settings)[number],
  Omit<NormalizeTools, 'timeLeftMs'> & { inboxBucket: string },
  Pick<NormalizeTools, 'convert'>
> = {
  step: 'normalize',
  settings,
  tools: (ports, chosen) => {
    const common = stepTools(ports, chosen);
    return {
      ...common,
      budget: new PartBudget(common.table),
      convert: ports.convert,
      inboxBucket: chosen.inboxBucket,
      limits: chosen.limits,
      profileFor: configOf(ports, chosen).profileFor,
    };
  },
  work: async (body, tools, timeLeftMs) => {
    const changes = changesOf(body);
    const foreign = changes.find(({ bucket }) => bucket !== tools.inboxBucket);
    // The queue's policy can name our bucket by a pattern only. As a dead letter it comes to a person.
    if (foreign) {
      throw new UnreadableMessage(
        `an event of the bucket ${foreign.bucket}, which is not the inbox ${tools.inboxBucket}`,
      );
    }
    let outcome: Outcome = done;
    for (const change of changes) {
      const one = await normalize(change, { ...tools, timeLeftMs });
      if (one.next !== 'done') outcome = one;
    }
    return outcome;
  },
};
