import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { ConversionSandbox } from '../../shared/formats/index.ts';
import { lambdaHandler } from '../runtime.ts';
import { normalizeStep } from './step.ts';

/** Converts in a child process; its code is beside this file in the bundle. */
export const handler = lambdaHandler(normalizeStep, () => {
  const here = dirname(fileURLToPath(import.meta.url));
  const sandbox = new ConversionSandbox({ entry: join(here, 'worker.mjs') });
  return { convert: (input) => sandbox.convert(input) };
});
