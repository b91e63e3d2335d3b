import { writeFileSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { DeleteObjectCommand, PutObjectCommand, S3Client } from '@aws-sdk/client-s3';
import {
  DeleteMessageCommand,
  ReceiveMessageCommand,
  SendMessageCommand,
  SQSClient,
} from '@aws-sdk/client-sqs';
import { type Emulator, startEmulator } from '../../infra/local/claude/index.ts';
import { type BucketChange, notification } from '../../infra/local/s3/events.ts';
import { type LocalStack, start } from '../../infra/local/stack.ts';
import { synthesize } from '../../infra/local/synthesize.ts';
import type { Assembly } from '../../infra/local/template/resources.ts';
import { check, type Outcome } from './check.ts';
import { type Kill, type Plan, textOf } from './plan.ts';

/** The API's faults. */
const faults = [
  { kind: 'error', status: 429, retryAfter: 0.05, probability: 0.1 },
  { kind: 'error', status: 500, probability: 0.03 },
  { kind: 'error', status: 529, probability: 0.02 },
  { kind: 'lost_reply', probability: 0.03 },
  { kind: 'max_tokens', probability: 0.05 },
  { kind: 'invalid_output', probability: 0.05 },
  { kind: 'ungrounded_quote', probability: 0.05 },
] as const;

/**
 * Four profiles, which ask different models: documents with one content may ask it up to four questions. One asks for
 * fields and no summary.
 */
const config = {
  // Enough for all of them: what is reserved and settled is checked in the end.
  budget: { dailyUsd: 1_000, monthlyUsd: 10_000 },
  profiles: [
    { prefix: 'chaos/1', model: 'claude-sonnet-5-5', effort: 'none' },
    {
      prefix: 'chaos/3',
      model: 'claude-sonnet-4-6',
      summary: false,
      schema: {
        type: 'object',
        properties: { facts: { type: 'array', items: { type: 'string' } } },
        required: ['facts'],
      },
    },
    { prefix: 'chaos/2', model: 'claude-opus-5-5', expiryDays: 30, maxTokens: 8_192 },
  ],
};

/** A message delayed for longer than this may wait for the next part of the run, in milliseconds. */
const patienceMs = 300;

/**
 * Plays a plan on the local stack: the deployed bundles, in separate processes, with an API that often fails. Then
 * hours pass, twice: the stack restarts with all clocks set ahead (including this process's, which therefore must do
 * nothing else), so that leases of dead workers have expired. Some events come late, and the reconciler and an SQS
 * redrive repair the rest.
 * @param progress called with lines of progress for people
 */
export async function run(plan: Plan, progress: (line: string) => void): Promise<Outcome> {
  const dataDir = await mkdtemp(join(tmpdir(), 'dropline-chaos-'));
  const now = Date.now;
  const emulator = await startEmulator({
    filesPerMinute: Number.POSITIVE_INFINITY,
    messagesPerMinute: Number.POSITIVE_INFINITY,
    inputTokensPerMinute: Number.POSITIVE_INFINITY,
    outputTokensPerMinute: Number.POSITIVE_INFINITY,
    latencyMs: 20,
    journalSize: 1_000_000,
  });
  const host = new Host(dataDir, emulator, await withoutNotifications());
  try {
    for (const [index, fault] of faults.entries()) {
      emulator.addFault({ ...fault, seed: plan.faultSeeds[index] ?? 0 });
    }
    const stack = await host.start(0);
    const killer = killAt(plan.kills, host, stack, progress);
    const events = await act(plan, host, stack);
    progress('all files dropped, overwritten and removed, all events delivered');
    await calm(stack);
    await killer.stop();
    progress(`quiet after ${killer.kills} of ${plan.kills.length} kills`);
    await host.stop();

    // Longer than any lease, and than `stuckMs`.
    Date.now = () => now() + 3 * 3_600_000;
    const later = await host.start(3);
    await announce(
      plan.late.map((change) => events.get(change)),
      later,
    );
    await calm(later);
    await dieReconciling(host, later);
    await redrive(later);
    await reconcile(later, progress);
    await host.stop();

    // Longer than an orphan's grace period. From here on nothing is killed, and everything finishes.
    Date.now = () => now() + 12 * 3_600_000;
    const last = await host.start(12);
    await calm(last, Infinity);
    await redrive(last);
    await reconcile(last, progress);
    await calm(last, Infinity);
    return await check(plan, last, emulator, host.kills);
  } finally {
    Date.now = now;
    await host.stop();
    await emulator.close();
    await rm(dataDir, { recursive: true, force: true, maxRetries: 5 });
  }
}

/** The stack, and what can be observed of it from outside. */
class Host {
  /** The newest change of an object; the host reports it before it answers the request. */
  change: BucketChange | undefined;
  /** For every kill of summarize: `seq` of the API's newest call at that time. */
  readonly kills: number[] = [];
  readonly #dataDir: string;
  readonly #configPath: string;
  readonly #emulator: Emulator;
  readonly #assembly: Assembly;
  #stack: LocalStack | undefined;

  constructor(dataDir: string, emulator: Emulator, assembly: Assembly) {
    this.#dataDir = join(dataDir, 'data');
    this.#configPath = join(dataDir, 'dropline.config.json');
    writeFileSync(this.#configPath, JSON.stringify(config));
    this.#emulator = emulator;
    this.#assembly = assembly;
  }

  /** @param hours how far to set the functions' clocks ahead */
  async start(hours: number): Promise<LocalStack> {
    const later = new URL(`later.ts?hours=${hours}`, import.meta.url).href;
    this.#stack = await start({
      dataDir: this.#dataDir,
      assembly: this.#assembly,
      environment: {
        CLAUDE_BASE_URL: this.#emulator.url,
        CLAUDE_FILES_PER_MINUTE: '60000',
        DROPLINE_CONFIG: this.#configPath,
        NODE_OPTIONS: hours > 0 ? `--import ${later}` : '',
      },
      secret: () => 'test-key',
      redeliverAfter: 1,
      onChange: (change) => {
        this.change = change;
      },
    });
    return this.#stack;
  }

  /** Kills processes, whatever they are doing. */
  async kill(step: Kill['step']): Promise<void> {
    await this.#stack?.killFunctions(step === 'all' ? undefined : step);
    const [newest] = this.#emulator.journal({ limit: 1 });
    if (step === 'all' || step === 'summarize') this.kills.push(newest?.seq ?? 0);
  }

  async stop(): Promise<void> {
    await this.#stack?.stop();
    this.#stack = undefined;
  }
}

