import { dropAndDrain, withStack } from './helpers/documents.ts';

/**
 * AWS requests and DynamoDB capacity per document, counted by the local host on a warm stack, and their list
 * price: `npm run bench -- cost [COUNT...]`. Goals at 1,000 documents: at most 15 requests and 20 write units per
 * document, and at most 0.05 USD per thousand documents. The drops themselves are not counted: every
 * system has them.
 *
 * Capacity is what DynamoDB would charge for each request, index entries and refused writes included
 * (infra/local/dynamodb/capacity.ts).
 *
 * List prices of us-east-1 in USD, as of 2026-11: S3 PUT 5 per million, GET 0.40; SQS 0.40; DynamoDB
 * on demand 0.625 per million write units (1 KB) and 0.125 per million read units (4 KB, strongly
 * consistent); Lambda 0.20 per million invocations. Lambda's compute is not included, because it depends
 * on the documents.
 */
const perMillion = { put: 5, get: 0.4, sqs: 0.4, write: 0.625, read: 0.125, invoke: 0.2 };
const counts = process.argv.slice(2).map(Number);

for (const count of counts.length > 0 ? counts : [100, 1_000]) {
  await withStack({ countsCapacity: true }, async (bench) => {
    await dropAndDrain(bench, 'first', 30);
    await bench.stack.resetCounters();
    await dropAndDrain(bench, 'counted', count);
    report(count, await bench.stack.counters(), await bench.stack.capacity());
  });
}

function report(
  count: number,
  requests: Record<string, number>,
  capacity: Record<string, number>,
): void {
  const each = perDocument(requests, count);
  // The drops.
  each['s3 PutObject'] = (each['s3 PutObject'] ?? 0) - 1;
  const units = perDocument(capacity, count);
  const writes = sum(units, /^(write|index|refused) /);
  const reads = sum(units, /^read /);
  // One for each message, as if nothing ever came in a batch.
  const invocations = 3;
  const usd =
    sum(each, /^s3 (Put|Upload|List|Copy|Create|Complete)/) * perMillion.put +
    sum(each, /^s3 (Get|Head)/) * perMillion.get +
    sum(each, /^sqs /) * perMillion.sqs +
    writes * perMillion.write +
    reads * perMillion.read +
    invocations * perMillion.invoke;

  console.log(`${count} documents: ${sum(each, /./).toFixed(1)} AWS requests per document`);
  print(each);
  console.log(`${writes.toFixed(1)} DynamoDB write units and ${reads.toFixed(1)} read units`);
  print(units);
  console.log(`${(usd / 1_000).toFixed(4)} USD per thousand documents at list price`);
}

function perDocument(totals: Record<string, number>, count: number): Record<string, number> {
  return Object.fromEntries(Object.entries(totals).map(([name, total]) => [name, total / count]));
}

function sum(numbers: Record<string, number>, pattern: RegExp): number {
  return Object.entries(numbers)
    .filter(([name]) => pattern.test(name))
    .reduce((total, [, number]) => total + number, 0);
}

function print(numbers: Record<string, number>): void {
  for (const [name, number] of Object.entries(numbers).sort(([, a], [, b]) => b - a)) {
    console.log(`  ${number.toFixed(2).padStart(6)}  ${name}`);
  }
}
