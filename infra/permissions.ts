import { environment as names } from '../functions/settings.ts';
import type { Config } from '../shared/config/config.ts';
import { configName } from '../shared/config/file.ts';
import { queueNames, steps } from '../shared/journey/steps.ts';
import type { Grant } from './grants.ts';
import * as grants from './grants.ts';
import type { StepQueues } from './queue.ts';
import { type FunctionName, rights } from './rights.ts';
import {
  type DroplineProps,
  defaultBatchSeconds,
  defaultFilesPerMinute,
  defaultKeepPastDays,
} from './settings.ts';
import type { Storage } from './storage.ts';

/** What the functions are given: what each may do by the table of rights, and settings. */
export interface Permissions {
  /** What a function may do, each right with the settings that go with it. */
  readonly of: (name: FunctionName) => Grant[];
  readonly profiles: Grant;
  readonly limits: Grant;
  readonly renderer: Grant;
}

/** Every permission that the functions choose from. */
export function permissionsOf(
  storage: Storage,
  queues: StepQueues,
  props: DroplineProps,
  { model, limits }: Config,
): Permissions {
  return {
    of: (name) => rightsOf(name, storage, queues, props),
    profiles: grants.setting({
      [names.model]: model,
      [names.config]: props.config === undefined ? '' : configName,
      [names.containerUploads]: (props.containerUploads ?? []).join(','),
    }),
    limits: grants.setting({ [names.limits]: JSON.stringify(limits) }),
    renderer: grants.setting({ [names.renderer]: props.renderer ?? 'chromium' }),
  };
}

function rightsOf(
  name: FunctionName,
  { inbox, staging, results, table, apiKey }: Storage,
  queues: StepQueues,
  props: DroplineProps,
): Grant[] {
  const right = rights[name];
  const dialect = props.dialect ?? 'ga';
  const given: Grant[] = [
    grants.ledger(names.table, table, right),
    // Bucket names are unique in the world, so the inbox's name identifies the deployment.
    grants.setting({
      [names.deployment]: inbox.bucketName,
      [names.keepPastDays]: String(props.keepPastDays ?? defaultKeepPastDays),
    }),
    ...right.sends.map((queue) => grants.send(names[`${queue}QueueUrl`], queues[queue].queue)),
  ];
  if (name !== 'reconcile') {
    // Its own queue, to give messages back; the event source brings the rights.
    const { queue } = steps[name];
    given.push(grants.setting({ [names[`${queue}QueueUrl`]]: queues[queue].queue.queueUrl }));
  }
  if (right.inbox) given.push(grants.objects(names.inboxBucket, inbox, right.inbox));
  if (right.staging) given.push(grants.objects(names.stagingBucket, staging, right.staging));
  if (right.results) given.push(grants.objects(names.resultsBucket, results, right.results));
  if (right.callsClaude) {
    given.push(
      grants.readSecret(names.claudeApiKeySecret, apiKey),
      grants.setting({
        [names.claudeBaseUrl]: props.claudeBaseUrl ?? 'https://api.anthropic.com',
        [names.claudeDialect]: dialect,
        [names.filesPerMinute]: String(props.filesPerMinute ?? defaultFilesPerMinute[dialect]),
        [names.keepRemoteFiles]: String(props.keepRemoteFiles ?? false),
        [names.brakeAfter]: String(props.brakeAfter ?? 5),
      }),
    );
  }
  if (name === 'summarize' || name === 'reconcile') {
    given.push(
      grants.setting({ [names.batchSeconds]: String(props.batchSeconds ?? defaultBatchSeconds) }),
    );
  }
  if (right.looksAtQueues) {
    for (const queue of queueNames) {
      given.push(
        grants.look(names[`${queue}DeadLettersUrl`], queues[queue].deadLetters),
        grants.measure(queues[queue].queue),
      );
    }
  }
  return given;
}
