import { Readable } from 'node:stream';
import type { Context } from 'aws-lambda';
import { profiles } from '../../functions/runtime.ts';
import {
  type Emulator,
  type EmulatorOptions,
  startEmulator,
} from '../../infra/local/claude/index.ts';
import { processBatch } from '../../shared/aws/batch.ts';
import { changesOf, stepMessageOf } from '../../shared/aws/events.ts';
import type { Queues } from '../../shared/aws/queues.ts';
import { ClaudeClient, type ClaudeOptions } from '../../shared/claude/client.ts';
import { deploymentTag } from '../../shared/claude/filename.ts';
import { defaultPrices } from '../../shared/claude/prices.ts';
import { convert } from '../../shared/convert/convert.ts';
import { defaultLimits } from '../../shared/formats/limits.ts';
import { documentIdOf } from '../../shared/journey/ids.ts';
import { Circuits } from '../../shared/ledger/circuit.ts';
import { Contents } from '../../shared/ledger/contents.ts';
import type { DocumentItem } from '../../shared/ledger/document-item.ts';
import { Documents } from '../../shared/ledger/documents.ts';
import type { Table } from '../../shared/ledger/table.ts';
import { MessagesPace } from '../../shared/pace/messages-pace.ts';
import { Pace } from '../../shared/pace/pace.ts';
import { type ReconcileTools, reconcile } from '../../shared/reconcile/reconcile.ts';
import type { Report } from '../../shared/reconcile/report.ts';
import { type NormalizeTools, normalize } from '../../shared/steps/normalize.ts';
import { done, type Log, type Outcome } from '../../shared/steps/outcome.ts';
import { release } from '../../shared/steps/release.ts';
import { summarize } from '../../shared/steps/summarize.ts';
import { upload } from '../../shared/steps/upload.ts';
import { MemoryBuckets } from './bucket.ts';
import type { LedgerServer } from './ledger.ts';
import { type Gate, type KillPoint, Life } from './mortal.ts';
import { MemoryQueue } from './queue.ts';

export const inbox = 'inbox';
export const staging = 'staging';
export const results = 'results';
/** Tag of the world in the names of its remote files. */
export const deployment = deploymentTag(inbox);
const hour = 3_600_000;

const queueNames = ['intake', 'upload', 'summarize'] as const;
export type QueueName = (typeof queueNames)[number];

const silent: Log = { info: () => {}, warn: () => {}, error: () => {} };

/** An event of the inbox as a test delivers it: when, how often and in what order it likes. */
export interface InboxEvent {
  key: string;
  /** The version, or delete marker, that it tells of. */
  versionId?: string;
  body: string;
}

export interface WorldOptions {
  emulator?: EmulatorOptions;
  /** From 0 to below 1: which visible message is taken next; the oldest when left out. */
  pick?: () => number;
  /** Key prefixes below which unsupported types are uploaded for the code execution tool. */
  containerUploads?: string[];
  keepRemoteFiles?: boolean;
  /** Whether the buckets keep versions, as Dropline's own do (default). */
  versioned?: boolean;
  /** What workers take the limit of file operations for. */
  filesPerMinute?: number;
}

/**
 * The whole pipeline in one process, with a clock of its own: the real steps and ledger rules over
 * dynalite, the real client and emulator, and queues and buckets in memory. A worker can be killed
 * around any of its calls to the outside.
 */
export class World {
  readonly buckets: MemoryBuckets;
  readonly table: Table;
  readonly emulator: Emulator;
  readonly queues: Record<QueueName, MemoryQueue>;
  readonly documents: Documents;
  readonly contents: Contents;
  /** Every event of the inbox so far, delivered or not. */
  readonly events: InboxEvent[] = [];
  readonly #options: WorldOptions;
  readonly #hidden = new Set<string>();
  #time: number;
  #sequence = 0;
  #owner = 0;

  private constructor(
    table: Table,
    emulator: Emulator,
    options: WorldOptions,
    time: { now: number },
  ) {
    this.table = table;
    this.buckets = new MemoryBuckets({
      versioned: options.versioned ?? true,
      now: this.now,
    });
    this.emulator = emulator;
    this.#options = options;
    this.#time = time.now;
    this.queues = {
      intake: new MemoryQueue('https://queue.test/intake'),
      upload: new MemoryQueue('https://queue.test/upload'),
      summarize: new MemoryQueue('https://queue.test/summarize'),
    };
    this.documents = new Documents(table, this.now);
    this.contents = new Contents(table, this.now);
  }

