import { UnsupportedTemplate } from './intrinsics.ts';

const unitMs: Record<string, number> = { minute: 60_000, hour: 3_600_000, day: 86_400_000 };

/**
 * Reads an EventBridge rate expression, such as `rate(5 minutes)`.
 * @returns the period in milliseconds
 * @throws {UnsupportedTemplate} for any other schedule; `cron(…)` is not supported locally
 */
export function ratePeriodMs(expression: string): number {
  const [, count, unit = ''] = /^rate\((\d+) (minute|hour|day)s?\)$/.exec(expression.trim()) ?? [];
  const periodMs = Number(count) * (unitMs[unit] ?? 0);
  if (periodMs > 0) return periodMs;
  throw new UnsupportedTemplate(
    `The schedule "${expression}" is not supported locally: only rate(…) is, from 1 minute up`,
  );
}
