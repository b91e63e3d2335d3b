import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { changesOf } from '../../shared/aws/events.ts';
import { ConversionSandbox } from '../../shared/formats/index.ts';
import { type NormalizeTools, normalize } from '../../shared/steps/normalize.ts';
import { done, type Outcome } from '../../shared/steps/outcome.ts';
import { profiles, queueHandler, type Runtime, stepTools } from '../runtime.ts';
import { profileSettings, readSettings, stepSettings } from '../settings.ts';

/** S3 events (and parts of mails and archives) → what Claude takes, staged; then to upload. */
export const handler = queueHandler(prepare, async (body, tools) => {
  let outcome: Outcome = done;
  for (const change of changesOf(body)) {
    const one = await normalize(change, tools);
    if (one.next !== 'done') outcome = one;
  }
  return outcome;
});

function prepare(base: Runtime) {
  const settings = readSettings(process.env, [
    ...stepSettings,
    'renderQueueUrl',
    'summarizeQueueUrl',
    ...profileSettings,
    'limits',
  ]);
  const here = dirname(fileURLToPath(import.meta.url));
  const sandbox = new ConversionSandbox({ entry: join(here, 'worker.mjs') });
  const tools: NormalizeTools = {
    ...stepTools(base, settings),
    convert: (input) => sandbox.convert(input),
    limits: settings.limits,
    profileFor: profiles(settings),
  };
  return { queueUrl: settings.intakeQueueUrl, tools };
}