  static async create(server: LedgerServer, options: WorldOptions = {}): Promise<World> {
    const time = { now: Date.parse('2026-11-22T12:00:00Z') };
    let world: World | undefined;
    const emulator = await startEmulator({
      filesPerMinute: Number.POSITIVE_INFINITY,
      messagesPerMinute: Number.POSITIVE_INFINITY,
      inputTokensPerMinute: Number.POSITIVE_INFINITY,
      outputTokensPerMinute: Number.POSITIVE_INFINITY,
      now: () => world?.now() ?? time.now,
      ...options.emulator,
    });
    world = new World(await server.create(), emulator, options, time);
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

  /** Drops a file and returns its event, which nobody has delivered yet. */
  drop(key: string, content: string | Uint8Array): InboxEvent {
    const bytes = typeof content === 'string' ? Buffer.from(content) : content;
    const version = this.buckets.put(inbox, key, bytes);
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

  /** Works until all queues are empty, letting time pass where messages only wait. */
  async drain(): Promise<void> {
    for (let steps = 0; steps < 100_000; steps += 1) {
      if (await this.work()) continue;
      const next = Math.min(...queueNames.map((name) => this.queues[name].nextAt() ?? Infinity));
      if (next === Infinity) return;
      this.#time = Math.max(this.#time, next);
    }
    throw new Error('the queues do not get empty');
  }

  /**
   * Gives one visible message to a worker.
   * @returns the worker's life, or `undefined` when no message is visible
   */
  async work({
    kill,
    gate,
    only = queueNames,
  }: {
    kill?: KillPoint | undefined;
    /** What each of the worker's calls waits for. */
    gate?: Gate | undefined;
    only?: readonly QueueName[];
  } = {}): Promise<Life | undefined> {
    const pick = this.#options.pick ?? (() => 0);
    for (const name of only) {
      const queue = this.queues[name];
      const record = queue.receive(this.now(), pick());
      if (!record) continue;
      const life = new Life(kill, gate);
      const response = await this.#invoke(name, record, life).catch(() => undefined);
      // A dead worker's answer never reaches Lambda, which then deletes nothing.
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
      retry?: string[];
      timeLeft?: () => boolean;
    } = {},
  ): Promise<{ report: Report | undefined; life: Life }> {
    const life = new Life(options.kill, options.gate);
    const tools = this.#tools(life);
    const report = await reconcile({
      ...tools,
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

  /** The record of a key. */
  async record(key: string): Promise<DocumentItem | undefined> {
    return this.documents.get(documentIdOf(inbox, key));
  }

  /** Uploads a file past the pipeline, as a person may do who has the key. */
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

  /** Lists of files leave this one out from now on, as one does that is older than the file. */
  hideFromLists(fileId: string): void {
    this.#hidden.add(fileId);
  }

  /** Calls that made the emulator do something, by operation. */
  calls(operation: string) {
    return this.emulator.journal({ operation }).filter((entry) => entry.status === 200);
  }

  #invoke(name: QueueName, record: ReturnType<MemoryQueue['receive']>, life: Life) {
    const tools = this.#tools(life);
    const event = { Records: record ? [record] : [] };
    const batch = {
      queueUrl: this.queues[name].url,
      queues: tools.queues,
      log: silent,
      random: () => 0.5,
    };
    return processBatch(event, {} as Context, batch, async (body): Promise<Outcome> => {
      if (name === 'intake') {
        let outcome = done;
        for (const change of changesOf(body)) {
          const one = await normalize(change, tools);
          if (one.next !== 'done') outcome = one;
        }
        return outcome;
      }
      const message = stepMessageOf(body);
      if (message.step === 'upload') return upload(message, tools);
      if (message.step === 'release') return release(message, tools);
      if (message.step === 'summarize') return summarize(message, tools);
      throw new Error(`no worker for ${message.step}`);
    });
  }

  #tools(
    life: Life,
  ): Omit<ReconcileTools, 'dryRun' | 'sweep' | 'retry' | 'timeLeft'> &
    NormalizeTools &
    Parameters<typeof summarize>[1] {
    const { now } = this;
    const table = life.wrap('table', this.table);
    const queues = life.wrap('queues', this.#queues());
    const sleep = async (ms: number) => this.advance(ms);
    const pace = new Pace(table, {
      api: 'files',
      perMinute: this.#options.filesPerMinute ?? 60_000,
      now,
      sleep,
    });
    const messages = new MessagesPace(table, { now, sleep });
    const claude = this.#client({
      sleep,
      admit: async (api) => {
        if (api === 'files') await pace.turn();
        if (api === 'messages') await messages.turn();
      },
      onRateLimits: (limits) => {
        // Behind the back of the worker that was told, as it is when deployed; a dead one learns nothing.
        if (limits.api === 'messages') messages.learn(limits).catch(() => {});
      },
    });
    const model = 'claude-haiku-5-5';
    const containerUploads = this.#options.containerUploads ?? [];
    const send = (name: QueueName, message: unknown) =>
      queues.send(this.queues[name].url, JSON.stringify(message));
    return {
      table,
      documents: new Documents(table, now),
      contents: new Contents(table, now),
      circuits: new Circuits(table, now),
      objects: life.wrap('objects', this.buckets),
      claude: life.wrap('claude', claude),
      queues,
      deadLetters: queueNames.map((name) => ({
        step: name === 'intake' ? ('normalize' as const) : name,
        url: `${this.queues[name].url}-dead-letters`,
      })),
      backlog: async (step) => {
        const queue = this.queues[step === 'normalize' ? 'intake' : (step as QueueName)];
        return queue.messages.filter(({ visibleAt }) => visibleAt <= now()).length;
      },
      dialect: this.#options.emulator?.dialect ?? 'ga',
      inboxBucket: inbox,
      stagingBucket: staging,
      deployment,
      resultsBucket: results,
      send: (message) => send(message.step === 'summarize' ? 'summarize' : 'upload', message),
      announce: (change) => send('intake', { dropline: 'change', change }),
      convert,
      limits: defaultLimits,
      profileFor: profiles({ model, containerUploads }),
      prices: defaultPrices,
      policy: { maxAttempts: 5, random: () => 0.5 },
      log: silent,
      now,
      owner: () => {
        this.#owner += 1;
        return `worker-${this.#owner}`;
      },
      heldMs: 600_000,
      leaseMs: 60_000,
      callTimeoutMs: 30_000,
      expiryMarginMs: 24 * hour,
      keepRemoteFiles: this.#options.keepRemoteFiles ?? false,
      stuckMs: 2 * hour,
      orphanGraceMs: 6 * hour,
      sweepMs: 6 * hour,
      refreshMs: 72 * hour,
    };
  }

  #client(options: Partial<ClaudeOptions> = {}): ClaudeClient {
    const client = new ClaudeClient({
      baseUrl: this.emulator.url,
      apiKey: 'test-key',
      dialect: this.#options.emulator?.dialect ?? 'ga',
      random: () => 0.5,
      now: this.now,
      ...options,
    });
    const hidden = this.#hidden;
    const iterate = client.iterateFiles.bind(client);
    client.iterateFiles = async function* (...args) {
      for await (const file of iterate(...args)) if (!hidden.has(file.id)) yield file;
    };
    return client;
  }

  /** The queues as the steps see them. */
  #queues(): Queues {
    const find = (url: string): MemoryQueue => {
      const queue = queueNames.map((name) => this.queues[name]).find((one) => one.url === url);
      if (!queue) throw new Error(`no queue ${url}`);
      return queue;
    };
    const port: Omit<Pick<Queues, keyof Queues>, 'backlog'> = {
      send: async (url, message, delayMs = 0) => {
        const body = typeof message === 'string' ? message : JSON.stringify(message);
        find(url).send(body, this.now() + delayMs);
      },
      giveBack: async (url, receipt, delayMs) => find(url).hide(receipt, this.now() + delayMs),
      look: async (url) =>
        find(url.replace(/-dead-letters$/, '')).deadLetters.map(({ id, body }) => ({
          messageId: id,
          body,
        })),
    };
    return port as Queues;
  }

  #event(
    key: string,
    eventName: string,
    object: { versionId?: string; etag?: string; size?: number },
  ): InboxEvent {
    this.#sequence += 1;
    const sequencer = `0055AED6DCD9${this.#sequence.toString(16).toUpperCase().padStart(6, '0')}`;
    const encoded = encodeURIComponent(key).replaceAll('%20', '+').replaceAll('%2F', '/');
    const record = {
      eventVersion: '2.1',
      eventSource: 'aws:s3',
      eventName,
      s3: {
        bucket: { name: inbox },
        object: {
          key: encoded,
          sequencer,
          ...(object.versionId ? { versionId: object.versionId } : {}),
          ...(object.etag ? { eTag: object.etag, size: object.size } : {}),
        },
      },
    };
    const { versionId } = object;
    const body = JSON.stringify({ Records: [record] });
    const event = { key, ...(versionId ? { versionId } : {}), body };
    this.events.push(event);
    return event;
  }
}
