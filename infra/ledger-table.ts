import { RemovalPolicy } from 'aws-cdk-lib';
import * as dynamodb from 'aws-cdk-lib/aws-dynamodb';
import type { Construct } from 'constructs';
import { indexes } from '../shared/ledger/keys.ts';

const text = (name: string): dynamodb.Attribute => ({
  name,
  type: dynamodb.AttributeType.STRING,
});

/** The ledger's table, with a stream for apps that follow the documents. */
export function ledgerTable(scope: Construct, id: string): dynamodb.Table {
  const table = new dynamodb.Table(scope, id, {
    partitionKey: text('pk'),
    sortKey: text('sk'),
    billingMode: dynamodb.BillingMode.PAY_PER_REQUEST,
    stream: dynamodb.StreamViewType.NEW_AND_OLD_IMAGES,
    pointInTimeRecoverySpecification: { pointInTimeRecoveryEnabled: true },
    deletionProtection: true,
    removalPolicy: RemovalPolicy.RETAIN,
  });
  for (const index of Object.values(indexes)) {
    table.addGlobalSecondaryIndex({
      indexName: index.name,
      partitionKey: text(index.hash),
      sortKey: text(index.range),
      projectionType: dynamodb.ProjectionType.KEYS_ONLY,
    });
  }
  return table;
}
