import { environment as names } from '../functions/settings.ts';
import { type QueueName, queueNames } from '../shared/journey/steps.ts';
import type { Grant } from './grants.ts';
import * as grants from './grants.ts';
import { functionLimits } from './limits.ts';
import type { StepQueues } from './queue.ts';
import { type DroplineProps, defaultFilesPerMinute } from './settings.ts';
import type { Storage } from './storage.ts';

/** What a function can be allowed to do, each with the settings that go with it. */
export interface Permissions {
  /** Read and write the ledger. */
  readonly records: Grant;
  readonly readInbox: Grant;
  /** Read, write and delete in the staging bucket. */
  readonly stage: Grant;
  /** Read, write and delete in the results bucket. */
  readonly keepResults: Grant;
  /** Send to a queue. */
  readonly sendTo: Readonly<Record<QueueName, Grant>>;
  /** Look at the messages of every dead-letter queue. */
  readonly lookAtDeadLetters: readonly Grant[];
  /** Ask how many messages every queue holds. */
  readonly measureQueues: readonly Grant[];
  /** Call the Claude API. */
  readonly callClaude: readonly Grant[];
  readonly profiles: Grant;
  readonly limits: Grant;
  readonly renderer: Grant;
}

/** Every permission that the functions choose from. */
export function permissionsOf(
  storage: Storage,
  queues: StepQueues,
  props: DroplineProps,
): Permissions {
  const { inbox, staging, results, table, apiKey } = storage;
  const dialect = props.dialect ?? 'ga';
  const ledger = grants.ledger(names.table, table);
  // Bucket names are unique in the world, so the inbox's name identifies the deployment.
  const deployment = { [names.deployment]: inbox.bucketName };
  const sendTo = queueNames.map(
    (name) => [name, grants.send(names[`${name}QueueUrl`], queues[name].queue)] as const,
  );
  return {
    records: { ...ledger, variables: { ...ledger.variables, ...deployment } },
    readInbox: grants.readObjects(names.inboxBucket, inbox),
    stage: grants.keepObjects(names.stagingBucket, staging),
    keepResults: grants.keepObjects(names.resultsBucket, results),
    sendTo: Object.fromEntries(sendTo) as Record<QueueName, Grant>,
    lookAtDeadLetters: queueNames.map((name) =>
      grants.look(names[`${name}DeadLettersUrl`], queues[name].deadLetters),
    ),
    measureQueues: queueNames.map((name) => grants.measure(queues[name].queue)),
    callClaude: [
      grants.readSecret(names.claudeApiKeySecret, apiKey),
      grants.setting({
        [names.claudeBaseUrl]: props.claudeBaseUrl ?? 'https://api.anthropic.com',
        [names.claudeDialect]: dialect,
        [names.filesPerMinute]: String(props.filesPerMinute ?? defaultFilesPerMinute[dialect]),
        [names.keepRemoteFiles]: String(props.keepRemoteFiles ?? false),
        [names.brakeAfter]: String(props.brakeAfter ?? 5),
      }),
    ],
    profiles: grants.setting({
      [names.model]: props.model ?? 'claude-haiku-5-5',
      [names.containerUploads]: (props.containerUploads ?? []).join(','),
    }),
    limits: grants.setting({ [names.limits]: JSON.stringify(functionLimits(props.limits ?? {})) }),
    renderer: grants.setting({ [names.renderer]: props.renderer ?? 'chromium' }),
  };
}
