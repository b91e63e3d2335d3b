import { z } from 'zod';
import { localAccount, localRegion } from '../credentials.ts';
import type { TableSettings } from '../dynamodb/tables.ts';
import type { NotificationRule } from '../s3/events.ts';
import type { ScheduleSettings } from '../schedule/runner.ts';
import { type Attributes, resolve, type Scope, UnsupportedTemplate } from './intrinsics.ts';
import * as shapes from './shapes.ts';

/** A stack's resources, resolved for this machine. All keyed or named by their logical id. */
export interface LocalResources {
  buckets: { id: string; name: string; versioned: boolean; notifications: NotificationRule[] }[];
  queues: QueueResource[];
  tables: ({ id: string; streamArn: string } & TableSettings)[];
  functions: FunctionResource[];
  eventSources: EventSourceResource[];
  schedules: (ScheduleSettings & { functionId: string })[];
  secrets: { id: string; name: string; arn: string; value: string }[];
  outputs: Record<string, string>;
}

interface QueueResource {
  id: string;
  name: string;
  arn: string;
  visibilityTimeout: number;
  delaySeconds: number;
  receiveWaitSeconds: number;
  maxMessageBytes: number;
  redrive?: { deadLetterArn: string; maxReceiveCount: number };
}

export interface FunctionResource {
  id: string;
  name: string;
  arn: string;
  taskRoot: string;
  handler: string;
  timeoutMs: number;
  memoryMb: number;
  environment: Record<string, string>;
}

interface EventSourceResource {
  queueArn: string;
  functionId: string;
  batchSize: number;
  windowSeconds: number;
  reportsFailures: boolean;
  maxConcurrency: number | undefined;
}

/** A synthesised stack: its template, and where its assets are. */
export interface Assembly {
  template: unknown;
  /** Directory of an asset by the hash in its S3 key. */
  assets: Map<string, string>;
}

/** Resources that change nothing about what a document goes through on one machine. */
const ignored = [
  /^AWS::IAM::/,
  /^AWS::Logs::/,
  /^AWS::CloudWatch::/,
  /^AWS::SNS::/,
  /^AWS::KMS::/,
  /^AWS::CDK::Metadata$/,
  /^AWS::S3::BucketPolicy$/,
  /^AWS::SQS::QueuePolicy$/,
  /^AWS::SQS::QueueInlinePolicy$/,
  /^AWS::SecretsManager::ResourcePolicy$/,
  /^AWS::Lambda::(Permission|EventInvokeConfig|Version|Alias)$/,
];

/**
 * Reads a template into what the local servers and functions need. Physical names are those the
 * template gives, or come from the logical ids, so that they stay the same from run to run.
 * @param queueUrl the URL clients will know a queue by
 * @throws {UnsupportedTemplate} when a resource matters and is not understood
 */
