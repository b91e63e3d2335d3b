import { deploymentTag } from '../shared/claude/filename.ts';
import type { ObjectChange, StepMessage } from '../shared/journey/messages.ts';
import { defaultProfile, type Profile } from '../shared/journey/profiles.ts';
import type { QueuedStep } from '../shared/journey/steps.ts';
import { Circuits, type KeySource } from '../shared/ledger/circuit.ts';
import { Contents } from '../shared/ledger/contents.ts';
import { Documents } from '../shared/ledger/documents.ts';
import type { Table } from '../shared/ledger/table.ts';
import type { StepTools } from '../shared/steps/tools.ts';
import type { Ports } from './ports.ts';
import { type QueueUrls, queueUrlOf, type Settings } from './settings.ts';

/** Attempts of one step on one version of a document before it ends `failed`. */
const maxAttempts = 5;

/** How long a lane that a person has to reopen waits before it is tried again, in milliseconds. */
const heldMs = 10 * 60_000;

/**
 * The tools that every step shares.
 * @param apiKey the key of the Claude API, for the steps that call it
 */
export function stepTools(
  ports: Ports,
  settings: Pick<Settings, 'table' | 'stagingBucket' | 'deployment'> &
    Partial<Pick<Settings, 'brakeAfter'>> &
    QueueUrls,
  apiKey?: KeySource,
): StepTools & { table: Table } {
  const { now, queues } = ports;
  const table = ports.table(settings.table);
  return {
    table,
    documents: new Documents(table, now),
    contents: new Contents(table, now),
    circuits: new Circuits(table, now, apiKey),
    objects: ports.objects,
    stagingBucket: settings.stagingBucket,
    deployment: deploymentTag(settings.deployment),
    send: (message) => queues.send(queueUrlOf(stepOf(message), settings), message),
    announce: (change: ObjectChange) =>
      queues.send(queueUrlOf('normalize', settings), { dropline: 'change', change }),
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

/** The profile of a key: the default one, or the one for container uploads below the prefixes that ask for them. */
export function profiles({
  model,
  containerUploads,
}: Pick<Settings, 'model' | 'containerUploads'>): (key: string) => Profile {
  const profile = defaultProfile(model);
  const containers = { ...profile, name: 'container-uploads', containerUploads: true };
  return (key) =>
    containerUploads.some((prefix) => key.startsWith(prefix)) ? containers : profile;
}

/** Everything that changes files at Claude is the upload step's work, so that one queue orders it. */
export const stepOf = ({ step }: StepMessage): QueuedStep => (step === 'release' ? 'upload' : step);
