import { startAwsServer } from '../aws/server.ts';
import { Callers } from '../callers.ts';
import { Calls } from '../calls.ts';
import { Counters } from '../counters.ts';
import { localAccount, localRegion } from '../credentials.ts';
import { type Invoke, lambdaService } from '../lambda/service.ts';
import { Blobs } from '../s3/blobs.ts';
import type { BucketChange } from '../s3/events.ts';
import { s3Service } from '../s3/service.ts';
import { S3Store } from '../s3/store.ts';
import { type LocalSecret, secretsService } from '../secrets.ts';
import { sqsService } from '../sqs/service.ts';
import { QueueStore } from '../sqs/store.ts';
import { openState, type State } from '../state/database.ts';
import type { LocalResources } from '../template/resources.ts';
import type { Closers } from './closers.ts';

/** URLs of the local servers. */
export interface Endpoints {
  s3: string;
  sqs: string;
  secretsManager: string;
  lambda: string;
  dynamodb: string;
}

export interface ServicesOptions {
  /** Absolute path. */
  dataDir: string;
  /** Wanted port; another free one when it is taken. */
  port: number;
  /** Runs a function for Lambda's Invoke. */
  invoke: Invoke;
  onChange?: ((change: BucketChange) => void) | undefined;
  onLog: (line: string) => void;
}

/** All AWS services but DynamoDB: what they keep, and the one server in front of them. */
export interface Services {
  url: string;
  state: State;
  queues: QueueStore;
  objects: S3Store;
  secrets: LocalSecret[];
  counters: Counters;
  callers: Callers;
  calls: Calls;
  queueUrl(name: string): string;
}

/**
 * Opens the data directory and starts the server. It knows no bucket, queue or secret yet.
 * @throws {DataDirUnavailable}
 */
export async function startServices(
  { dataDir, port, invoke, onChange, onLog }: ServicesOptions,
  closers: Closers,
): Promise<Services> {
  const counters = new Counters();
  const callers = new Callers();
  const calls = new Calls();
  const state = openState(dataDir);
  closers.add(() => state.close());
  const queues = new QueueStore(state);
  closers.add(() => queues.close());
  queues.releaseAll();
  const blobs = new Blobs(state);
  const objects = new S3Store({
    state,
    blobs,
    queues,
    region: localRegion,
    ...(onChange ? { onChange } : {}),
  });
  const secrets: LocalSecret[] = [];
  let url = '';
  const queueUrl = (name: string) => `${url}/${localAccount}/${name}`;
  const server = await startAwsServer(
    {
      sqs: sqsService(queues, ({ name }) => queueUrl(name)),
      secretsManager: secretsService(() => secrets),
      lambda: lambdaService(invoke),
      s3: s3Service({ store: objects, blobs, region: localRegion }),
      counters,
      callers,
      calls,
      onError: (error) => onLog(`local AWS: ${error instanceof Error ? error.stack : error}`),
    },
    port,
  );
  closers.add(() => server.close());
  url = server.url;
  return { url, state, queues, objects, secrets, counters, callers, calls, queueUrl };
}

/**
 * Creates the stack's queues, buckets and secrets in the services.
 * @param secretOf the value of a secret, by logical id; if undefined, the value in the template
 */
export function createResources(
  { queues, objects, secrets }: Services,
  resources: LocalResources,
  secretOf: (logicalId: string) => string | undefined = () => undefined,
): void {
  // Queues first: a bucket sends a test event to the queues that it notifies.
  for (const queue of resources.queues) queues.define(queue);
  for (const bucket of resources.buckets) objects.define(bucket);
  for (const secret of resources.secrets) {
    const readers = resources.functions.filter(({ environment }) =>
      Object.values(environment).includes(secret.name),
    );
    secrets.push({
      ...secret,
      value: secretOf(secret.id) ?? secret.value,
      readers: new Set(readers.map(({ name }) => name)),
    });
  }
}
