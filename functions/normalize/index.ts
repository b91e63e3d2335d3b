import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { ConversionSandbox } from '../../shared/formats/index.ts';
import { lambdaHandler } from '../runtime.ts';
import { normalizeStep } from './step.ts';

/**
 * How long a document waits behind the others of its batch for the one child, in milliseconds, before it is given back to
 * the queue for another worker: some hundred ordinary conversions, and little beside a slow one (docs/decisions/0047).
 */
const patienceMs = 5_000;

/** Converts in a child process, whose code lies beside this file in the bundle. */
export const handler = lambdaHandler(normalizeStep, () => {
  const here = dirname(fileURLToPath(import.meta.url));
  const sandbox = new ConversionSandbox({ entry: join(here, 'worker.mjs'), patienceMs });
  return { convert: (input) => sandbox.convert(input) };
});
