/** Findings of cdk-nag that are accepted, each with the reason. The test fails on one more or one less. */
export const accepted: Record<string, string> = {
  'AwsSolutions-S1':
    'Access logs are for the account to decide: they need a bucket and a retention period of their own.',
  'AwsSolutions-SMG4': 'The Claude API has no call to rotate a key; people do it.',
  'AwsSolutions-IAM5[Resource::<DroplineInbox1ECA3DCD.Arn>/*]':
    "The bucket's objects; their keys are not known in advance.",
  'AwsSolutions-IAM5[Resource::<DroplineStagingFD5F02E3.Arn>/parts/*]': 'As for the inbox.',
  'AwsSolutions-IAM5[Resource::<DroplineStagingFD5F02E3.Arn>/staged/*]': 'As for the inbox.',
  'AwsSolutions-IAM5[Resource::<DroplineResults6A0F57E0.Arn>/answers/*]': 'As for the inbox.',
  'AwsSolutions-IAM5[Resource::<DroplineResults6A0F57E0.Arn>/reconcile/*]': 'As for the inbox.',
  'AwsSolutions-IAM5[Resource::<DroplineResults6A0F57E0.Arn>/sweep/*]': 'As for the inbox.',
  'Serverless-SQSRedrivePolicy': 'Only the dead-letter queues have none.',
  'Serverless-LambdaDLQ':
    'The functions read from queues that have one; the next run of the reconciler makes up for a failed one.',
  'Serverless-LambdaEventSourceMappingDestination':
    'SQS sources have none: a failed message stays in the queue, then goes to its dead-letter queue.',
  'Serverless-EventBusDLQ': 'The next run of the reconciler makes up for a missed one.',
  'Serverless-LambdaTracing':
    'Traces would cost money for each document; logs carry the documentId through every step.',
};
