import type { Context } from 'aws-lambda';
import { z } from 'zod';
import { reconciled } from '../../shared/journey/alarm-lines.ts';
import { reconcile } from '../../shared/reconcile/reconcile.ts';
import type { ReconcileReport } from '../../shared/reconcile/report.ts';
import { ledgerGuard, runtime } from '../runtime.ts';
import { readSettings } from '../settings.ts';
import { reconcileSettings, reconcileTools } from './tools.ts';

/**
 * What a person may ask for; the schedule sends `{}` (set in the stack). Strict, because a misspelt `dryRun`
 * must not turn a dry run into a real one.
 */
const eventSchema = z.strictObject({
  dryRun: z.boolean().default(false),
  sweep: z.boolean().default(false),
  /** What stopped the lanes is mended: probes each now, and resumes everything when the probe succeeds. */
  resume: z.boolean().default(false),
  retry: z.array(z.string()).default([]),
});

/** The payload is not one that a person may send; nothing was done. */
class InvalidEvent extends Error {
  override readonly name = 'InvalidEvent';

  constructor({ issues }: z.ZodError) {
    const faults = issues.map((issue) => [...issue.path, issue.message].join(': '));
    super(`invalid event: ${faults.join('; ')} (docs/operations.md has the payloads)`);
  }
}

/** Time reserved for saving the cursor and the report before Lambda's time is up, in milliseconds. */
const reserveMs = 60_000;

let ready: ReturnType<typeof prepare> | undefined;

/** Repairs what crashes, lost events and manual changes left behind; runs on a schedule, or by hand. */
export async function handler(event: unknown, context: Context): Promise<ReconcileReport> {
  const asked = eventSchema.safeParse(event);
  if (!asked.success) throw new InvalidEvent(asked.error);
  ready ??= prepare();
  await ready.guard();
  const report = await reconcile({
    ...ready.tools,
    ...asked.data,
    timeLeft: () => context.getRemainingTimeInMillis() > reserveMs,
  });
  ready.log.info(asked.data.dryRun ? 'dry run' : reconciled, {
    counts: report.counts,
    unfinished: report.unfinished,
  });
  return report;
}

function prepare() {
  const ports = runtime();
  const settings = readSettings(process.env, reconcileSettings);
  return { log: ports.log, guard: ledgerGuard(ports), tools: reconcileTools(ports, settings) };
}
