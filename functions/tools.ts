import { deploymentTag } from '../shared/claude/filename.ts';
import { type Config, profileFinder } from '../shared/config/config.ts';
import type { ObjectChange, StepMessage } from '../shared/journey/messages.ts';
import type { ProfileFor } from '../shared/journey/profiles.ts';
import type { QueuedStep } from '../shared/journey/steps.ts';
import { Answers } from '../shared/ledger/answers.ts';
import { Batches } from '../shared/ledger/batches.ts';
import { Budgets } from '../shared/ledger/budgets.ts';
import { Circuits, type KeySource } from '../shared/ledger/circuit.ts';
import { Contents } from '../shared/ledger/contents.ts';
import { Costs } from '../shared/ledger/costs.ts';
import { Documents } from '../shared/ledger/documents.ts';
import type { Table } from '../shared/ledger/table.ts';
import type { AnswerTools, MoneyTools, StepTools } from '../shared/steps/tools.ts';
import type { Ports } from './ports.ts';
import { type profileSettings, type QueueUrls, queueUrlOf, type Settings } from './settings.ts';

/** How often one step is attempted for one version of a document before it ends `failed`. */
const maxAttempts = 5;

/** A day, in milliseconds. */
export const dayMs = 24 * 3_600_000;

/** How long a lane that waits for a person stays closed before it is tried again, in milliseconds. */
const heldMs = 10 * 60_000;

/**
 * The tools that every step shares.
 * @param apiKey the key of the Claude API, for the steps that call it
 */
export function stepTools(
  ports: Ports,
  settings: Pick<Settings, 'table' | 'stagingBucket' | 'deployment' | 'keepPastDays'> &
    Partial<Pick<Settings, 'brakeAfter'>> &
    QueueUrls,
  apiKey?: KeySource,
): StepTools & { table: Table } {
  const { now, queues } = ports;
  const table = ports.table(settings.table);
  return {
    table,
    documents: new Documents(table, now, settings.keepPastDays * dayMs),
    contents: new Contents(table, now),
    circuits: new Circuits(table, now, apiKey),
    objects: ports.objects,
    stagingBucket: settings.stagingBucket,
    deployment: deploymentTag(settings.deployment),
    send: (message, delayMs) =>
      queues.send(queueUrlOf(stepOf(message), settings), message, delayMs),
    announce: (...changes: ObjectChange[]) => {
      const messages = changes.map((change) => ({ dropline: 'change', change }));
      const queueUrl = queueUrlOf('normalize', settings);
      const [only] = messages;
      if (messages.length === 1) return queues.send(queueUrl, only);
      return queues.sendAll(queueUrl, messages);
    },
    policy: {
      maxAttempts,
      brakeAfter: settings.brakeAfter ?? Number.POSITIVE_INFINITY,
      random: ports.random,
    },
    log: ports.log,
    heldMs,
    now,
  };
}

/**
 * The tools of steps that read or write answers.
 * @param apiKey the key of the Claude API
 */
export function answerTools(
  ports: Ports,
  settings: Parameters<typeof stepTools>[1] & Pick<Settings, 'resultsBucket'>,
  apiKey: KeySource,
): AnswerTools & { table: Table } {
  const shared = stepTools(ports, settings, apiKey);
  return {
    ...shared,
    answers: new Answers(shared.table, ports.now),
    costs: new Costs(shared.table),
    resultsBucket: settings.resultsBucket,
  };
}

/** The tools of steps that may spend money, by the configuration. */
export const moneyTools = (
  { now }: Pick<Ports, 'now'>,
  { table, costs }: { table: Table; costs: Costs },
  { prices, budget }: Pick<Config, 'prices' | 'budget'>,
): Pick<MoneyTools, 'budgets' | 'prices'> => ({
  prices,
  budgets: new Budgets(table, costs, now, budget),
});

/** Most questions of one batch, and most of its bytes; the API takes ten times as many and 256 MB. */
const batchLimits = { maxLines: 10_000, maxBytes: 32 * 1024 * 1024 };

/** The batches of the ledger, and how questions are put into them. */
export const batchTools = (
  table: Table,
  { now }: Pick<Ports, 'now'>,
  { batchSeconds }: Pick<Settings, 'batchSeconds'>,
) => ({
  batches: new Batches(table, now),
  batchRules: { everyMs: batchSeconds * 1_000, ...batchLimits },
});

/** The configuration of a function, with the settings that are shorthands for a part of it. */
export function configOf(
  ports: Pick<Ports, 'config'>,
  { config, model, containerUploads }: Pick<Settings, (typeof profileSettings)[number]>,
): Config & { profileFor: ProfileFor } {
  const read = ports.config(config, { model, containerUploads });
  return { ...read, profileFor: profileFinder(read.profiles) };
}

/** The upload step makes all changes to files at Claude, so that one queue paces them. */
export const stepOf = ({ step }: StepMessage): QueuedStep => {
  if (step === 'release') return 'upload';
  return step === 'wake' || step === 'batch' ? 'summarize' : step;
};
