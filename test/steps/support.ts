import type {
  Message,
  MessageCreateParamsNonStreaming,
} from '@anthropic-ai/sdk/resources/messages';
import { expect } from 'vitest';
import type { UploadFile } from '../../shared/claude/multipart.ts';
import { defaultPrices } from '../../shared/claude/prices.ts';
import type { FileMetadata } from '../../shared/claude/schemas.ts';
import { defaultProfile } from '../../shared/config/config.ts';
import type { StepMessage } from '../../shared/journey/messages.ts';
import type { Block } from '../../shared/journey/record.ts';
import { Answers } from '../../shared/ledger/answers.ts';
import { BatchedAnswers } from '../../shared/ledger/batched-answers.ts';
import { Batches } from '../../shared/ledger/batches.ts';
import { Budgets } from '../../shared/ledger/budgets.ts';
import { Circuits } from '../../shared/ledger/circuit.ts';
import { contentIdOf, contentNameOf } from '../../shared/ledger/content-id.ts';
import { Contents } from '../../shared/ledger/contents.ts';
import { type CostEntry, Costs } from '../../shared/ledger/costs.ts';
import type { DocumentIn } from '../../shared/ledger/document-item.ts';
import { Documents } from '../../shared/ledger/documents.ts';
import { type SummarizeTools, summarize } from '../../shared/steps/summarize.ts';
import type { Claude } from '../../shared/steps/tools.ts';
import type { UploadTools } from '../../shared/steps/upload.ts';
import { questionOf } from '../../shared/summary/prompt.ts';
import { changed, impliedBy } from '../ledger/support.ts';
import { MemoryBuckets } from '../world/bucket.ts';
import { memoryLedger } from '../world/memory-dynamodb.ts';

/** Tag of the shop in the names of its remote files. */
export const deployment = 'd0d0d0d0';

export interface Logged {
  level: string;
  message: string;
  fields: Record<string, unknown>;
}

/** A reply in the layout that is asked for, billed 1,000 tokens in and 200 out. */
export const reply = (changes: Partial<Message> = {}): Message =>
  ({
    model: 'claude-haiku-5-5',
    content: [
      {
        type: 'text',
        text: 'Title: Sales\nLanguage: en\nSummary: Sales rose.\nKey points:\n- Sales rose.',
        citations: null,
      },
    ],
    stop_reason: 'end_turn',
    usage: { input_tokens: 1_000, output_tokens: 200 },
    ...changes,
  }) as Message;

/** Remote files and messages in memory; a test can make their calls fail. */
export class FakeClaude {
  files: FileMetadata[] = [];
  /** Calls so far: `upload`, `list`, `message`, and `delete` with the id. */
  readonly calls: string[] = [];
  /** Thrown by the next uploads, after the file was made where `made` says so. */
  uploadFails: { error: unknown; made?: boolean } | undefined;
  deleteFails: unknown;
  /** When files expire that are uploaded. */
  expiresAt: string | undefined;
  /** Awaited in the middle of an upload. */
  during: (signal: AbortSignal | undefined) => Promise<void> = async () => {};
  /** What the last upload was given. */
  given: Omit<UploadFile, 'body'> | undefined;
  /** What the next messages are answered, or the error that is thrown. */
  replies: (Message | Error)[] = [];
  /** Awaited in the middle of a message, with the number of messages so far. */
  duringMessage: (nth: number) => Promise<unknown> = async () => {};
  /** The requests for messages so far. */
  readonly asked: { params: MessageCreateParamsNonStreaming; timeoutMs: number | undefined }[] = [];
  #counter = 0;

  add(
    filename: string,
    sizeBytes: number,
    expiresAt?: string,
    mimeType = 'text/plain',
  ): FileMetadata {
    this.#counter += 1;
    const id = `file_${this.#counter}`;
    const file = { id, filename, sizeBytes, mimeType, expiresAt } as FileMetadata;
    this.files.unshift(file);
    return file;
  }

