import { z } from 'zod';

/** The CloudFormation properties that the local host reads, references resolved. Others are ignored. */

const number = z.coerce.number();

const resource = z.object({
  Type: z.string(),
  Properties: z.record(z.string(), z.unknown()).default({}),
});
export type Resource = z.infer<typeof resource>;

export const template = z.object({
  Resources: z.record(z.string(), resource),
  Parameters: z.record(z.string(), z.object({ Default: z.unknown() })).default({}),
  Outputs: z.record(z.string(), z.object({ Value: z.unknown() })).default({}),
});

const notification = z.object({
  Event: z.string(),
  Queue: z.string(),
  Filter: z
    .object({
      S3Key: z.object({ Rules: z.array(z.object({ Name: z.string(), Value: z.string() })) }),
    })
    .optional(),
});

const nothing = z.array(z.unknown()).length(0).optional();

export const bucket = z.object({
  VersioningConfiguration: z.object({ Status: z.string() }).optional(),
  NotificationConfiguration: z
    .object({
      QueueConfigurations: z.array(notification).optional(),
      LambdaConfigurations: nothing,
      TopicConfigurations: nothing,
      EventBridgeConfiguration: z.undefined().optional(),
    })
    .optional(),
});

export const queue = z.object({
  FifoQueue: z.literal(false).optional(),
  VisibilityTimeout: number.default(30),
  DelaySeconds: number.default(0),
  ReceiveMessageWaitTimeSeconds: number.default(0),
  MaximumMessageSize: number.default(1_048_576),
  RedrivePolicy: z.object({ deadLetterTargetArn: z.string(), maxReceiveCount: number }).optional(),
});

const keySchema = z.array(z.object({ AttributeName: z.string(), KeyType: z.string() }));

export const table = z.object({
  AttributeDefinitions: z.array(z.object({ AttributeName: z.string(), AttributeType: z.string() })),
  KeySchema: keySchema,
  GlobalSecondaryIndexes: z
    .array(
      z
        .object({
          IndexName: z.string(),
          KeySchema: keySchema,
          Projection: z.object({
            ProjectionType: z.string(),
            NonKeyAttributes: z.array(z.string()).optional(),
          }),
        })
        .strip(),
    )
    .optional(),
  LocalSecondaryIndexes: nothing,
});

export const lambda = z.object({
  Code: z.object({ S3Key: z.string().optional() }),
  Handler: z.string().optional(),
  Runtime: z.string().optional(),
  Timeout: number.default(3),
  MemorySize: number.default(128),
  Environment: z.object({ Variables: z.record(z.string(), z.coerce.string()) }).optional(),
});

export const eventSource = z.object({
  EventSourceArn: z.string(),
  FunctionName: z.string(),
  BatchSize: number.default(10),
  MaximumBatchingWindowInSeconds: number.default(0),
  FunctionResponseTypes: z.array(z.string()).default([]),
  ScalingConfig: z.object({ MaximumConcurrency: number }).optional(),
  FilterCriteria: z.undefined().optional(),
});

export const rule = z.object({
  ScheduleExpression: z.string(),
  State: z.string().optional(),
  Targets: z.array(z.object({ Arn: z.string(), Input: z.string().optional() })),
});

export const secret = z.object({ SecretString: z.string().optional() });
