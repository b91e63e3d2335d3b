import { randomUUID } from 'node:crypto';
import { dirname, resolve } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { Logger } from '@aws-lambda-powertools/logger';
import type { Context, SQSBatchResponse, SQSEvent } from 'aws-lambda';
import { awsClients } from '../shared/aws/clients.ts';
import { GroupedQueues } from '../shared/aws/grouped-queues.ts';
import { Objects } from '../shared/aws/objects.ts';
import { apiKeySource } from '../shared/aws/secrets.ts';
import { readConfigFile } from '../shared/config/file.ts';
import { GroupedTable } from '../shared/ledger/grouped-table.ts';
import { checkLedgerSchema } from '../shared/ledger/schema.ts';
import type { Ports } from './ports.ts';
import { readSettings, type Settings } from './settings.ts';
import { type StepFunction, stepHandler } from './step-function.ts';

/** Where the function's code is: the configuration lies beside it. */
const here = dirname(fileURLToPath(import.meta.url));

/** The ports of a deployed function: AWS clients, the clock and randomness. */
export function runtime(): Ports {
  const clients = awsClients();
  return {
    table: (name) => new GroupedTable(clients.dynamodb, name),
    objects: new Objects(clients.s3),
    queues: new GroupedQueues(clients.sqs),
    apiKey: (secretName) => apiKeySource(clients.secrets, secretName, Date.now),
    config: (path, shorthands) => readConfigFile(path && resolve(here, path), shorthands),
    log: new Logger(),
    now: Date.now,
    random: Math.random,
    owner: () => randomUUID(),
    sleep: (ms, signal) => delay(ms, undefined, signal ? { signal } : {}).then(() => undefined),
  };
}

/**
 * Lets a process work only on a ledger that its code understands (shared/ledger/schema.ts). What is refused
 * is asked again with the next event; what is accepted holds for the life of the process.
 */
export function ledgerGuard(ports: Pick<Ports, 'table'>): () => Promise<void> {
  let accepted = false;
  return async () => {
    if (accepted) return;
    await checkLedgerSchema(ports.table(readSettings(process.env, ['table']).table));
    accepted = true;
  };
}

/**
 * The Lambda handler of a step: reads the environment and builds its tools on the first batch, so that
 * nothing happens at import.
 * @param extra makes the ports that only this step uses; called once
 */
export function lambdaHandler<Name extends keyof Settings, Tools, Extra>(
  step: StepFunction<Name, Tools, Extra>,
  extra: (settings: Pick<Settings, Name>) => Extra,
): (event: SQSEvent, context: Context) => Promise<SQSBatchResponse> {
  let ready: { guard: () => Promise<void>; handle: ReturnType<typeof stepHandler> } | undefined;
  return async (event, context) => {
    if (!ready) {
      const settings = readSettings(process.env, step.settings);
      const ports = { ...runtime(), ...extra(settings) };
      ready = { guard: ledgerGuard(ports), handle: stepHandler(step, ports, settings) };
    }
    // Throws: the whole batch goes back, unread.
    await ready.guard();
    return ready.handle(event, context);
  };
}
