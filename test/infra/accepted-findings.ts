/** Findings of cdk-nag that stand, each with the reason why. The test fails on one more or less. */
export const accepted: Record<string, string> = {
  'AwsSolutions-S1':
    'Access logs are a decision of the account: they need a bucket and a retention of its own.',
  'AwsSolutions-SMG4': 'The Claude API has no call that would rotate a key; people do it.',
  'AwsSolutions-IAM5[Resource::<DroplineLedger4A3E2737.Arn>/index/*]':
    'All indexes of the one table that the function works with.',
  'AwsSolutions-IAM5[Resource::<DroplineInbox1ECA3DCD.Arn>/*]':
    'The objects of the bucket: which ones there will be, nobody knows beforehand.',
  'AwsSolutions-IAM5[Resource::<DroplineStagingFD5F02E3.Arn>/*]': 'As for the inbox.',
  'AwsSolutions-IAM5[Resource::<DroplineResults6A0F57E0.Arn>/*]': 'As for the inbox.',
  'Serverless-SQSRedrivePolicy': 'The queues without one are the dead-letter queues.',
  'Serverless-LambdaDLQ':
    'The functions work on queues that have one; the reconciler makes up in its next run.',
  'Serverless-LambdaEventSourceMappingDestination':
    'SQS sources have none: what fails stays in the queue and goes to its dead-letter queue.',
  'Serverless-EventBusDLQ': 'A run of the reconciler that is missed is made up for by the next.',
  'Serverless-LambdaTracing':
    'Traces cost by the document; logs carry the documentId through every step.',
};
