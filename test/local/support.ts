import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { S3Client } from '@aws-sdk/client-s3';
import { type Message, ReceiveMessageCommand, SQSClient } from '@aws-sdk/client-sqs';
import type { LocalStack } from '../../infra/local/stack.ts';
import type { Assembly } from '../../infra/local/template/resources.ts';

/** A function of a test: its properties in the template, and its source. */
export interface TestFunction {
  source: string;
  timeout?: number;
  memory?: number;
  variables?: Record<string, unknown>;
}

/** A new directory, and how to delete it. */
export function temporaryDir(): { path: string; remove: () => void } {
  const path = mkdtempSync(join(tmpdir(), 'dropline-local-'));
  return { path, remove: () => rmSync(path, { recursive: true, force: true, maxRetries: 5 }) };
}

/** A cloud assembly as CDK would make it from these resources and functions. */
export function assemblyOf(
  dir: string,
  resources: Record<string, { Type: string; Properties?: Record<string, unknown> }>,
  functions: Record<string, TestFunction> = {},
): Assembly {
  const assets = new Map<string, string>();
  const all: Record<string, unknown> = { ...resources };
  for (const [id, { source, timeout, memory, variables = {} }] of Object.entries(functions)) {
    const root = join(dir, `asset.${id}`);
    mkdirSync(root, { recursive: true });
    writeFileSync(join(root, 'index.mjs'), source);
    assets.set(id, root);
    all[id] = {
      Type: 'AWS::Lambda::Function',
      Properties: {
        Runtime: 'nodejs24.x',
        Handler: 'index.handler',
        Code: { S3Bucket: { 'Fn::Sub': 'assets' }, S3Key: `${id}.zip` },
        Timeout: timeout ?? 30,
        MemorySize: memory ?? 256,
        Environment: { Variables: variables },
      },
    };
  }
  return { template: { Resources: all }, assets };
}

/** A queue that invokes a function, with its dead-letter queue; `name` is a prefix of all logical ids. */
export function workQueue(functionId: string, queue: Record<string, unknown> = {}, name = '') {
  return {
    [`${name}Dead`]: { Type: 'AWS::SQS::Queue' },
    [`${name}Work`]: {
      Type: 'AWS::SQS::Queue',
      Properties: {
        VisibilityTimeout: 1,
        RedrivePolicy: {
          deadLetterTargetArn: { 'Fn::GetAtt': [`${name}Dead`, 'Arn'] },
          maxReceiveCount: 2,
        },
        ...queue,
      },
    },
    [`${name}Mapping`]: {
      Type: 'AWS::Lambda::EventSourceMapping',
      Properties: {
        EventSourceArn: { 'Fn::GetAtt': [`${name}Work`, 'Arn'] },
        FunctionName: { Ref: functionId },
        BatchSize: 10,
        FunctionResponseTypes: ['ReportBatchItemFailures'],
      },
    },
  };
}

/** Clients of a stack's services. */
export function clientsOf(stack: LocalStack) {
  return {
    s3: new S3Client({ ...stack.client('s3'), maxAttempts: 1 }),
    sqs: new SQSClient({ ...stack.client('sqs'), maxAttempts: 1 }),
    dynamodb: new DynamoDBClient({ ...stack.client('dynamodb'), maxAttempts: 1 }),
  };
}

/** URL of a queue by its logical id. */
export function queueUrl(stack: LocalStack, id: string): string {
  const name = stack.resources.queues.find((queue) => queue.id === id)?.name;
  return `${stack.endpoints.sqs}/000000000000/${name}`;
}

/** Receives until `count` messages have arrived, by long polling. */
export async function receive(sqs: SQSClient, QueueUrl: string, count: number): Promise<Message[]> {
  const messages: Message[] = [];
  while (messages.length < count) {
    const { Messages = [] } = await sqs.send(
      new ReceiveMessageCommand({
        QueueUrl,
        MaxNumberOfMessages: 10,
        WaitTimeSeconds: 20,
        MessageSystemAttributeNames: ['All'],
        MessageAttributeNames: ['All'],
      }),
    );
    if (Messages.length === 0) throw new Error(`${messages.length} of ${count} messages arrived`);
    messages.push(...Messages);
  }
  return messages;
}

/** Source of a function `send(value)` for test functions: sends JSON to the queue `RESULTS`. */
export const sendSource = `
const send = async (value) => {
  const response = await fetch(process.env.AWS_ENDPOINT_URL_SQS, {
    method: 'POST',
    headers: {
      'content-type': 'application/x-amz-json-1.0',
      'x-amz-target': 'AmazonSQS.SendMessage',
    },
    body: JSON.stringify({ QueueUrl: process.env.RESULTS, MessageBody: JSON.stringify(value) }),
  });
  if (!response.ok) throw new Error(await response.text());
};
`;

/** A plain queue. */
export const plainQueue = { Type: 'AWS::SQS::Queue' };

/** The parsed bodies of messages. */
export const values = (messages: Message[]) =>
  messages.map(({ Body = 'null' }) => JSON.parse(Body));
