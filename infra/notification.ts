import { Stack, Token } from 'aws-cdk-lib';
import * as iam from 'aws-cdk-lib/aws-iam';
import type * as s3 from 'aws-cdk-lib/aws-s3';
import type * as sqs from 'aws-cdk-lib/aws-sqs';

/** Changes of a bucket that are sent to the queue. */
const changes = ['s3:ObjectCreated:*', 's3:ObjectRemoved:*', 's3:LifecycleExpiration:*'];

/**
 * Makes S3 send every change of the bucket to the queue. The notification is set on the bucket resource
 * itself, because CDK's usual way would add a custom resource with one more Lambda. The queue admits S3 by
 * account and by a pattern of the bucket's name: with the name itself, the bucket and the policy would each wait for
 * the other. Normalize checks the name.
 */
export function notifyOfChanges(bucket: s3.Bucket, queue: sqs.Queue): void {
  const { policyDependable } = queue.addToResourcePolicy(
    new iam.PolicyStatement({
      principals: [new iam.ServicePrincipal('s3.amazonaws.com')],
      actions: ['sqs:SendMessage'],
      resources: [queue.queueArn],
      conditions: {
        StringEquals: { 'aws:SourceAccount': Stack.of(queue).account },
        ArnLike: { 'aws:SourceArn': namePattern(bucket) },
      },
    }),
  );
  const resource = bucket.node.defaultChild as s3.CfnBucket;
  resource.notificationConfiguration = {
    queueConfigurations: changes.map((event) => ({ event, queue: queue.queueArn })),
  };
  if (policyDependable) bucket.node.addDependency(policyDependable);
}

/** CloudFormation may cut the two names that it makes a bucket's name of; it keeps at least so much of each. */
const keptCharacters = 20;

/** The ARN of a bucket whose name CloudFormation makes: `<stack>-<logical id>-<random>`, in lower case. */
function namePattern(bucket: s3.Bucket): string {
  const stack = Stack.of(bucket);
  const id: string = stack.resolve((bucket.node.defaultChild as s3.CfnBucket).logicalId);
  // The name of a nested stack is known only once it is deployed.
  const known = [Token.isUnresolved(stack.stackName) ? '' : stack.stackName, id];
  const pattern = known.map((name) => `${name.slice(0, keptCharacters).toLowerCase()}*`).join('');
  return `arn:${stack.partition}:s3:::${pattern}`;
}
