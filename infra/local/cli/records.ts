import type { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import {
  BatchGetCommand,
  DynamoDBDocumentClient,
  paginateQuery,
  paginateScan,
} from '@aws-sdk/lib-dynamodb';
import type { ListedState } from '../../../shared/client/reader.ts';
import {
  type DocumentRecord,
  terminalStatuses,
  toDocumentRecord,
} from '../../../shared/journey/record.ts';
import { indexes, shardCount } from '../../../shared/ledger/keys.ts';

const batchSize = 100;

/** The state of a document, without the rest of its record. */
export interface Standing {
  documentId: string;
  status: string;
  sequencer: string;
  /** Whether it has parts: a mail's attachments, an archive's entries. */
  hasParts: boolean;
  /** The code of what it is waiting for, while the Claude API is down. */
  waitsFor: string | undefined;
}

/** Reads document records from the ledger, as any app would. */
export class Records {
  readonly #client: DynamoDBDocumentClient;
  readonly #table: string;

  constructor(client: DynamoDBClient, table: string) {
    this.#client = DynamoDBDocumentClient.from(client);
    this.#table = table;
  }

  /** The state of these documents, by id; those without a record are left out. */
  async standings(ids: string[]): Promise<Map<string, Standing>> {
    const items = await this.#get(
      ids,
      'documentId, #status, sequencer, hasParts, outages, #error.code',
      { '#status': 'status', '#error': 'error' },
    );
    return new Map(
      items.map((item) => [
        String(item.documentId),
        {
          documentId: String(item.documentId),
          status: String(item.status),
          sequencer: String(item.sequencer),
          hasParts: item.hasParts === true,
          waitsFor: item.outages ? (item.error as { code?: string } | undefined)?.code : undefined,
        },
      ]),
    );
  }

  /** The whole records, in the order of the ids; missing ones are left out. */
  async read(ids: string[]): Promise<DocumentRecord[]> {
    const items = await this.#get(ids);
    const found = new Map(items.map((item) => [String(item.documentId), toDocumentRecord(item)]));
    return ids.flatMap((id) => found.get(id) ?? []);
  }

  /**
   * Ids of the documents that the index by state lists.
   * @param perShard maximum taken from each of its shards, oldest first
   */
  async inState(state: ListedState, perShard = Number.POSITIVE_INFINITY): Promise<string[]> {
    const ids: string[] = [];
    for (let shard = 0; shard < shardCount; shard += 1) {
      const found: string[] = [];
      const pages = paginateQuery(
        { client: this.#client },
        {
          TableName: this.#table,
          IndexName: indexes.byState.name,
          KeyConditionExpression: '#hash = :state',
          ExpressionAttributeNames: { '#hash': indexes.byState.hash },
          ExpressionAttributeValues: { ':state': `${state}#${shard}` },
          ...(Number.isFinite(perShard) ? { Limit: perShard } : {}),
        },
      );
      for await (const { Items = [] } of pages) {
        found.push(...Items.map(({ pk }) => String(pk).replace(/^DOC#/, '')));
        if (found.length >= perShard) break;
      }
      ids.push(...found);
    }
    return ids;
  }

  /** Every record of the table, in no particular order. */
  async *all(): AsyncGenerator<DocumentRecord> {
    const pages = paginateScan(
      { client: this.#client },
      {
        TableName: this.#table,
        ConsistentRead: true,
        FilterExpression: 'sk = :document',
        ExpressionAttributeValues: { ':document': 'DOC' },
      },
    );
    for await (const { Items = [] } of pages) yield* Items.map(toDocumentRecord);
  }

  /** The parts of these mails and archives, and the parts of those in turn. */
  async parts(parents: string[]): Promise<DocumentRecord[]> {
    const byParent = new Map<string, DocumentRecord[]>();
    const pages = paginateScan(
      { client: this.#client },
      {
        TableName: this.#table,
        ConsistentRead: true,
        FilterExpression: 'sk = :document AND attribute_exists(#parent)',
        ExpressionAttributeNames: { '#parent': 'parent' },
        ExpressionAttributeValues: { ':document': 'DOC' },
      },
    );
    for await (const { Items = [] } of pages) {
      for (const record of Items.map(toDocumentRecord)) {
        const parent = record.parent ?? '';
        byParent.set(parent, [...(byParent.get(parent) ?? []), record]);
      }
    }
    const found: DocumentRecord[] = [];
    const seen = new Set(parents);
    for (const queue = [...parents]; queue.length > 0; ) {
      for (const part of byParent.get(queue.shift() ?? '') ?? []) {
        if (seen.has(part.documentId)) continue;
        seen.add(part.documentId);
        found.push(part);
        queue.push(part.documentId);
      }
    }
    return found;
  }

  async #get(ids: string[], projection?: string, names?: Record<string, string>) {
    const items: Record<string, unknown>[] = [];
    let keys = ids.map((id) => ({ pk: `DOC#${id}`, sk: 'DOC' }));
    while (keys.length > 0) {
      const { Responses, UnprocessedKeys } = await this.#client.send(
        new BatchGetCommand({
          RequestItems: {
            [this.#table]: {
              Keys: keys.slice(0, batchSize),
              ConsistentRead: true,
              ...(projection ? { ProjectionExpression: projection } : {}),
              ...(names ? { ExpressionAttributeNames: names } : {}),
            },
          },
        }),
      );
      items.push(...(Responses?.[this.#table] ?? []));
      const left = UnprocessedKeys?.[this.#table]?.Keys ?? [];
      keys = [...(left as { pk: string; sk: string }[]), ...keys.slice(batchSize)];
    }
    return items;
  }
}

export function isTerminal(status: string): boolean {
  return (terminalStatuses as readonly string[]).includes(status);
}
