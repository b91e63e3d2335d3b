import { availableParallelism } from 'node:os';
import { resolve } from 'node:path';
import { Calls } from './calls.ts';
import { localCredentials, localRegion } from './credentials.ts';
import type { Capacity } from './dynamodb/capacity.ts';
import { type LocalDynamo, startDynamo } from './dynamodb/start.ts';
import type { InvocationResult } from './lambda/environment.ts';
import type { EventSource } from './lambda/event-source.ts';
import type { BucketChange } from './s3/events.ts';
import { type Clock, systemClock } from './schedule/runner.ts';
import type { QueueStore } from './sqs/store.ts';
import { Closers } from './stack/closers.ts';
import { FunctionRegistry, startFunctions } from './stack/functions.ts';
import { createResources, type Endpoints, type Services, startServices } from './stack/services.ts';
import { startTriggers } from './stack/triggers.ts';
import { synthesize } from './synthesize.ts';
import { readTemplate } from './template/read.ts';
import type { Assembly, LocalResources } from './template/resources.ts';

export type { Endpoints } from './stack/services.ts';

export interface StartOptions {
  /** Where everything is kept. Created if missing. */
  dataDir: string;
  /** What to run; the CDK app of this repository when left out. */
  assembly?: Assembly;
  /** Port of S3, SQS, Secrets Manager and Lambda; another free one when it is taken. Default: any. */
  port?: number;
  dynamodbPort?: number;
  /**
   * Replaces variables that functions have in the template; it adds none. When it is a function, it is called
   * after the data directory is locked, so it can start a server that keeps its data there.
   */
  environment?: Record<string, string> | (() => Promise<Record<string, string>>);
  /**
   * Seconds after which the messages of an invocation that failed as a whole are delivered again. Without it
   * they wait for their visibility timeout, as on AWS, where one cannot be sure that the invocation is over.
   */
  redeliverAfter?: number;
  /** The value of a secret, by logical id; if undefined, the value in the template. */
  secret?: (logicalId: string) => string | undefined;
  /** Maximum of concurrent invocations of one function; the template may set a lower one. */
  concurrency?: number;
  /** Count the capacity that DynamoDB would charge, for `capacity()`. */
  countsCapacity?: boolean;
  clock?: Clock;
  /** PATH of the functions' processes, for tools they may look for. */
  path?: string;
  /** What the user should know: failed invocations, faults of the servers. */
  onLog?: (line: string) => void;
  /** Called after every change of an object. */
  onChange?: (change: BucketChange) => void;
}

/** Work of one step, for progress displays. */
export interface StepTally {
  /** Name of the function. */
  name: string;
  /** Messages that succeeded since the start. */
  finished: number;
  /** Deliveries that failed since the start. */
  failed: number;
  /** Messages that are waiting, in flight, or waiting for their next try. */
  visible: number;
  inFlight: number;
  delayed: number;
  /** Invocations in progress. */
  running: number;
  /** When the next hidden message becomes visible, in epoch milliseconds. */
  nextVisibleAt?: number;
}

/** The stack, running on this machine. Functions are named by logical id, name, or part of the logical id. */
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
  /** The environment a function runs in. */
  env(name: string): Record<string, string>;
  /** Runs a function on an event. */
  invoke(name: string, event: unknown): Promise<InvocationResult>;
  /** Kills the processes of one function, or of all. Their unfinished messages are delivered again. */
  killFunctions(name?: string): Promise<void>;
  /** What each step has done and still has to do. */
  tallies(): StepTally[];
  /** Messages in dead-letter queues, by queue name. */
  deadLetters(): Record<string, number>;
  /** AWS requests so far, by service and operation. */
  counters(): Promise<Record<string, number>>;
  /** Capacity units of DynamoDB so far, by use and kind of item; empty unless `countsCapacity` is set. */
  capacity(): Promise<Capacity>;
  resetCounters(): Promise<void>;
  /** What each function asked of AWS since the start, in the terms of its policy: see `Calls`. */
  calls(): Promise<Record<string, string[]>>;
  /** Stops taking work, ends all processes, closes the files. */
  stop(): Promise<void>;
}

/**
 * Runs a stack on this machine: its buckets, queues, table and secrets behind servers that speak AWS's
 * protocols, and each function in processes of its own. All state is kept below `dataDir` and survives a stop
 * or a kill; messages that were in flight are delivered again at the next start.
 * @throws {DataDirUnavailable} when another host has the directory
 * @throws {UnsupportedTemplate} when the stack needs something that does not exist locally
 */
export async function start(options: StartOptions): Promise<LocalStack> {
  const assembly = options.assembly ?? (await synthesize());
  const closers = new Closers();
  try {
    return await startParts(assembly, options, closers);
  } catch (error) {
    await closers.closeAll();
    throw error;
  }
}