  get claude(): Claude {
    const port: Pick<Claude, 'uploadFile' | 'deleteFile' | 'iterateFiles' | 'createMessage'> = {
      createMessage: async (params, { timeoutMs } = {}) => {
        this.calls.push('message');
        this.asked.push({ params, timeoutMs });
        const next = this.replies.shift() ?? reply();
        await this.duringMessage(this.asked.length);
        if (next instanceof Error) throw next;
        return next;
      },
      uploadFile: async ({ body, ...given }) => {
        this.calls.push('upload');
        this.given = given;
        for await (const _ of body);
        await this.during(given.signal);
        const fails = this.uploadFails;
        if (fails && !fails.made) throw fails.error;
        const { filename, sizeBytes, mimeType } = given;
        const file = this.add(filename, sizeBytes, this.expiresAt, mimeType);
        if (fails) throw fails.error;
        return file;
      },
      deleteFile: async (id) => {
        this.calls.push(`delete ${id}`);
        if (this.deleteFails) throw this.deleteFails;
        const before = this.files.length;
        this.files = this.files.filter((file) => file.id !== id);
        return this.files.length < before ? 'deleted' : 'gone';
      },
      iterateFiles: async function* (this: FakeClaude) {
        this.calls.push('list');
        yield* this.files;
      }.bind(this),
    };
    return port as Claude;
  }
}

/** The upload, summarize and release steps over a ledger, buckets and remote files in memory. */
export async function workshop({ keepPastMs = 0 } = {}) {
  const server = memoryLedger();
  const table = await server.create();
  const clock = { now: Date.parse('2026-11-22T12:00:00Z') };
  const now = () => clock.now;
  const remote = new FakeClaude();
  const buckets = new MemoryBuckets();
  const sent: StepMessage[] = [];
  const logged: Logged[] = [];
  const level = (name: string) => (message: string, fields: Record<string, unknown>) => {
    logged.push({ level: name, message, fields });
  };
  let owners = 0;
  const pauses: number[] = [];
  const costs = new Costs(table);
  const tools: UploadTools & SummarizeTools = {
    documents: new Documents(table, now, keepPastMs),
    contents: new Contents(table, now),
    circuits: new Circuits(table, now),
    answers: new Answers(table, now),
    costs,
    budgets: new Budgets(table, costs, now, {}),
    batches: new Batches(table, now),
    batched: new BatchedAnswers(table, now),
    batchRules: { everyMs: 60_000, maxLines: 100, maxBytes: 1_000_000 },
    backlog: async () => 0,
    objects: buckets,
    claude: remote.claude,
    stagingBucket: 'staging',
    resultsBucket: 'results',
    keepPastMs,
    prices: defaultPrices,
    callTimeoutMs: 120_000,
    sleep: async (ms) => {
      pauses.push(ms);
      clock.now += ms;
    },
    deployment,
    send: async (message) => {
      sent.push(message);
    },
    announce: async () => {},
    policy: { maxAttempts: 5, brakeAfter: 5, random: () => 0.5 },
    log: { info: level('info'), warn: level('warn'), error: level('error') } as UploadTools['log'],
    heldMs: 600_000,
    now,
    owner: () => {
      owners += 1;
      return `worker-${owners}`;
    },
    keepRemoteFiles: false,
    leaseMs: 60_000,
    expiryMarginMs: 3_600_000,
    profileFor: () => defaultProfile('claude-haiku-5-5'),
  };
  /** All cost entries of the day. */
  const costsOfToday = async () => {
    const entries: CostEntry[] = [];
    for await (const entry of tools.costs.ofDay('2026-11-22')) entries.push(entry);
    return entries;
  };
  return {
    server,
    table,
    tools,
    remote,
    buckets,
    clock,
    sent,
    logged,
    pauses,
    costs: costsOfToday,
  };
}

export type Shop = Awaited<ReturnType<typeof workshop>>;

export const contentSha256 = 'c'.repeat(64);

/**
 * A document that waits to be summarised: its content has a live file and a reference, and it is `uploaded`.
 * Documents get the same content unless `given` says otherwise.
 */