export function readTemplate(
  { template, assets }: Assembly,
  queueUrl: (name: string) => string,
): LocalResources {
  const { Resources, Parameters, Outputs } = shapes.template.parse(template);
  const names = physicalNames(Resources);
  const scope: Scope = {
    parameters: {
      'AWS::Region': localRegion,
      'AWS::AccountId': localAccount,
      'AWS::Partition': 'aws',
      'AWS::URLSuffix': 'amazonaws.com',
      'AWS::StackName': 'dropline',
      'AWS::StackId': `arn:aws:cloudformation:${localRegion}:${localAccount}:stack/dropline/local`,
      ...Object.fromEntries(
        Object.entries(Parameters).flatMap(([id, { Default }]) =>
          Default === undefined ? [] : [[id, String(Default)]],
        ),
      ),
    },
    resources: new Map(
      Object.entries(Resources).map(([id, { Type }]) => [
        id,
        attributesOf(Type, names.get(id) ?? id, queueUrl),
      ]),
    ),
  };
  const out: LocalResources = {
    buckets: [],
    queues: [],
    tables: [],
    functions: [],
    eventSources: [],
    schedules: [],
    secrets: [],
    outputs: {},
  };
  const functionOfArn = new Map<string, string>();
  for (const [id, { Type }] of Object.entries(Resources)) {
    const arn = scope.resources.get(id)?.Arn;
    if (Type !== 'AWS::Lambda::Function') continue;
    // An event source names its function by name or ARN.
    for (const handle of [arn, names.get(id)]) if (handle) functionOfArn.set(handle, id);
  }
  const functionOf = (handle: string): string => {
    const found = functionOfArn.get(handle);
    if (!found) throw new UnsupportedTemplate(`No function in the template is ${handle}`);
    return found;
  };

  for (const [id, { Type, Properties }] of Object.entries(Resources)) {
    if (ignored.some((pattern) => pattern.test(Type))) continue;
    const properties = resolveProperties(id, Type, Properties, scope);
    const name = names.get(id) ?? id;
    const arn = scope.resources.get(id)?.Arn ?? '';
    const read = <Shape extends z.ZodType>(shape: Shape): z.infer<Shape> => {
      const result = shape.safeParse(properties);
      if (result.success) return result.data;
      throw new UnsupportedTemplate(`${id} (${Type}): ${z.prettifyError(result.error)}`);
    };
    switch (Type) {
      case 'AWS::S3::Bucket': {
        const { VersioningConfiguration, NotificationConfiguration } = read(shapes.bucket);
        out.buckets.push({
          id,
          name,
          versioned: VersioningConfiguration?.Status === 'Enabled',
          notifications: (NotificationConfiguration?.QueueConfigurations ?? []).map((rule, index) =>
            notificationRule(rule, `${id}-${index}`),
          ),
        });
        break;
      }
      case 'AWS::SQS::Queue': {
        const queue = read(shapes.queue);
        out.queues.push({
          id,
          name,
          arn,
          visibilityTimeout: queue.VisibilityTimeout,
          delaySeconds: queue.DelaySeconds,
          receiveWaitSeconds: queue.ReceiveMessageWaitTimeSeconds,
          maxMessageBytes: queue.MaximumMessageSize,
          ...(queue.RedrivePolicy
            ? {
                redrive: {
                  deadLetterArn: queue.RedrivePolicy.deadLetterTargetArn,
                  maxReceiveCount: queue.RedrivePolicy.maxReceiveCount,
                },
              }
            : {}),
        });
        break;
      }
      case 'AWS::DynamoDB::Table': {
        const table = read(shapes.table);
        out.tables.push({
          id,
          streamArn: scope.resources.get(id)?.StreamArn ?? '',
          TableName: name,
          AttributeDefinitions: table.AttributeDefinitions,
          KeySchema: table.KeySchema,
          ...(table.GlobalSecondaryIndexes
            ? { GlobalSecondaryIndexes: table.GlobalSecondaryIndexes }
            : {}),
        });
        break;
      }
      case 'AWS::Lambda::Function':
        out.functions.push(functionResource(id, name, arn, read(shapes.lambda), assets));
        break;
      case 'AWS::Lambda::EventSourceMapping': {
        const mapping = read(shapes.eventSource);
        if (!mapping.EventSourceArn.startsWith('arn:aws:sqs:')) {
          throw new UnsupportedTemplate(`${id}: only SQS event sources are supported locally`);
        }
        out.eventSources.push({
          queueArn: mapping.EventSourceArn,
          functionId: functionOf(mapping.FunctionName),
          batchSize: mapping.BatchSize,
          windowSeconds: mapping.MaximumBatchingWindowInSeconds,
          reportsFailures: mapping.FunctionResponseTypes.includes('ReportBatchItemFailures'),
          maxConcurrency: mapping.ScalingConfig?.MaximumConcurrency,
        });
        break;
      }
      case 'AWS::Events::Rule': {
        const { ScheduleExpression, State, Targets } = read(shapes.rule);
        if (State === 'DISABLED') break;
        for (const [index, target] of Targets.entries()) {
          out.schedules.push({
            id: `${id}-${index}`,
            arn,
            expression: ScheduleExpression,
            functionId: functionOf(target.Arn),
            ...(target.Input === undefined ? {} : { input: target.Input }),
          });
        }
        break;
      }
      case 'AWS::Scheduler::Schedule': {
        const { ScheduleExpression, State, Target } = read(shapes.schedule);
        if (State === 'DISABLED') break;
        out.schedules.push({
          id,
          arn,
          expression: ScheduleExpression,
          functionId: functionOf(Target.Arn),
          ...(Target.Input === undefined ? {} : { input: Target.Input }),
        });
        break;
      }
      case 'AWS::SecretsManager::Secret':
        out.secrets.push({ id, name, arn, value: read(shapes.secret).SecretString ?? '' });
        break;
      default:
        throw new UnsupportedTemplate(
          `${id} is an ${Type}, which the local host does not know; add it to infra/local/template, or to its list of what may be ignored`,
        );
    }
  }
  for (const [id, { Value }] of Object.entries(Outputs)) {
    try {
      out.outputs[id] = String(resolve(Value, scope));
    } catch (error) {
      // An output nobody uses here may name what does not exist here.
      if (!(error instanceof UnsupportedTemplate)) throw error;
    }
  }
  return out;
}

