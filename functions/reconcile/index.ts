import type { Context } from 'aws-lambda';
import { z } from 'zod';
import { type ReconcileTools, reconcile } from '../../shared/reconcile/reconcile.ts';
import type { Report } from '../../shared/reconcile/report.ts';
import { claudeClient, profiles, runtime, stepTools } from '../runtime.ts';
import { claudeSettings, readSettings, stepSettings } from '../settings.ts';

/**
 * What a person may ask for; the schedule asks for nothing (`{}`, set in the stack). Strict, for a word that is
 * misspelt must not make a run for real of a dry one.
 */
const eventSchema = z.strictObject({
  dryRun: z.boolean().default(false),
  sweep: z.boolean().default(false),
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
export async function handler(event: unknown, context: Context): Promise<Report> {
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
  const base = runtime();
  const settings = readSettings(process.env, [
    ...stepSettings,
    ...claudeSettings,
    'inboxBucket',
    'resultsBucket',
    'renderQueueUrl',
    'summarizeQueueUrl',
    'intakeDeadLettersUrl',
    'renderDeadLettersUrl',
    'uploadDeadLettersUrl',
    'summarizeDeadLettersUrl',
    'keepRemoteFiles',
  ]);
  const shared = stepTools(base, settings);
  const workOf = {
    normalize: settings.intakeQueueUrl,
    render: settings.renderQueueUrl,
    upload: settings.uploadQueueUrl,
    summarize: settings.summarizeQueueUrl,
  };
  const tools: Omit<ReconcileTools, 'dryRun' | 'sweep' | 'retry' | 'timeLeft'> = {
    ...shared,
    claude: claudeClient(base, settings, shared.table),
    dialect: settings.claudeDialect,
    queues: base.queues,
    deadLetters: [
      { step: 'normalize', url: settings.intakeDeadLettersUrl },
      { step: 'render', url: settings.renderDeadLettersUrl },
      { step: 'upload', url: settings.uploadDeadLettersUrl },
      { step: 'summarize', url: settings.summarizeDeadLettersUrl },
    ],
    backlog: (step) => base.queues.backlog(workOf[step]),
    inboxBucket: settings.inboxBucket,
    resultsBucket: settings.resultsBucket,
    owner: base.owner,
    leaseMs: 60_000,
    expiryMarginMs: 24 * 3_600_000,
    profileFor: profiles(settings),
    keepRemoteFiles: settings.keepRemoteFiles,
    // Longer than the longest visibility timeout of a queue: a message that is merely being worked
    // on is not stuck.
    stuckMs: 2 * 3_600_000,
    orphanGraceMs: 6 * 3_600_000,
    sweepMs: 6 * 3_600_000,
    refreshMs: 72 * 3_600_000,
  };
  return { log: base.log, tools };
}
