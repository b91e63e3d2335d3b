import { DynamoDBClient, ScanCommand } from '@aws-sdk/client-dynamodb';
import { type DocumentRun, runDocuments } from './helpers/documents.ts';

/**
 * AWS requests per document, counted by the local host, and their list price:
 * `npm run bench -- cost [COUNT...]`. Goal: the same at 100 and at 1,000 documents, and at most 0.05 USD per
 * thousand documents. The uploads to the inbox are not counted: every system has them.
 *
 * List prices of us-east-1 in USD, as of 2026-11: S3 PUT 5 per million, GET 0.40; SQS 0.40; DynamoDB
 * on demand 0.625 per million write units (1 KB) and 0.125 per million read units (4 KB, strongly
 * consistent); Lambda 0.20 per million invocations. Lambda's compute is not included: it depends on the
 * documents.
 *
 * Each write of an item counts as its final size, rounded up to whole KB. That is an upper bound, because items
 * grow over time. Each of the five index changes in a document's life adds one unit.
 */
const perMillion = { put: 5, get: 0.4, sqs: 0.4, write: 0.625, read: 0.125, invoke: 0.2 };
const indexChanges = 5;
const counts = process.argv.slice(2).map(Number);

for (const count of counts.length > 0 ? counts : [100, 1_000]) {
  await runDocuments(count, (run) => report(count, run));
}

async function report(count: number, run: DocumentRun): Promise<void> {
  const each = Object.fromEntries(
    Object.entries(run.requests)
      .map(([name, total]) => [name, total / count] as const)
      .sort(([, a], [, b]) => b - a),
  );
  const sum = (pattern: RegExp) =>
    Object.entries(each)
      .filter(([name]) => pattern.test(name))
      .reduce((total, [, number]) => total + number, 0);

  const size = await averageUnits(run);
  const writes = sum(/dynamodb.*(Put|Update|Delete)Item/i);
  const reads = sum(/dynamodb.*(Get|Query|Scan)/i);
  const price = {
    'S3 writes': sum(/s3.*(Put|Upload|List)/i) - 1,
    'S3 reads': sum(/s3.*(Get|Head)/i),
    SQS: sum(/sqs/i),
    'DynamoDB write units': writes * size + indexChanges,
    'DynamoDB read units': reads,
    // One per message, as if messages never came in batches.
    'Lambda invocations': 3,
  };
  const usd =
    price['S3 writes'] * perMillion.put +
    price['S3 reads'] * perMillion.get +
    price.SQS * perMillion.sqs +
    price['DynamoDB write units'] * perMillion.write +
    price['DynamoDB read units'] * perMillion.read +
    price['Lambda invocations'] * perMillion.invoke;

  console.log(`${count} documents: ${sum(/./).toFixed(1)} AWS requests per document:`);
  for (const [name, number] of Object.entries(each)) console.log(`  ${number.toFixed(2)}  ${name}`);
  for (const [name, number] of Object.entries(price)) {
    console.log(`  ${number.toFixed(1)} ${name}`);
  }
  console.log(`  ${(usd / 1_000).toFixed(4)} USD per thousand documents at list price`);
}

/** Write units of the average item, weighted by how often each item is written. */
async function averageUnits({ stack }: DocumentRun): Promise<number> {
  const client = new DynamoDBClient(stack.client('dynamodb'));
  const { Items } = await client.send(
    new ScanCommand({ TableName: stack.outputs.LedgerTable, Limit: 300 }),
  );
  client.destroy();
  const units = (Items ?? []).map((item) => {
    const writes = item.sk?.S === 'DOC' ? Number(item.revision?.N ?? 1) : 1;
    return { writes, units: Math.ceil(JSON.stringify(item).length / 1024) };
  });
  const writes = units.reduce((sum, one) => sum + one.writes, 0);
  return units.reduce((sum, one) => sum + one.writes * one.units, 0) / writes;
}
