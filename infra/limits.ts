import { type Limits, readLimits, WrongLimits } from '../shared/formats/index.ts';

/** What the functions have that convert and print. */
export const converter = { timeoutMinutes: 4, memoryMb: 3008 };

/**
 * Above these the function would end before the conversion does, and its document would be a dead letter
 * instead of having a code that says why. The rest of the function's time fetches and stages bytes; of its
 * memory, runs the function itself.
 */
const ceilings: Partial<Limits> = {
  maxSeconds: converter.timeoutMinutes * 60 - 30,
  maxMemoryMb: converter.memoryMb - 512,
};

/**
 * Limits for the functions, checked.
 * @throws {WrongLimits} that names each limit that is wrong, or more than a function has
 */
export function functionLimits(given: unknown): Partial<Limits> {
  const limits = readLimits(given);
  const faults = (Object.keys(ceilings) as (keyof Limits)[])
    .filter((name) => (limits[name] ?? 0) > (ceilings[name] ?? 0))
    .map((name) => `${name}: the functions have no more than ${ceilings[name]}`);
  if (faults.length > 0) throw new WrongLimits(faults.join('; '));
  return limits;
}
