import { type Limits, readLimits, WrongLimits } from '../shared/formats/index.ts';
import { steps } from '../shared/journey/steps.ts';

/** Memory of the functions that convert and print, in MB. */
export const converterMemoryMb = 3008;

/**
 * Above these the function would end before the conversion does, and its document would become a dead letter
 * without a code that says why. The rest of the time is for fetching and staging bytes; the rest of the
 * memory is for the function itself.
 */
const ceilings: Partial<Limits> = {
  maxSeconds: Math.min(steps.normalize.timeoutSeconds, steps.render.timeoutSeconds) - 30,
  maxMemoryMb: converterMemoryMb - 512,
};

/**
 * Checks limits that are meant for the functions.
 * @throws {WrongLimits} naming each limit that is wrong, or higher than a function can grant
 */
export function functionLimits(given: unknown): Partial<Limits> {
  const limits = readLimits(given);
  const faults = (Object.keys(ceilings) as (keyof Limits)[])
    .filter((name) => (limits[name] ?? 0) > (ceilings[name] ?? 0))
    .map((name) => `${name}: the functions have no more than ${ceilings[name]}`);
  if (faults.length > 0) throw new WrongLimits(faults.join('; '));
  return limits;
}
