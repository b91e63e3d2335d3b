import { lambdaHandler } from '../runtime.ts';
import { uploadStep } from './step.ts';

export const handler = lambdaHandler(uploadStep, () => ({}));
