import { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { DynamoDBDocumentClient, paginateScan } from '@aws-sdk/lib-dynamodb';
import type { Emulator } from '../../infra/local/claude/index.ts';
import type { LocalStack } from '../../infra/local/stack.ts';
import { readMark } from '../../shared/claude/filename.ts';
import { documentIdOf, terminalStatuses } from '../../shared/client/index.ts';
import { booksOf } from '../world/books.ts';
import { markOf, type Plan } from './plan.ts';

/** The result of a run. */
export interface Outcome {
  /** Documents by status. */
  statuses: Record<string, number>;
  remoteFiles: number;
  uploads: number;
  paidCalls: number;
  /** Calls made again because the previous reply was lost or its worker killed. */
  paidAgain: number;
  /** Calls counted by the records: those that may have been paid. */
  countedCalls: number;
  refusals: number;
  /** Violations of the invariants; empty when all hold. */
  violations: string[];
}

type Item = Record<string, unknown>;

/**
 * Checks the four invariants of docs/architecture.md, once everything is quiet.
 * @param kills for every kill of summarize: `seq` of the API's newest call at that time
 */
export async function check(
  plan: Plan,
  stack: LocalStack,
  emulator: Emulator,
  kills: number[],
): Promise<Outcome> {
  const items = await allItems(stack);
  const documents = items.filter(({ sk }) => sk === 'DOC');
  const violations: string[] = [];
  const statuses: Record<string, number> = {};
  const live = new Map<string, string>();

  const byId = new Map(documents.map((document) => [document.documentId, document]));
  for (const [key, content] of Object.entries(plan.end)) {
    const document = byId.get(documentIdOf(stack.outputs.InboxBucket ?? '', key));
    const status = String(document?.status ?? 'unknown');
    statuses[status] = (statuses[status] ?? 0) + 1;
    const fault = faultOf(document, content);
    if (fault) violations.push(`${key}: ${fault}`);
    const { contentSha256, fileId } = document ?? {};
    if (!contentSha256 || !fileId) continue;
    const other = live.get(String(contentSha256));
    if (other && other !== fileId)
      violations.push(`${key}: has ${fileId}, other documents with the same content have ${other}`);
    live.set(String(contentSha256), String(fileId));
  }

  const files = emulator.files().filter(({ filename }) => readMark(filename));
  const known = new Set(live.values());
  for (const { id } of files)
    if (!known.has(id)) violations.push(`${id}: no document refers to it`);
  const there = new Set(files.map(({ id }) => id));
  for (const id of known)
    if (!there.has(id)) violations.push(`${id}: a document refers to it, but it does not exist`);

  for (const { name, visible, inFlight, delayed } of stack.tallies()) {
    const left = visible + inFlight + delayed;
    if (left > 0) violations.push(`${name}: ${left} messages left`);
  }
  for (const [queue, left] of Object.entries(stack.deadLetters())) {
    if (left > 0) violations.push(`${queue}: ${left} dead letters left`);
  }

  const paid = payment(items, emulator, kills);
  violations.push(...paid.violations, ...budgetFaults(items));
  return {
    statuses,
    remoteFiles: files.length,
    uploads: emulator.journal({ operation: 'files.upload', status: 200 }).length,
    paidCalls: paid.calls,
    paidAgain: paid.again,
    countedCalls: paid.counted,
    refusals: emulator.journal({ status: 429 }).length,
    violations,
  };
}

/**
 * Checks that each answer was paid for once, except for replies that could not be recorded, and that the books
 * count every paid call. A removed content that comes back is a new file and may be asked about again.
 */
function payment(
  items: Item[],
  emulator: Emulator,
  kills: number[],
): { calls: number; again: number; counted: number; violations: string[] } {
  const answered = emulator.journal({ operation: 'messages.create', status: 200 });
  // Each profile of the run asks a model of its own: a file and a model are a question.
  const byQuestion = Map.groupBy(
    answered,
    ({ fileIds, model }) => `${fileIds?.join() ?? 'no file'}, ${model}`,
  );
  const violations: string[] = [];
  let again = 0;
  for (const [file, calls] of byQuestion) {
    // A reply is lost if the worker was killed between it and the next call. One that is cut off, or does not follow the
    // schema, is asked for again.
    const lost = calls.filter(({ seq, fault, stopReason }, index) => {
      if (stopReason === 'max_tokens' || fault === 'invalid_output') return true;
      const next = calls[index + 1]?.seq ?? Infinity;
      return fault === 'lost_reply' || kills.some((kill) => seq <= kill && kill < next);
    }).length;
    again += calls.length - 1;
    if (calls.length - 1 > lost)
      violations.push(
        `${file}: paid ${calls.length} times, but only ${lost} replies were lost or cut off`,
      );
  }

  const books = booksOf(items);
  if (answered.length === 0) violations.push('no paid call: the check of payments saw nothing');
  if (books.calls < answered.length)
    violations.push(`${answered.length} paid calls, but only ${books.calls} recorded`);
  return { calls: answered.length, again, counted: books.calls, violations };
}

/** No counter of the budget is below what the books say. A run over midnight has more than one for days. */
function budgetFaults(items: Item[]): string[] {
  const counters = items.filter(({ sk }) => sk === 'BUDGET');
  const entries = items.filter(({ pk }) => String(pk).startsWith('COST#'));
  if (counters.length < 2) return ['no budget was counted'];
  return counters.flatMap(({ period, usedNano }) => {
    const paid = entries.filter(({ reservedOn }) => String(reservedOn).startsWith(String(period)));
    const nano = paid.reduce((sum, { costUsd }) => sum + Number(costUsd ?? 0) * 1e9, 0);
    if (Number(usedNano) >= Math.floor(nano)) return [];
    return [`the budget of ${period} counts ${usedNano}, but ${nano} was paid`];
  });
}

/** What is wrong with a document that should hold this content, if anything. */
function faultOf(document: Item | undefined, content: number | null): string | undefined {
  if (!document) return 'no record';
  const status = String(document.status);
  if (!(terminalStatuses as readonly string[]).includes(status)) return `still ${status}`;
  if (content === null)
    return status === 'removed' ? undefined : `removed from the bucket, but ${status}`;
  // API errors may use up a document's attempts; then the record has a reason.
  if (status === 'failed') return document.error ? undefined : 'failed without a reason';
  if (status !== 'ready') return `in the bucket, but ${status}`;
  const { summary, fields } = document as { summary?: { text?: string }; fields?: object };
  const text = summary?.text ?? JSON.stringify(fields ?? {});
  return text.includes(markOf(content)) ? undefined : `summary of other content: ${text}`;
}

async function allItems(stack: LocalStack): Promise<Item[]> {
  const client = new DynamoDBClient(stack.client('dynamodb'));
  const pages = paginateScan(
    { client: DynamoDBDocumentClient.from(client) },
    { TableName: stack.outputs.LedgerTable ?? '' },
  );
  const items: Item[] = [];
  for await (const { Items = [] } of pages) items.push(...Items);
  client.destroy();
  return items;
}
