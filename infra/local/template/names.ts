import { localAccount, localRegion } from '../credentials.ts';
import type { ResourceAttributes } from './intrinsics.ts';
import type { Resource } from './shapes.ts';

/** The property that gives a resource its physical name, by resource type. */
const nameProperties: Record<string, string> = {
  'AWS::S3::Bucket': 'BucketName',
  'AWS::SQS::Queue': 'QueueName',
  'AWS::DynamoDB::Table': 'TableName',
  'AWS::Lambda::Function': 'FunctionName',
  'AWS::SecretsManager::Secret': 'Name',
};

/**
 * The physical name of each resource by its logical id: the one the template gives, or one derived from the
 * logical id, so that it stays the same from run to run. `DroplineIntakeQueue1A2B3C4D` becomes
 * `dropline-intake-queue`: CDK's hash is dropped unless names would clash.
 */
export function physicalNames(resources: Record<string, Resource>): Map<string, string> {
  const names = new Map<string, string>();
  const taken = new Set<string>();
  for (const [id, { Type, Properties }] of Object.entries(resources)) {
    const given = Properties[nameProperties[Type] ?? ''];
    const short = kebab(id.replace(/[0-9A-F]{8}$/, ''));
    const key = `${Type} ${short}`;
    const made = taken.has(key) ? kebab(id) : short;
    const generated = Type === 'AWS::SecretsManager::Secret' ? secretName(made) : made;
    names.set(id, typeof given === 'string' ? given : generated);
    taken.add(key);
  }
  return names;
}

function kebab(text: string): string {
  return text
    .replace(/([a-z0-9])([A-Z])/g, '$1-$2')
    .toLowerCase()
    .slice(0, 60);
}

/** CDK reads a generated secret's name from its ARN: everything before the second hyphen. */
function secretName(name: string): string {
  return `${name.replaceAll('-', '')}-local`;
}

/** What `Ref` and `Fn::GetAtt` return for a resource, as the CloudFormation reference documents it. */
export function attributesOf(
  type: string,
  name: string,
  queueUrl: (name: string) => string,
): ResourceAttributes {
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
    default:
      return { Ref: name, Arn: arn('local', name) };
  }
}