export async function uploaded(
  { tools, remote }: Shop,
  key = 'a.txt',
  given: {
    sequencer?: string;
    contentSha256?: string;
    contentId?: string;
    mimeType?: string;
    block?: Block;
  } = {},
): Promise<DocumentIn<'uploaded'>> {
  const { documents, contents } = tools;
  const { document } = await documents.receive(
    changed(given.sequencer ?? '01', { key }),
    'default',
  );
  const { documentId, order } = document;
  const made = {
    contentSha256: given.contentSha256 ?? contentSha256,
    ...(given.contentId ? { contentId: given.contentId } : {}),
    mimeType: given.mimeType ?? 'text/plain',
    block: given.block ?? ('document' as const),
    source: { bucket: 'inbox', key, sizeBytes: 10, filename: 'a.txt' },
    fidelity: { route: 'text', warnings: [] },
  };
  const id = contentIdOf(made);
  await contents.join(id, documentId, order);
  let content = await contents.get(id);
  if (content?.state !== 'live') {
    const facts = { ...made, sizeBytes: 10, filename: 'a.txt' };
    const { mimeType, sizeBytes, filename } = facts;
    const file = { ...contentNameOf(made), mimeType, sizeBytes, filename };
    await contents.claim(file, content, 'uploader', 1_000);
    await contents.setLive(id, 'uploader', { fileId: remote.add('a.txt', 10).id });
    content = await contents.get(id);
  }
  const fileId = content?.fileId ?? expect.unreachable('it is live');
  const normalized = await documents.move(document, 'normalized', made);
  const moved = await documents.move(normalized ?? document, 'uploaded', {
    fileId,
    usage: impliedBy.uploaded.usage,
  });
  return moved ?? expect.unreachable('it moved');
}

/** The message that has a document summarised. */
export const summarizeMessage = ({ documentId, order, ...of }: DocumentIn<'uploaded'>) =>
  ({ step: 'summarize', documentId, order, ...contentNameOf(of) }) as const;

/** DynamoDB has no capacity for the next writes of one kind of item; `times` may be endless. */
export function throttle({ table }: Shop, kind: 'ANSWER#' | 'COST#', times: number) {
  let left = times;
  let refused = 0;
  const throttled = (key: Record<string, unknown>) => {
    const meant = `${key.sk}`.startsWith(kind) || `${key.pk}`.startsWith(kind);
    if (!meant || left <= 0) return false;
    left -= 1;
    refused += 1;
    return true;
  };
  const error = () =>
    Object.assign(new Error('The level of configured provisioned throughput was exceeded'), {
      name: 'ProvisionedThroughputExceededException',
    });
  const { update, put } = table;
  table.update = async (key, ...rest) => {
    if (throttled({ ...key })) throw error();
    return update.call(table, key, ...rest);
  };
  table.put = async (item, ...rest) => {
    if (throttled(item)) throw error();
    return put.call(table, item, ...rest);
  };
  return {
    refused: () => refused,
    end: () => {
      left = 0;
    },
  };
}

const profile = defaultProfile('claude-haiku-5-5');

/** The question that `uploaded` documents are asked, and what one reply to it costs. */
export const ref = {
  contentId: contentSha256,
  question: questionOf({ block: 'document', key: '' }, profile),
};
export const replyAddress = {
  bucket: 'results',
  key: `answers/${contentSha256}/${ref.question}/worker-1-0.json`,
};
export const paid = {
  inputTokens: 1_000,
  outputTokens: 200,
  cacheReadTokens: 0,
  costUsd: 0.0002,
  calls: 1,
};

/** How long a worker may ask before another takes over, in milliseconds. */
export const askLeaseMs = 300_000;

/** What tests of paid replies do with a shop and look at in it. */
export function asking(shop: () => Shop) {
  return {
    run: (document: DocumentIn<'uploaded'>) => summarize(summarizeMessage(document), shop().tools),
    record: ({ documentId }: { documentId: string }) => shop().tools.documents.get(documentId),
    answer: () => shop().tools.answers.get(ref),
    messages: () => shop().remote.calls.filter((call) => call === 'message').length,
    outcomes: async () => (await shop().costs()).map(({ outcome }) => outcome).toSorted(),
    saved: () => shop().buckets.getText(replyAddress),
  };
}
