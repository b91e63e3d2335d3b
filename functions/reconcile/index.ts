import type { Context } from 'aws-lambda';
import { z } from 'zod';
import { reconcile } from '../../shared/reconcile/reconcile.ts';
import type { ReconcileReport } from '../../shared/reconcile/report.ts';
import { runtime } from '../runtime.ts';
import { readSettings } from '../settings.ts';
import { reconcileSettings, reconcileTools } from './tools.ts';

/**
 * What a person may ask for; the schedule asks for nothing (`{}`, set in the stack). Strict, for a word that is
 * misspelt must not make a run for real of a dry one.
 */
const eventSchema = z.strictObject({
  dryRun: z.boolean().default(false),
  sweep: z.boolean().default(false),
  /** What stopped the lanes is mended: probes each now, and resumes everything when the probe succeeds. */
  resume: z.boolean().default(false),
  retry: z
    .array(
      z.string().refine((code) => !code.endsWith('.dead_letter'), 'comes back by an SQS redrive'),
    )
    .default([]),
});

/** What is kept to write the cursor and the report down before Lambda's time is up. */
const reserveMs = 60_000;

let ready: ReturnType<typeof prepare> | undefined;

/** Repairs what crashes, lost events and hands left behind; on a schedule, or by hand. */
export async function handler(event: unknown, context: Context): Promise<ReconcileReport> {
  ready ??= prepare();
  const asked = eventSchema.safeParse(event);
  if (!asked.success) throw new Error(`wrong event: ${z.prettifyError(asked.error)}`);
  const report = await reconcile({
    ...ready.tools,
    ...asked.data,
    timeLeft: () => context.getRemainingTimeInMillis() > reserveMs,
  });
  ready.log.info('reconciled', { counts: report.counts, unfinished: report.unfinished });
  return report;
}

function prepare() {
  const ports = runtime();
  const settings = readSettings(process.env, reconcileSettings);
  return { log: ports.log, tools: reconcileTools(ports, settings) };
}