function resolveProperties(id: string, type: string, properties: unknown, scope: Scope): unknown {
  try {
    return resolve(properties, scope);
  } catch (error) {
    if (!(error instanceof UnsupportedTemplate)) throw error;
    throw new UnsupportedTemplate(`${id} (${type}): ${error.message}`);
  }
}

function functionResource(
  id: string,
  name: string,
  arn: string,
  properties: z.infer<typeof shapes.lambda>,
  assets: Map<string, string>,
): FunctionResource {
  const { Code, Handler, Runtime, Timeout, MemorySize, Environment } = properties;
  if (!Runtime?.startsWith('nodejs')) {
    throw new UnsupportedTemplate(
      `${id}: only Node.js functions from a zip run locally, not ${Runtime ?? 'a container image'}`,
    );
  }
  const hash = Code.S3Key?.replace(/\.zip$/, '') ?? '';
  const taskRoot = assets.get(hash);
  if (!taskRoot) throw new UnsupportedTemplate(`${id}: its code is not an asset of the assembly`);
  return {
    id,
    name,
    arn,
    taskRoot,
    handler: Handler ?? 'index.handler',
    timeoutMs: Timeout * 1000,
    memoryMb: MemorySize,
    environment: Environment?.Variables ?? {},
  };
}

function notificationRule(rule: z.infer<typeof shapes.notification>, id: string): NotificationRule {
  const filter = (name: string) =>
    rule.Filter?.S3Key.Rules.find((item) => item.Name.toLowerCase() === name)?.Value ?? '';
  return {
    id,
    queueArn: rule.Queue,
    event: rule.Event,
    prefix: filter('prefix'),
    suffix: filter('suffix'),
  };
}

const nameProperties: Record<string, string> = {
  'AWS::S3::Bucket': 'BucketName',
  'AWS::SQS::Queue': 'QueueName',
  'AWS::DynamoDB::Table': 'TableName',
  'AWS::Lambda::Function': 'FunctionName',
  'AWS::SecretsManager::Secret': 'Name',
};

/** `DroplineIntakeQueue1A2B3C4D` → `dropline-intake-queue`: CDK's hash goes, unless names clash. */
function physicalNames(resources: Record<string, shapes.Resource>): Map<string, string> {
  const names = new Map<string, string>();
  const taken = new Set<string>();
  for (const [id, { Type, Properties }] of Object.entries(resources)) {
    const given = Properties[nameProperties[Type] ?? ''];
    const kebab = (text: string) =>
      text
        .replace(/([a-z0-9])([A-Z])/g, '$1-$2')
        .toLowerCase()
        .slice(0, 60);
    const short = kebab(id.replace(/[0-9A-F]{8}$/, ''));
    const key = `${Type} ${short}`;
    const made = taken.has(key) ? kebab(id) : short;
    // CDK reads a generated secret's name off its ARN as what stands before the second dash.
    const generated = Type === 'AWS::SecretsManager::Secret' ? secretName(made) : made;
    names.set(id, typeof given === 'string' ? given : generated);
    taken.add(key);
  }
  return names;
}

/** What `Ref` and `Fn::GetAtt` give for a resource, as the CloudFormation reference has it. */
function attributesOf(type: string, name: string, queueUrl: (name: string) => string): Attributes {
  const arn = (service: string, resource: string) =>
    `arn:aws:${service}:${localRegion}:${localAccount}:${resource}`;
  switch (type) {
    case 'AWS::S3::Bucket':
      return { Ref: name, Arn: `arn:aws:s3:::${name}`, DomainName: `${name}.s3.amazonaws.com` };
    case 'AWS::SQS::Queue':
      return {
        Ref: queueUrl(name),
        Arn: arn('sqs', name),
        QueueName: name,
        QueueUrl: queueUrl(name),
      };
    case 'AWS::DynamoDB::Table': {
      const table = arn('dynamodb', `table/${name}`);
      return { Ref: name, Arn: table, StreamArn: `${table}/stream/local` };
    }
    case 'AWS::Lambda::Function':
      return { Ref: name, Arn: arn('lambda', `function:${name}`) };
    case 'AWS::SecretsManager::Secret': {
      const secret = arn('secretsmanager', `secret:${name}-AAAAAA`);
      return { Ref: secret, Id: secret, Arn: secret };
    }
    case 'AWS::Events::Rule':
      return { Ref: name, Arn: arn('events', `rule/${name}`) };
    case 'AWS::Scheduler::Schedule':
      return { Ref: name, Arn: arn('scheduler', `schedule/default/${name}`) };
    default:
      return { Ref: name, Arn: arn('local', name) };
  }
}

const secretName = (name: string) => `${name.replaceAll('-', '')}-local`;
