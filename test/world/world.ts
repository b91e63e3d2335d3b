import { Readable } from 'node:stream';
import type { Context } from 'aws-lambda';
import { reconcileTools } from '../../functions/reconcile/tools.ts';
import { type Settings, settingsSchema } from '../../functions/settings.ts';
import {
  type Emulator,
  type EmulatorOptions,
  startEmulator,
} from '../../infra/local/claude/index.ts';
import { PdfReader } from '../../infra/local/claude/pdf-reader.ts';
import { ClaudeClient, type ClaudeOptions } from '../../shared/claude/client.ts';
import { deploymentTag } from '../../shared/claude/filename.ts';
import { readConfig } from '../../shared/config/config.ts';
import { convert } from '../../shared/convert/convert.ts';
import { StopLane } from '../../shared/journey/errors.ts';
import { documentIdOf } from '../../shared/journey/ids.ts';
import type { Log } from '../../shared/journey/log.ts';
import {
  maxReceives,
  type QueueName,
  queuedSteps,
  queueNames,
  steps,
  visibilitySeconds,
} from '../../shared/journey/steps.ts';
import { Contents } from '../../shared/ledger/contents.ts';
import type { DocumentItem } from '../../shared/ledger/document-item.ts';
import { Documents } from '../../shared/ledger/documents.ts';
import type { Table } from '../../shared/ledger/table.ts';
import { reconcile } from '../../shared/reconcile/reconcile.ts';
import type { ReconcileReport } from '../../shared/reconcile/report.ts';
import type { NormalizeTools } from '../../shared/steps/normalize.ts';
import { partKey } from '../../shared/steps/part-keys.ts';
import type { RenderTools } from '../../shared/steps/render.ts';
import { MemoryBuckets } from './bucket.ts';
import { type InboxEvent, s3Event } from './events.ts';
import { stepHandlers, type WorldPorts } from './functions.ts';
import type { LedgerServer } from './ledger.ts';
import { type Fault, type Gate, type KillPoint, Life } from './mortal.ts';
import { print } from './printer.ts';
import { MemoryQueue, queuePort } from './queue.ts';

export type { InboxEvent } from './events.ts';

export const inbox = 'inbox';
export const staging = 'staging';
export const results = 'results';
/** The world's tag in the names of its remote files. */
export const deployment = deploymentTag(inbox);
/** The key of a part of a dropped mail or archive. */
export const partOf = (parent: string, name: string): string =>
  partKey({ documentId: documentIdOf(inbox, parent), key: parent }, name);
const silent: Log = { info: () => {}, warn: () => {}, error: () => {} };

/** Worlds are many and short; each reader would start a thread of its own. */
const pdfs = new PdfReader();

export interface WorldOptions {
  emulator?: EmulatorOptions;
  /** From 0 to below 1: which visible message is taken next. The oldest by default. */
  pick?: () => number;
  /** Key prefixes below which unsupported types are uploaded for the code execution tool. */
  containerUploads?: string[];
  /** The text of `dropline.config.json`. */
  config?: string;
  keepRemoteFiles?: boolean;
  /** Days that replaced versions and the answers about their content are kept; 7 when left out. */
  keepPastDays?: number;
  /** Whether the buckets are versioned, as Dropline's own are. True by default. */
  versioned?: boolean;
  /** The limit of file operations that workers assume. */
  filesPerMinute?: number;
  /** Where workers log; nowhere when left out. */
  log?: Log;
}

/**
 * The whole pipeline in one process, with its own clock: the real steps and ledger rules over an in-memory
 * DynamoDB, the real client and emulator, and in-memory queues and buckets. A worker can be killed before or
 * after any of its outside calls.
 */
export class World {
  readonly buckets: MemoryBuckets;
  readonly table: Table;
  readonly emulator: Emulator;
  readonly queues: Record<QueueName, MemoryQueue>;
  readonly documents: Documents;
  readonly contents: Contents;
  /** The functions' settings. */
  readonly settings: Settings;
  /** What the secret with the API key holds. */
  apiKey = 'test-key';
  /** The printer; a test may replace it. */
  print: RenderTools['print'] = print;
  /** What converts; a test may put another converter here. */
  convert: NormalizeTools['convert'] = convert;
  /** The text of `dropline.config.json`; a test may change it. */
  config: string | undefined;
  /** How long an invocation may still run, as Lambda would say. */
  timeLeftMs = 240_000;
  /** Every event of the inbox so far, delivered or not. */
  readonly events: InboxEvent[] = [];
  readonly #server: LedgerServer;
  readonly #options: WorldOptions;
  readonly #hidden = new Set<string>();
  #time: number;
  #sequence = 0;
  #owner = 0;

