import { availableParallelism } from 'node:os';
import { join, resolve } from 'node:path';
import { startAwsServer } from './aws/server.ts';
import { Counters } from './counters.ts';
import { localAccount, localCredentials, localRegion } from './credentials.ts';
import { startDynamo } from './dynamodb/start.ts';
import type { InvocationResult } from './lambda/environment.ts';
import { EventSource } from './lambda/event-source.ts';
import { LocalFunction } from './lambda/local-function.ts';
import { RuntimeApi } from './lambda/runtime-api.ts';
import { lambdaService } from './lambda/service.ts';
import { Blobs } from './s3/blobs.ts';
import type { ObjectChange } from './s3/events.ts';
import { s3Service } from './s3/service.ts';
import { ObjectStore } from './s3/store.ts';
import { type Clock, ScheduleRunner, systemClock } from './schedule/runner.ts';
import { type LocalSecret, secretsService } from './secrets.ts';
import { sqsService } from './sqs/service.ts';
import { QueueStore } from './sqs/store.ts';
import { openState } from './state/database.ts';
import { synthesize } from './synthesize.ts';
import { readTemplate } from './template/read.ts';
import type { Assembly, FunctionResource, LocalResources } from './template/resources.ts';

export interface StartOptions {
  /** Where everything is kept. Made when it is not there. */
  dataDir: string;
  /** What to run; the CDK app of this repository when left out. */
  assembly?: Assembly;
  /** Port of S3, SQS, Secrets Manager and Lambda; another when it is taken. Default: any. */
  port?: number;
  dynamodbPort?: number;
  /**
   * Replaces variables that functions have in the template; it adds none. A function is called once
   * the data directory is ours, so that it may start what lives there.
   */
  environment?: Record<string, string> | (() => Promise<Record<string, string>>);
  /**
   * Seconds after which the messages of an invocation that failed as a whole are delivered again.
   * Without it they wait for their visibility timeout, as on AWS, where nobody can be sure that the
   * invocation is over.
   */
  redeliverAfter?: number;
  /** What a secret of the template holds; what the template says when undefined. */
  secret?: (logicalId: string) => string | undefined;
  /** Most invocations of one function at once; the template may ask for less. */
  concurrency?: number;
  clock?: Clock;
  /** PATH of the functions' processes, for tools they may look for. */
  path?: string;
  /** What a person who watches should know: failed invocations, faults of the servers. */
  onLog?: (line: string) => void;
  /** Every change of an object, after it happened. */
  onChange?: (change: ObjectChange) => void;
}

export interface Endpoints {
  s3: string;
  sqs: string;
  secretsManager: string;
  lambda: string;
  dynamodb: string;
}

/** Work of one step, for progress displays. */
export interface StepTally {
  /** Name of the function. */
  name: string;
  /** Messages it took to the end, and messages it gave back, since the start. */
  finished: number;
  failed: number;
  /** Messages that wait, are being worked on, or wait for their next try. */
  visible: number;
  inFlight: number;
  delayed: number;
  running: number;
  /** When the next message that is not visible now will be, in epoch milliseconds. */
  nextVisibleAt?: number;
}

/** The stack, running on this machine. */
export interface LocalStack {
  endpoints: Endpoints;
  resources: LocalResources;
  /** The template's outputs. */
  outputs: Record<string, string>;
  /** Settings for AWS SDK clients of this service. */
  client(service: keyof Endpoints): {
    endpoint: string;
    region: string;
    credentials: typeof localCredentials;
  };
  /** The environment a function runs in, by logical id, name or a part of it. */
  env(name: string): Record<string, string>;
  /** Runs a function on an event, by logical id, name or a part of it. */
  invoke(name: string, event: unknown): Promise<InvocationResult>;
  /**
   * Kills the processes of one function, by logical id, name or a part of it, or of all; what they
   * did not finish is delivered again.
   */
  killFunctions(name?: string): Promise<void>;
  /** What each step did and has to do. */
  tallies(): StepTally[];
  /** Messages in dead-letter queues, by queue name. */
  deadLetters(): Record<string, number>;
  /** AWS requests so far, by service and operation. */
  counters(): Promise<Record<string, number>>;
  resetCounters(): Promise<void>;
  /** Stops taking work, ends all processes, closes the files. */
  stop(): Promise<void>;
}

const stopGraceMs = 1000;

/**
 * Runs a stack on this machine: its buckets, queues, table and secrets behind servers that speak
 * AWS's protocols, its bundles each in processes of their own. All state lives below `dataDir` and
 * survives a stop or a kill; what was in the works then is delivered again at the next start.
 * @throws {DataDirUnavailable} when another host has the directory
 * @throws {UnsupportedTemplate} when the stack needs what this machine cannot give
 */
