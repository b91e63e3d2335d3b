import { Stack } from 'aws-cdk-lib';
import * as iam from 'aws-cdk-lib/aws-iam';
import type * as s3 from 'aws-cdk-lib/aws-s3';
import type * as sqs from 'aws-cdk-lib/aws-sqs';

/** Changes of a bucket that are sent to the queue. */
const changes = ['s3:ObjectCreated:*', 's3:ObjectRemoved:*', 's3:LifecycleExpiration:*'];

/**
 * Makes S3 send every change of the bucket to the queue. The notification is set on the bucket resource
 * itself, because CDK's usual way would add a custom resource with one more Lambda. The queue admits S3 by
 * account, not by bucket name; otherwise the bucket and the policy would each wait for the other.
 */
export function notifyOfChanges(bucket: s3.Bucket, queue: sqs.Queue): void {
  const { policyDependable } = queue.addToResourcePolicy(
    new iam.PolicyStatement({
      principals: [new iam.ServicePrincipal('s3.amazonaws.com')],
      actions: ['sqs:SendMessage'],
      resources: [queue.queueArn],
      conditions: { StringEquals: { 'aws:SourceAccount': Stack.of(queue).account } },
    }),
  );
  const resource = bucket.node.defaultChild as s3.CfnBucket;
  resource.notificationConfiguration = {
    queueConfigurations: changes.map((event) => ({ event, queue: queue.queueArn })),
  };
  if (policyDependable) bucket.node.addDependency(policyDependable);
}