/** The stack's assembly without S3 notifications: the plan says when and how often events are delivered. */
async function withoutNotifications(): Promise<Assembly> {
  const { template, assets } = await synthesize();
  const copy = structuredClone(template) as {
    Resources: Record<string, { Type: string; Properties?: Record<string, unknown> }>;
  };
  for (const { Type, Properties } of Object.values(copy.Resources)) {
    if (Type === 'AWS::S3::Bucket') delete Properties?.NotificationConfiguration;
    // Only the run itself starts the reconciler.
    if (Type === 'AWS::Events::Rule' && Properties) Properties.State = 'DISABLED';
  }
  return { template: copy, assets };
}

/** Performs the plan's actions in order. Returns the event of every change. */
async function act(plan: Plan, host: Host, stack: LocalStack): Promise<Map<number, string>> {
  const s3 = new S3Client(stack.client('s3'));
  const Bucket = stack.outputs.InboxBucket ?? '';
  const rule = { id: 'chaos', queueArn: '', event: 's3:*', prefix: '', suffix: '' };
  const events = new Map<number, string>();
  for (const action of plan.actions) {
    if (action.do === 'deliver') {
      await announce([events.get(action.change)], stack);
      continue;
    }
    const { key: Key, change } = action;
    if (action.do === 'remove') await s3.send(new DeleteObjectCommand({ Bucket, Key }));
    else {
      const Body = textOf(action.content);
      await s3.send(new PutObjectCommand({ Bucket, Key, Body, ContentType: 'text/plain' }));
    }
    if (host.change?.key !== Key) throw new Error(`the host did not report ${Key}`);
    events.set(change, notification(host.change, rule));
  }
  s3.destroy();
  return events;
}