  private constructor(
    server: LedgerServer,
    table: Table,
    emulator: Emulator,
    options: WorldOptions,
    time: { now: number },
  ) {
    this.table = table;
    this.#server = server;
    this.buckets = new MemoryBuckets({
      versioned: options.versioned ?? true,
      now: this.now,
    });
    this.emulator = emulator;
    this.#options = options;
    this.config = options.config;
    this.#time = time.now;
    this.queues = Object.fromEntries(
      queuedSteps.map((step) => {
        const visibilityMs = visibilitySeconds(step) * 1_000;
        const { queue } = steps[step];
        return [queue, new MemoryQueue(urlOf(queue), { visibilityMs, maxReceives })];
      }),
    ) as Record<QueueName, MemoryQueue>;
    this.settings = settingsOf(emulator, options);
    this.documents = new Documents(table, this.now);
    this.contents = new Contents(table, this.now);
  }

  static async create(server: LedgerServer, options: WorldOptions = {}): Promise<World> {
    const time = { now: Date.parse('2026-11-22T12:00:00Z') };
    let world: World | undefined;
    const emulator = await startEmulator(
      {
        filesPerMinute: Number.POSITIVE_INFINITY,
        messagesPerMinute: Number.POSITIVE_INFINITY,
        inputTokensPerMinute: Number.POSITIVE_INFINITY,
        outputTokensPerMinute: Number.POSITIVE_INFINITY,
        now: () => world?.now() ?? time.now,
        ...options.emulator,
      },
      { pdfs },
    );
    world = new World(server, await server.create(), emulator, options, time);
    return world;
  }

  async close(): Promise<void> {
    await this.emulator.close();
  }

  now = (): number => this.#time;

  /** Lets time pass, in whole milliseconds as `Date.now` counts them. */
  advance(ms: number): void {
    this.#time += Math.ceil(ms);
  }

  /** Drops a file and returns its event, which is not delivered yet. */
  drop(
    key: string,
    content: string | Uint8Array,
    marks: Parameters<MemoryBuckets['put']>[3] = {},
  ): InboxEvent {
    const bytes = typeof content === 'string' ? Buffer.from(content) : content;
    const version = this.buckets.put(inbox, key, bytes, marks);
    return this.#event(key, 'ObjectCreated:Put', { ...version, size: bytes.length });
  }

  /** Removes a file and returns its event. */
  remove(key: string): InboxEvent {
    const versionId = this.buckets.remove(inbox, key);
    if (versionId === undefined) return this.#event(key, 'ObjectRemoved:Delete', {});
    return this.#event(key, 'ObjectRemoved:DeleteMarkerCreated', { versionId });
  }

  /** Deletes one version of a file, or a delete marker, for good and returns the event. */
  removeVersion(key: string, versionId: string): InboxEvent {
    this.buckets.removeVersion(inbox, key, versionId);
    return this.#event(key, 'ObjectRemoved:Delete', { versionId });
  }

  /** Puts events into the intake queue, in the order given. */
  deliver(...events: InboxEvent[]): void {
    for (const { body } of events) this.queues.intake.send(body, this.now());
  }

  /** Works until all queues are empty; lets time pass when all messages wait. */
  async drain(): Promise<void> {
    for (let steps = 0; steps < 100_000; steps += 1) {
      if (await this.work()) continue;
      const next = Math.min(...queueNames.map((name) => this.queues[name].nextAt() ?? Infinity));
      if (next === Infinity) return;
      this.#time = Math.max(this.#time, next);
    }
    throw new Error('the queues never become empty');
  }

  /**
   * Gives one visible message to a worker.
   * @returns the worker's life, or `undefined` when no message is visible
   */
  async work({
    kill,
    gate,
    fault,
    only = queueNames,
  }: {
    kill?: KillPoint | undefined;
    /** What each of the worker's calls waits for. */
    gate?: Gate | undefined;
    /** What may go wrong with the worker's calls. */
    fault?: Fault | undefined;
    only?: readonly QueueName[];
  } = {}): Promise<Life | undefined> {
    const pick = this.#options.pick ?? (() => 0);
    for (const name of only) {
      const queue = this.queues[name];
      const record = queue.receive(this.now(), pick());
      if (!record) continue;
      const life = new Life(kill, gate, fault);
      const response = await this.#invoke(name, record, life).catch(() => undefined);
      // A dead worker's response never reaches Lambda, which then deletes nothing.
      if (!life.dead && response?.batchItemFailures.length === 0) queue.delete(record.messageId);
      return life;
    }
    return undefined;
  }

