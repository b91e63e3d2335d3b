import { randomUUID } from 'node:crypto';
import { setTimeout as delay } from 'node:timers/promises';
import { Logger } from '@aws-lambda-powertools/logger';
import type { Context, SQSBatchResponse, SQSEvent } from 'aws-lambda';
import { type BatchOptions, processBatch } from '../shared/aws/batch.ts';
import { awsClients } from '../shared/aws/clients.ts';
import { Objects } from '../shared/aws/objects.ts';
import { Queues } from '../shared/aws/queues.ts';
import { apiKeySource } from '../shared/aws/secrets.ts';
import { ClaudeClient } from '../shared/claude/client.ts';
import { deploymentTag } from '../shared/claude/filename.ts';
import type { ObjectChange, StepMessage } from '../shared/journey/messages.ts';
import { defaultProfile, type Profile } from '../shared/journey/profiles.ts';
import { Circuits } from '../shared/ledger/circuit.ts';
import { Contents } from '../shared/ledger/contents.ts';
import { Documents } from '../shared/ledger/documents.ts';
import { Table } from '../shared/ledger/table.ts';
import { MessagesPace } from '../shared/pace/messages-pace.ts';
import { Pace } from '../shared/pace/pace.ts';
import type { Outcome } from '../shared/steps/outcome.ts';
import type { StepTools } from '../shared/steps/tools.ts';
import type { Settings } from './settings.ts';

/** Attempts of one step on one version of a document before it ends `failed`. */
const maxAttempts = 5;

/** How long a lane that a person has to free waits before it is tried again. */
const heldMs = 10 * 60_000;

/** What the entry points build their steps from: one set of clients, the clock and chance. */
export function runtime() {
  const clients = awsClients();
  return {
    ...clients,
    queues: new Queues(clients.sqs),
    objects: new Objects(clients.s3),
    log: new Logger(),
    now: Date.now,
    random: Math.random,
    owner: () => randomUUID(),
    sleep: (ms: number, signal?: AbortSignal) =>
      delay(ms, undefined, signal ? { signal } : {}).then(() => undefined),
  };
}
export type Runtime = ReturnType<typeof runtime>;

/**
 * A Lambda handler for a queue: prepares its tools with the first batch (nothing happens at import),
 * then works on each record of every batch by itself.
 * @param prepare reads the settings and builds the tools; called once
 * @param work does what one message asks for
 */
export function queueHandler<Tools>(
  prepare: (base: Runtime) => { queueUrl: string; tools: Tools },
  work: (body: string, tools: Tools) => Promise<Outcome>,
): (event: SQSEvent, context: Context) => Promise<SQSBatchResponse> {
  let ready: { batch: BatchOptions; tools: Tools } | undefined;
  return (event, context) => {
    if (!ready) {
      const base = runtime();
      const { queueUrl, tools } = prepare(base);
      ready = { batch: { ...base, queueUrl }, tools };
    }
    const { batch, tools } = ready;
    return processBatch(event, context, batch, (body) => work(body, tools));
  };
}

/** A message of a step's queue that asks for another step's work: it can only be a fault. */
export function misdirected(step: string, queue: string): Error {
  return new Error(`a message for ${step} is in the queue of ${queue}`);
}

type QueueUrls = Partial<
  Pick<Settings, 'intakeQueueUrl' | 'renderQueueUrl' | 'uploadQueueUrl' | 'summarizeQueueUrl'>
>;

/** The tools that every step shares. */
export function stepTools(
  base: Runtime,
  settings: Pick<Settings, 'table' | 'stagingBucket' | 'deployment'> & QueueUrls,
): StepTools & { table: Table } {
  const table = new Table(base.dynamodb, settings.table);
  return {
    table,
    documents: new Documents(table, base.now),
    contents: new Contents(table, base.now),
    circuits: new Circuits(table, base.now),
    objects: base.objects,
    stagingBucket: settings.stagingBucket,
    deployment: deploymentTag(settings.deployment),
    send: (message) => base.queues.send(queueOf(message, settings), message),
    announce: (change: ObjectChange) =>
      base.queues.send(need(settings.intakeQueueUrl), { dropline: 'change', change }),
    policy: { maxAttempts, random: base.random },
    log: base.log,
    heldMs,
    now: base.now,
  };
}

/**
 * The Claude client with the key from Secrets Manager. Every call on files waits for its slot in
 * the fleet's pace first, and a `retry-after` that one worker is told holds for all; messages wait
 * when their limits, which replies tell, are near.
 */
export function claudeClient(
  base: Runtime,
  settings: Pick<
    Settings,
    'claudeBaseUrl' | 'claudeDialect' | 'claudeApiKeySecret' | 'filesPerMinute'
  >,
  table: Table,
): ClaudeClient {
  const { now, sleep } = base;
  const files = new Pace(table, { api: 'files', perMinute: settings.filesPerMinute, now, sleep });
  const messages = new MessagesPace(table, { now, sleep });
  return new ClaudeClient({
    baseUrl: settings.claudeBaseUrl,
    dialect: settings.claudeDialect,
    apiKey: apiKeySource(base.secrets, settings.claudeApiKeySecret, now),
    admit: async (api, signal) => {
      if (api === 'files') await files.turn(signal);
      if (api === 'messages') await messages.turn(signal);
    },
    onRateLimits: (limits) => {
      const { api, retryAfterMs } = limits;
      const learnt =
        api === 'messages'
          ? messages.learn(limits)
          : api === 'files' && retryAfterMs !== undefined
            ? files.pushBack(retryAfterMs)
            : undefined;
      learnt?.catch((error: unknown) =>
        base.log.warn('pace not pushed back', { api, error: String(error) }),
      );
    },
  });
}

/** The profile of a key: the default one, with container uploads below the prefixes that ask for them. */
export function profiles({
  model,
  containerUploads,
}: Pick<Settings, 'model' | 'containerUploads'>): (key: string) => Profile {
  const profile = defaultProfile(model);
  const containers = { ...profile, name: 'container-uploads', containerUploads: true };
  return (key) =>
    containerUploads.some((prefix) => key.startsWith(prefix)) ? containers : profile;
}

function queueOf(message: StepMessage, urls: QueueUrls): string {
  switch (message.step) {
    case 'render':
      return need(urls.renderQueueUrl);
    case 'upload':
    case 'release':
      return need(urls.uploadQueueUrl);
    case 'summarize':
      return need(urls.summarizeQueueUrl);
  }
}

function need(url: string | undefined): string {
  if (!url) throw new Error('this function was not given the queue it sends to');
  return url;
}