/** Delivers S3 events, as S3 would. */
async function announce(events: (string | undefined)[], stack: LocalStack): Promise<void> {
  const sqs = new SQSClient(stack.client('sqs'));
  for (const MessageBody of events) {
    await sqs.send(new SendMessageCommand({ QueueUrl: stack.outputs.IntakeQueue, MessageBody }));
  }
  sqs.destroy();
}

/** Kills processes as planned. */
function killAt(
  planned: Kill[],
  host: Host,
  stack: LocalStack,
  progress: (line: string) => void,
): { kills: number; stop: () => Promise<void> } {
  const stop = new AbortController();
  const killer = { kills: 0, stop: async () => {} };
  const watch = async () => {
    for (const { after, step } of planned) {
      while (finished(stack) < after) await delay(20, undefined, { signal: stop.signal });
      await host.kill(step);
      killer.kills += 1;
      progress(`killed ${step} after ${finished(stack)} messages`);
    }
  };
  const watching = watch().catch((error: unknown) => {
    if (!stop.signal.aborted) throw error;
  });
  killer.stop = async () => {
    stop.abort();
    await watching;
  };
  return killer;
}

const finished = (stack: LocalStack): number =>
  stack.tallies().reduce((sum, one) => sum + one.finished, 0);

/** Waits until nothing runs and all remaining messages are delayed for longer than `ms`. */
async function calm(stack: LocalStack, ms = patienceMs): Promise<void> {
  for (let quiet = 0; quiet < 3; ) {
    const soon = Date.now() + ms;
    const busy = stack
      .tallies()
      .some(
        (one) =>
          one.running > 0 ||
          one.visible > 0 ||
          (one.nextVisibleAt !== undefined && one.nextVisibleAt < soon),
      );
    quiet = busy ? 0 : quiet + 1;
    await delay(30);
  }
}

/** Starts the reconciler and kills it while it runs. */
async function dieReconciling(host: Host, stack: LocalStack): Promise<void> {
  const running = stack.invoke('reconcile', {});
  // It takes about this long to start; where exactly it dies is left to chance.
  await delay(700);
  await host.kill('all');
  await running;
}

async function reconcile(stack: LocalStack, progress: (line: string) => void): Promise<void> {
  for (let runs = 0; runs < 50; runs += 1) {
    const result = await stack.invoke('reconcile', {});
    // The API fails the reconciler's calls, too; the next run resumes.
    const report = result.ok ? JSON.parse(result.payload) : undefined;
    progress(`reconciled: ${JSON.stringify(report?.counts ?? result)}`);
    if (report && !report.unfinished && !report.counts.errors && !report.counts.unrepaired) return;
  }
  throw new Error('the reconciler does not finish');
}

/** Moves all dead letters back, as a person does after the alarm. */
async function redrive(stack: LocalStack): Promise<void> {
  const sqs = new SQSClient(stack.client('sqs'));
  for (const { name, redrive } of stack.resources.queues) {
    const dead = stack.resources.queues.find(({ arn }) => arn === redrive?.deadLetterArn);
    if (!dead) continue;
    const urlOf = (queue: string) => `${stack.endpoints.sqs}/000000000000/${queue}`;
    for (;;) {
      const from = { QueueUrl: urlOf(dead.name), MaxNumberOfMessages: 10 };
      const { Messages = [] } = await sqs.send(new ReceiveMessageCommand(from));
      if (Messages.length === 0) break;
      for (const { Body, ReceiptHandle } of Messages) {
        await sqs.send(new SendMessageCommand({ QueueUrl: urlOf(name), MessageBody: Body }));
        await sqs.send(new DeleteMessageCommand({ QueueUrl: from.QueueUrl, ReceiptHandle }));
      }
    }
  }
  sqs.destroy();
}