  /** Runs the reconciler. */
  async reconcile(
    options: {
      kill?: KillPoint | undefined;
      gate?: Gate;
      dryRun?: boolean;
      sweep?: boolean;
      resume?: boolean;
      /** Workers take what the reconciler sends while it waits. */
      meanwhile?: boolean;
      retry?: string[];
      timeLeft?: () => boolean;
    } = {},
  ): Promise<{ report: ReconcileReport | undefined; life: Life }> {
    const life = new Life(options.kill, options.gate);
    const sleep = async (ms: number) => {
      this.advance(ms);
      while (options.meanwhile && (await this.work()));
    };
    const report = await reconcile({
      ...reconcileTools(this.#ports(life), this.settings),
      sleep,
      resume: options.resume ?? false,
      dryRun: options.dryRun ?? false,
      sweep: options.sweep ?? false,
      retry: options.retry ?? [],
      timeLeft: options.timeLeft ?? (() => true),
    }).catch((error: unknown) => {
      if (life.dead) return undefined;
      throw error;
    });
    return { report, life };
  }

  /** Everything in the ledger. */
  items(): Promise<Record<string, unknown>[]> {
    return this.#server.itemsOf(this.table);
  }

  /** The record of a key. */
  async record(key: string): Promise<DocumentItem | undefined> {
    return this.documents.get(documentIdOf(inbox, key));
  }

  /** Uploads a file outside the pipeline, as a person with the API key may. */
  async uploadByHand(file: {
    filename: string;
    content: string;
    expiresInSeconds: number;
  }): Promise<string> {
    const bytes = Buffer.from(file.content);
    const client = this.#client();
    const { id } = await client.uploadFile({
      filename: file.filename,
      mimeType: 'text/plain',
      sizeBytes: bytes.length,
      body: Readable.from([bytes]),
      expiresInSeconds: file.expiresInSeconds,
    });
    await client.close();
    return id;
  }

  /** Leaves a file out of lists from now on, like a list that is older than the file. */
  hideFromLists(fileId: string): void {
    this.#hidden.add(fileId);
  }

  /** The successful calls of an operation. */
  calls(operation: string) {
    return this.emulator.journal({ operation }).filter((entry) => entry.status === 200);
  }

  #invoke(name: QueueName, record: ReturnType<MemoryQueue['receive']>, life: Life) {
    const handle = stepHandlers[name](this.#ports(life), this.settings);
    const context = { getRemainingTimeInMillis: () => this.timeLeftMs } as Context;
    return handle({ Records: record ? [record] : [] }, context);
  }

  /** A worker's in-memory ports; the worker can be killed around any of their calls. */
  #ports(life: Life): WorldPorts {
    const { now } = this;
    return {
      table: () => life.wrap('table', this.table),
      objects: life.wrap('objects', this.buckets),
      queues: life.wrap('queues', queuePort(this.queues, now)),
      apiKey: () => async () => {
        if (this.apiKey) return this.apiKey;
        throw new StopLane({ code: 'claude.no_key', message: 'the secret is empty' });
      },
      claude: (options) => life.wrap('claude', this.#client(options)),
      config: (_, shorthands) => readConfig(this.config, shorthands),
      convert: (input) => this.convert(input),
      print: (input) => this.print(input),
      log: this.#options.log ?? silent,
      now,
      random: () => 0.5,
      owner: () => {
        this.#owner += 1;
        return `worker-${this.#owner}`;
      },
      sleep: async (ms) => this.advance(ms),
    };
  }

  #client(options: Partial<ClaudeOptions> = {}): ClaudeClient {
    const client = new ClaudeClient({
      baseUrl: this.emulator.url,
      apiKey: 'test-key',
      dialect: this.settings.claudeDialect,
      random: () => 0.5,
      now: this.now,
      sleep: async (ms) => this.advance(ms),
      ...options,
    });
    const hidden = this.#hidden;
    const iterate = client.iterateFiles.bind(client);
    client.iterateFiles = async function* (...args) {
      for await (const file of iterate(...args)) if (!hidden.has(file.id)) yield file;
    };
    return client;
  }

  #event(
    key: string,
    eventName: string,
    object: { versionId?: string; etag?: string; size?: number },
  ): InboxEvent {
    this.#sequence += 1;
    const event = s3Event(inbox, key, eventName, this.#sequence, object);
    this.events.push(event);
    return event;
  }
}

const urlOf = (queue: QueueName): string => `https://queue.test/${queue}`;

function settingsOf(emulator: Emulator, options: WorldOptions): Settings {
  const urls = queueNames.flatMap((queue) => [
    [`${queue}QueueUrl`, urlOf(queue)],
    [`${queue}DeadLettersUrl`, `${urlOf(queue)}-dead-letters`],
  ]);
  return settingsSchema.parse({
    table: 'ledger',
    inboxBucket: inbox,
    stagingBucket: staging,
    resultsBucket: results,
    deployment: inbox,
    ...Object.fromEntries(urls),
    claudeBaseUrl: emulator.url,
    claudeDialect: options.emulator?.dialect ?? 'ga',
    claudeApiKeySecret: 'secret',
    model: readConfig(options.config).model,
    containerUploads: (options.containerUploads ?? []).join(','),
    filesPerMinute: options.filesPerMinute ?? 60_000,
    keepRemoteFiles: String(options.keepRemoteFiles ?? false),
    ...(options.keepPastDays === undefined ? {} : { keepPastDays: options.keepPastDays }),
  });
}
