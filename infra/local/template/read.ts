import type { z } from 'zod';
import { localAccount, localRegion } from '../credentials.ts';
import { resolve, type Scope, UnsupportedTemplate } from './intrinsics.ts';
import { attributesOf, physicalNames } from './names.ts';
import { readers } from './readers.ts';
import type { Assembly, LocalResources } from './resources.ts';
import * as shapes from './shapes.ts';

/** Resources that make no difference to a document on one machine. */
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

type Template = z.infer<typeof shapes.template>;

/**
 * Reads from a template what the local servers and functions need.
 * @param queueUrl the URL by which clients will know a queue
 * @throws {UnsupportedTemplate} when a resource matters and is not understood
 */
export function readTemplate(
  { template, assets }: Assembly,
  queueUrl: (name: string) => string,
): LocalResources {
  const { Resources, Parameters, Outputs } = shapes.template.parse(template);
  const names = physicalNames(Resources);
  const scope = scopeOf(Resources, Parameters, names, queueUrl);
  const functionOf = functionFinder(Resources, names, scope);
  const out: LocalResources = {
    buckets: [],
    queues: [],
    tables: [],
    functions: [],
    eventSources: [],
    schedules: [],
    secrets: [],
    outputs: resolvedOutputs(Outputs, scope),
  };
  for (const [id, { Type: type, Properties }] of Object.entries(Resources)) {
    if (ignored.some((pattern) => pattern.test(type))) continue;
    const read = readers[type];
    if (!read) {
      throw new UnsupportedTemplate(
        `${id} is an ${type}, which the local host does not know; add a reader in infra/local/template, or add the type to the ignored ones`,
      );
    }
    const properties = resolvedProperties(id, type, Properties, scope);
    const attributes = scope.resources.get(id) ?? {};
    read({ id, type, name: names.get(id) ?? id, attributes, properties }, out, {
      assets,
      functionOf,
    });
  }
  return out;
}

/** What references in the template can name. */
function scopeOf(
  resources: Template['Resources'],
  parameters: Template['Parameters'],
  names: Map<string, string>,
  queueUrl: (name: string) => string,
): Scope {
  const defaults = Object.entries(parameters).flatMap(([id, { Default }]) =>
    Default === undefined ? [] : [[id, String(Default)] as const],
  );
  const attributes = Object.entries(resources).map(
    ([id, { Type }]) => [id, attributesOf(Type, names.get(id) ?? id, queueUrl)] as const,
  );
  return {
    parameters: {
      'AWS::Region': localRegion,
      'AWS::AccountId': localAccount,
      'AWS::Partition': 'aws',
      'AWS::URLSuffix': 'amazonaws.com',
      'AWS::StackName': 'dropline',
      'AWS::StackId': `arn:aws:cloudformation:${localRegion}:${localAccount}:stack/dropline/local`,
      ...Object.fromEntries(defaults),
    },
    resources: new Map(attributes),
  };
}

/** Finds a function's logical id by its name or ARN: an event source may use either. */
function functionFinder(
  resources: Template['Resources'],
  names: Map<string, string>,
  scope: Scope,
): (handle: string) => string {
  const ids = new Map<string, string>();
  for (const [id, { Type }] of Object.entries(resources)) {
    if (Type !== 'AWS::Lambda::Function') continue;
    for (const handle of [scope.resources.get(id)?.Arn, names.get(id)]) {
      if (handle) ids.set(handle, id);
    }
  }
  return (handle) => {
    const id = ids.get(handle);
    if (!id) throw new UnsupportedTemplate(`The template has no function ${handle}`);
    return id;
  };
}

function resolvedProperties(id: string, type: string, properties: unknown, scope: Scope): unknown {
  try {
    return resolve(properties, scope);
  } catch (error) {
    if (!(error instanceof UnsupportedTemplate)) throw error;
    throw new UnsupportedTemplate(`${id} (${type}): ${error.message}`);
  }
}

function resolvedOutputs(outputs: Template['Outputs'], scope: Scope): Record<string, string> {
  const resolved: Record<string, string> = {};
  for (const [id, { Value }] of Object.entries(outputs)) {
    try {
      resolved[id] = String(resolve(Value, scope));
    } catch (error) {
      // An output may refer to something that does not exist locally; then it is left out.
      if (!(error instanceof UnsupportedTemplate)) throw error;
    }
  }
  return resolved;
}
