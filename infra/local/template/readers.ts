import { z } from 'zod';
import { type ResourceAttributes, UnsupportedTemplate } from './intrinsics.ts';
import { ratePeriodMs } from './rate.ts';
import type { FunctionResource, LocalResources } from './resources.ts';
import * as shapes from './shapes.ts';

/** A resource of the template, its references resolved. */
export interface ResolvedResource {
  id: string;
  type: string;
  /** Physical name. */
  name: string;
  attributes: ResourceAttributes;
  properties: unknown;
}

/** What a resource may point to. */
export interface Surroundings {
  /** Directory of an asset by its hash. */
  assets: Map<string, string>;
  /** The logical id of a function by its name or ARN. @throws {UnsupportedTemplate} */
  functionOf: (handle: string) => string;
}

/** Adds a resource to those of this machine. @throws {UnsupportedTemplate} */
type Reader = (resource: ResolvedResource, out: LocalResources, around: Surroundings) => void;

/** How each type of resource is read. */
export const readers: Record<string, Reader> = {
  'AWS::S3::Bucket': readBucket,
  'AWS::SQS::Queue': readQueue,
  'AWS::DynamoDB::Table': readTable,
  'AWS::Lambda::Function': readFunction,
  'AWS::Lambda::EventSourceMapping': readEventSource,
  'AWS::Events::Rule': readRule,
  'AWS::SecretsManager::Secret': readSecret,
};

function readBucket(resource: ResolvedResource, out: LocalResources): void {
  const { id, name } = resource;
  const { VersioningConfiguration, NotificationConfiguration } = parsed(resource, shapes.bucket);
  const rules = NotificationConfiguration?.QueueConfigurations ?? [];
  out.buckets.push({
    id,
    name,
    versioned: VersioningConfiguration?.Status === 'Enabled',
    notifications: rules.map((rule, index) => {
      const filter = (wanted: string) =>
        rule.Filter?.S3Key.Rules.find((item) => item.Name.toLowerCase() === wanted)?.Value ?? '';
      return {
        id: `${id}-${index}`,
        queueArn: rule.Queue,
        event: rule.Event,
        prefix: filter('prefix'),
        suffix: filter('suffix'),
      };
    }),
  });
}

function readQueue(resource: ResolvedResource, out: LocalResources): void {
  const queue = parsed(resource, shapes.queue);
  const { RedrivePolicy } = queue;
  out.queues.push({
    id: resource.id,
    name: resource.name,
    arn: arnOf(resource),
    visibilityTimeout: queue.VisibilityTimeout,
    delaySeconds: queue.DelaySeconds,
    receiveWaitSeconds: queue.ReceiveMessageWaitTimeSeconds,
    maxMessageBytes: queue.MaximumMessageSize,
    ...(RedrivePolicy && {
      redrive: {
        deadLetterArn: RedrivePolicy.deadLetterTargetArn,
        maxReceiveCount: RedrivePolicy.maxReceiveCount,
      },
    }),
  });
}

function readTable(resource: ResolvedResource, out: LocalResources): void {
  const { AttributeDefinitions, KeySchema, GlobalSecondaryIndexes } = parsed(
    resource,
    shapes.table,
  );
  out.tables.push({
    id: resource.id,
    streamArn: resource.attributes.StreamArn ?? '',
    TableName: resource.name,
    AttributeDefinitions,
    KeySchema,
    ...(GlobalSecondaryIndexes && { GlobalSecondaryIndexes }),
  });
}

function readFunction(
  resource: ResolvedResource,
  out: LocalResources,
  { assets }: Surroundings,
): void {
  const { id, name } = resource;
  const { Code, Handler, Runtime, Timeout, MemorySize, Environment } = parsed(
    resource,
    shapes.lambda,
  );
  if (!Runtime?.startsWith('nodejs')) {
    throw new UnsupportedTemplate(
      `${id}: only Node.js functions from a zip run locally, not ${Runtime ?? 'a container image'}`,
    );
  }
  const taskRoot = assets.get(Code.S3Key?.replace(/\.zip$/, '') ?? '');
  if (!taskRoot) throw new UnsupportedTemplate(`${id}: its code is not an asset of the assembly`);
  const read: FunctionResource = {
    id,
    name,
    arn: arnOf(resource),
    taskRoot,
    handler: Handler ?? 'index.handler',
    timeoutMs: Timeout * 1000,
    memoryMb: MemorySize,
    environment: Environment?.Variables ?? {},
  };
  out.functions.push(read);
}

function readEventSource(
  resource: ResolvedResource,
  out: LocalResources,
  { functionOf }: Surroundings,
): void {
  const mapping = parsed(resource, shapes.eventSource);
  if (!mapping.EventSourceArn.startsWith('arn:aws:sqs:')) {
    throw new UnsupportedTemplate(`${resource.id}: only SQS event sources are supported locally`);
  }
  out.eventSources.push({
    queueArn: mapping.EventSourceArn,
    functionId: functionOf(mapping.FunctionName),
    batchSize: mapping.BatchSize,
    windowSeconds: mapping.MaximumBatchingWindowInSeconds,
    reportsFailures: mapping.FunctionResponseTypes.includes('ReportBatchItemFailures'),
    maxConcurrency: mapping.ScalingConfig?.MaximumConcurrency,
  });
}

function readRule(
  resource: ResolvedResource,
  out: LocalResources,
  { functionOf }: Surroundings,
): void {
  const { ScheduleExpression, State, Targets } = parsed(resource, shapes.rule);
  if (State === 'DISABLED') return;
  for (const [index, { Arn, Input }] of Targets.entries()) {
    out.schedules.push({
      id: `${resource.id}-${index}`,
      arn: arnOf(resource),
      periodMs: ratePeriodMs(ScheduleExpression),
      functionId: functionOf(Arn),
      ...(Input !== undefined && { input: Input }),
    });
  }
}

function readSecret(resource: ResolvedResource, out: LocalResources): void {
  const { id, name } = resource;
  const { SecretString = '' } = parsed(resource, shapes.secret);
  out.secrets.push({ id, name, arn: arnOf(resource), value: SecretString });
}

const arnOf = ({ attributes }: ResolvedResource): string => attributes.Arn ?? '';

function parsed<Shape extends z.ZodType>(
  { id, type, properties }: ResolvedResource,
  shape: Shape,
): z.infer<Shape> {
  const result = shape.safeParse(properties);
  if (result.success) return result.data;
  throw new UnsupportedTemplate(`${id} (${type}): ${z.prettifyError(result.error)}`);
}