export async function start(options: StartOptions): Promise<LocalStack> {
  const dataDir = resolve(options.dataDir);
  const assembly = options.assembly ?? (await synthesize());
  const log = options.onLog ?? (() => {});
  const counters = new Counters();
  const state = openState(dataDir);
  const closers: (() => Promise<void> | void)[] = [() => state.close()];
  const closeAll = async () => {
    for (const close of closers.splice(0).reverse()) await close();
  };
  try {
    const queues = new QueueStore(state);
    closers.push(() => queues.close());
    queues.releaseAll();
    const blobs = new Blobs(state);
    const objects = new ObjectStore({
      state,
      blobs,
      queues,
      region: localRegion,
      ...(options.onChange ? { onChange: options.onChange } : {}),
    });
    const secrets: LocalSecret[] = [];
    const functions = new Map<string, LocalFunction>();
    const find = (name: string): LocalFunction | undefined => {
      const all = [...functions];
      const exact = all.find(([id, { settings }]) => id === name || settings.name === name);
      const near = all.find(([id]) => id.toLowerCase().includes(name.toLowerCase()));
      return (exact ?? near)?.[1];
    };

    let url = '';
    const queueUrl = (name: string) => `${url}/${localAccount}/${name}`;
    const server = await startAwsServer(
      {
        sqs: sqsService(queues, ({ name }) => queueUrl(name)),
        secretsManager: secretsService(() => secrets),
        lambda: lambdaService((name, event) => find(name)?.invoke(event)),
        s3: s3Service({ store: objects, blobs, region: localRegion }),
        counters,
        onError: (error) => log(`local AWS: ${error instanceof Error ? error.stack : error}`),
      },
      options.port ?? 0,
    );
    closers.push(() => server.close());
    url = server.url;

    const resources = readTemplate(assembly, queueUrl);
    for (const queue of resources.queues) queues.define(queue);
    for (const bucket of resources.buckets) objects.define(bucket);
    for (const secret of resources.secrets) {
      secrets.push({ ...secret, value: options.secret?.(secret.id) ?? secret.value });
    }
    const dynamo = await startDynamo({
      dataDir,
      region: localRegion,
      port: options.dynamodbPort ?? 0,
      unclean: state.unclean,
      tables: resources.tables,
      onLog: (line) => log(`dynamodb: ${line}`),
    });
    closers.push(() => dynamo.close());
    const endpoints: Endpoints = {
      s3: url,
      sqs: url,
      secretsManager: url,
      lambda: url,
      dynamodb: dynamo.url,
    };

    const environment =
      typeof options.environment === 'function'
        ? await options.environment()
        : (options.environment ?? {});
    const api = new RuntimeApi();
    await api.start();
    closers.push(() => api.close());
    const cap = options.concurrency ?? Math.max(2, availableParallelism());
    for (const resource of resources.functions) {
      const wanted = resources.eventSources.find(({ functionId }) => functionId === resource.id);
      const fn = new LocalFunction({
        settings: {
          ...resource,
          env: environmentOf(resource, endpoints, environment, options.path),
        },
        api,
        concurrency: Math.max(1, Math.min(cap, wanted?.maxConcurrency ?? cap)),
        logPath: join(dataDir, 'logs', `${resource.name}.log`),
        tmpDir: join(dataDir, 'tmp', resource.name),
        onFailure: (name, { error }, logPath) =>
          log(`${name}: ${error.errorType}: ${error.errorMessage} (${logPath})`),
      });
      functions.set(resource.id, fn);
    }
    closers.push(async () => {
      await Promise.all([...functions.values()].map((fn) => fn.stop()));
    });

    const sources = resources.eventSources.map((mapping) => {
      const target = functions.get(mapping.functionId);
      const queue = queues.byArn(mapping.queueArn);
      if (!target || !queue) throw new Error(`No queue ${mapping.queueArn}`);
      return new EventSource({
        ...mapping,
        queue,
        target,
        store: queues,
        concurrency: target.concurrency,
        region: localRegion,
        counters,
        onError: (error) => log(`event source of ${queue.name}: ${String(error)}`),
        redeliverAfter: options.redeliverAfter,
      });
    });
    const schedules = resources.schedules.map(
      (settings) =>
        new ScheduleRunner({
          settings,
          state,
          clock: options.clock ?? systemClock,
          region: localRegion,
          account: localAccount,
          fire: (event) => void functions.get(settings.functionId)?.invoke(event),
        }),
    );
    for (const source of sources) source.start();
    for (const schedule of schedules) schedule.start();
    closers.push(async () => {
      for (const schedule of schedules) schedule.stop();
      await Promise.all(sources.map((source) => source.stop()));
      // What is nearly done may finish; the rest is delivered again at the next start.
      const grace = new Promise((done) => setTimeout(done, stopGraceMs).unref());
      await Promise.race([Promise.all(sources.map((source) => source.idle())), grace]);
    });
    state.announce(`process ${process.pid}, ${url}`);

    const findOrThrow = (name: string): LocalFunction => {
      const fn = find(name);
      if (fn) return fn;
      const names = [...functions.values()].map(({ settings }) => settings.name).join(', ');
      throw new Error(`No function ${name}; there are ${names}`);
    };
    return {
      endpoints,
      resources,
      outputs: resources.outputs,
      client: (service) => ({
        endpoint: endpoints[service],
        region: localRegion,
        credentials: localCredentials,
      }),
      env: (name) => findOrThrow(name).settings.env,
      invoke: async (name, event) => findOrThrow(name).invoke(event),
      killFunctions: async (name) => {
        const killed = name === undefined ? [...functions.values()] : [findOrThrow(name)];
        await Promise.all(killed.map((fn) => fn.kill()));
      },
      tallies: () =>
        sources.map((source) => ({
          name: source.options.target.settings.name,
          ...source.tally,
          ...queues.depth(source.options.queue),
          running: source.options.target.running,
        })),
      deadLetters: () => {
        const arns = new Set(queues.list().flatMap(({ redrive }) => redrive?.deadLetterArn ?? []));
        return Object.fromEntries(
          queues
            .list()
            .filter(({ arn }) => arns.has(arn))
            .map((queue) => {
              const { visible, inFlight, delayed } = queues.depth(queue);
              return [queue.name, visible + inFlight + delayed];
            }),
        );
      },
      counters: async () => {
        const dynamodb = Object.entries(await dynamo.counts());
        return {
          ...counters.snapshot(),
          ...Object.fromEntries(dynamodb.map(([name, count]) => [`dynamodb ${name}`, count])),
        };
      },
      resetCounters: async () => {
        counters.reset();
        await dynamo.resetCounts();
      },
      stop: closeAll,
    };
  } catch (error) {
    await closeAll();
    throw error;
  }
}

