import { lambdaHandler } from '../runtime.ts';
import { summarizeStep } from './step.ts';

export const handler = lambdaHandler(summarizeStep, () => ({}));