async function startParts(
  assembly: Assembly,
  options: StartOptions,
  closers: Closers,
): Promise<LocalStack> {
  const { onLog = () => {}, onChange, port = 0, clock = systemClock, redeliverAfter } = options;
  const dataDir = resolve(options.dataDir);
  const functions = new FunctionRegistry();
  const services = await startServices(
    {
      dataDir,
      port,
      invoke: (name, event) => functions.find(name)?.invoke(event),
      onChange,
      onLog,
    },
    closers,
  );
  const resources = readTemplate(assembly, services.queueUrl);
  createResources(services, resources, options.secret);
  const dynamo = await startDynamo({
    dataDir,
    region: localRegion,
    port: options.dynamodbPort ?? 0,
    unclean: services.state.unclean,
    tables: resources.tables,
    countsCapacity: options.countsCapacity ?? false,
    onLog: (line) => onLog(`dynamodb: ${line}`),
  });
  closers.add(() => dynamo.close());
  services.state.markMigrated();
  const endpoints = endpointsOf(services.url, dynamo.url);
  const environment = await environmentFrom(options.environment);
  const maxConcurrency = options.concurrency ?? Math.max(2, availableParallelism());
  const { path } = options;
  await startFunctions(
    functions,
    {
      dataDir,
      resources,
      callers: services.callers,
      endpoints,
      environment,
      maxConcurrency,
      path,
      onLog,
    },
    closers,
  );
  const sources = startTriggers(
    { resources, services, functions, clock, redeliverAfter, onLog },
    closers,
  );
  services.state.announce(`process ${process.pid}, ${services.url}, DynamoDB ${dynamo.url}`);
  return runningStack({ services, resources, dynamo, endpoints, functions, sources, closers });
}

function endpointsOf(url: string, dynamodb: string): Endpoints {
  return { s3: url, sqs: url, secretsManager: url, lambda: url, dynamodb };
}

async function environmentFrom(
  given: StartOptions['environment'],
): Promise<Record<string, string>> {
  return typeof given === 'function' ? await given() : (given ?? {});
}

interface Parts {
  services: Services;
  resources: LocalResources;
  dynamo: LocalDynamo;
  endpoints: Endpoints;
  functions: FunctionRegistry;
  sources: EventSource[];
  closers: Closers;
}

function runningStack(parts: Parts): LocalStack {
  const { services, resources, dynamo, endpoints, functions, sources, closers } = parts;
  const { queues, counters } = services;
  return {
    endpoints,
    resources,
    outputs: resources.outputs,
    client: (service) => ({
      endpoint: endpoints[service],
      region: localRegion,
      credentials: localCredentials,
    }),
    env: (name) => functions.get(name).settings.env,
    invoke: async (name, event) => functions.get(name).invoke(event),
    killFunctions: async (name) => {
      const killed = name === undefined ? functions.all() : [functions.get(name)];
      await Promise.all(killed.map((fn) => fn.kill()));
    },
    tallies: () => sources.map((source) => tallyOf(source, queues)),
    deadLetters: () => deadLettersIn(queues),
    counters: async () => ({
      ...counters.snapshot(),
      ...withPrefix('dynamodb ', await dynamo.counts()),
    }),
    calls: async () => {
      const all = new Calls();
      for (const part of [services.calls.list(), await dynamo.calls()]) {
        for (const [name, made] of Object.entries(part))
          for (const call of made) all.add(name, call);
      }
      return all.list();
    },
    capacity: () => dynamo.capacity(),
    resetCounters: async () => {
      counters.reset();
      await dynamo.resetCounts();
    },
    stop: () => closers.closeAll(),
  };
}

function tallyOf({ options, tally }: EventSource, queues: QueueStore): StepTally {
  const { target, queue } = options;
  return {
    name: target.settings.name,
    ...tally,
    ...queues.depth(queue),
    running: target.running,
  };
}

function deadLettersIn(queues: QueueStore): Record<string, number> {
  const all = queues.list();
  const arns = new Set(all.flatMap(({ redrive }) => redrive?.deadLetterArn ?? []));
  const counts = all
    .filter(({ arn }) => arns.has(arn))
    .map((queue) => {
      const { visible, inFlight, delayed } = queues.depth(queue);
      return [queue.name, visible + inFlight + delayed] as const;
    });
  return Object.fromEntries(counts);
}

function withPrefix(prefix: string, counts: Record<string, number>): Record<string, number> {
  return Object.fromEntries(
    Object.entries(counts).map(([name, count]) => [`${prefix}${name}`, count]),
  );
}