/** A function's environment: what Lambda sets, what the template sets, and where AWS is here. */
function environmentOf(
  resource: FunctionResource,
  endpoints: Endpoints,
  environment: Record<string, string>,
  path: string | undefined,
): Record<string, string> {
  const replaced = Object.entries(environment).filter(([name]) => name in resource.environment);
  return {
    ...(path === undefined ? {} : { PATH: path }),
    LANG: 'en_US.UTF-8',
    TZ: 'UTC',
    ...resource.environment,
    ...Object.fromEntries(replaced),
    _HANDLER: resource.handler,
    AWS_EXECUTION_ENV: 'AWS_Lambda_nodejs24.x',
    AWS_LAMBDA_FUNCTION_NAME: resource.name,
    AWS_LAMBDA_FUNCTION_VERSION: '$LATEST',
    AWS_LAMBDA_FUNCTION_MEMORY_SIZE: String(resource.memoryMb),
    AWS_LAMBDA_INITIALIZATION_TYPE: 'on-demand',
    AWS_LAMBDA_LOG_GROUP_NAME: `/aws/lambda/${resource.name}`,
    LAMBDA_TASK_ROOT: resource.taskRoot,
    AWS_REGION: localRegion,
    AWS_DEFAULT_REGION: localRegion,
    AWS_ACCESS_KEY_ID: localCredentials.accessKeyId,
    AWS_SECRET_ACCESS_KEY: localCredentials.secretAccessKey,
    AWS_ENDPOINT_URL_S3: endpoints.s3,
    AWS_ENDPOINT_URL_SQS: endpoints.sqs,
    AWS_ENDPOINT_URL_SECRETS_MANAGER: endpoints.secretsManager,
    AWS_ENDPOINT_URL_LAMBDA: endpoints.lambda,
    AWS_ENDPOINT_URL_DYNAMODB: endpoints.dynamodb,
    // No profile of the person at this machine may reach a function.
    AWS_CONFIG_FILE: '/dev/null',
    AWS_SHARED_CREDENTIALS_FILE: '/dev/null',
    AWS_EC2_METADATA_DISABLED: 'true',
  };
}
