import { describe, expect, it } from 'vitest';
import { resolve, UnsupportedTemplate } from '../../infra/local/template/intrinsics.ts';
import { readTemplate } from '../../infra/local/template/read.ts';

const scope = {
  parameters: { 'AWS::Region': 'us-east-1', Stage: 'test' },
  resources: new Map([['Queue', { Ref: 'http://q', Arn: 'arn:aws:sqs:us-east-1:1:q' }]]),
};
const read = (template: unknown, assets = new Map<string, string>()) =>
  readTemplate({ template, assets }, (name) => `http://127.0.0.1/0/${name}`);

describe('intrinsic functions', () => {
  it.each([
    [{ Ref: 'Queue' }, 'http://q'],
    [{ Ref: 'AWS::Region' }, 'us-east-1'],
    [{ 'Fn::GetAtt': ['Queue', 'Arn'] }, 'arn:aws:sqs:us-east-1:1:q'],
    [{ 'Fn::GetAtt': 'Queue.Arn' }, 'arn:aws:sqs:us-east-1:1:q'],
    [{ 'Fn::Join': ['-', ['a', { Ref: 'Stage' }]] }, 'a-test'],
    [{ 'Fn::Select': [5, { 'Fn::Split': [':', { 'Fn::GetAtt': ['Queue', 'Arn'] }] }] }, 'q'],
    // biome-ignore lint/suspicious/noTemplateCurlyInString: CloudFormation's syntax
    [{ 'Fn::Sub': '${Queue.Arn}/${Stage}/${!Kept}' }, 'arn:aws:sqs:us-east-1:1:q/test/${Kept}'],
    // biome-ignore lint/suspicious/noTemplateCurlyInString: CloudFormation's syntax
    [{ 'Fn::Sub': ['${own}-${Stage}', { own: { Ref: 'Stage' } }] }, 'test-test'],
    [{ a: [1, { Ref: 'AWS::NoValue' }], b: { Ref: 'AWS::NoValue' } }, { a: [1] }],
  ])('resolves %j', (node, expected) => {
    expect(resolve(node, scope)).toEqual(expected);
  });

  it.each([
    [{ 'Fn::ImportValue': 'x' }, 'Fn::ImportValue'],
    [{ Ref: 'Unknown' }, 'Unknown'],
    [{ 'Fn::GetAtt': ['Queue', 'Colour'] }, 'Colour'],
  ])('refuses %j by name', (node, name) => {
    expect(() => resolve(node, scope)).toThrow(UnsupportedTemplate);
    expect(() => resolve(node, scope)).toThrow(name);
  });
});

describe('templates on one machine', () => {
  it('names resources after their logical ids, without CDK’s hash', () => {
    const { buckets, queues } = read({
      Resources: {
        DroplineInbox1A2B3C4D: { Type: 'AWS::S3::Bucket' },
        DroplineIntakeQueue00AA11BB: { Type: 'AWS::SQS::Queue' },
        DroplineIntakeQueueFFFFFFFF: { Type: 'AWS::SQS::Queue' },
        Named: { Type: 'AWS::SQS::Queue', Properties: { QueueName: 'my-own-name' } },
      },
    });

    expect(buckets.map(({ name }) => name)).toEqual(['dropline-inbox']);
    expect(queues.map(({ name }) => name)).toEqual([
      'dropline-intake-queue',
      'dropline-intake-queue-ffffffff',
      'my-own-name',
    ]);
  });

  it('gives a generated secret the name that CDK reads from its ARN', () => {
    const secretName = {
      'Fn::Join': [
        '-',
        [0, 1].map((index) => ({
          'Fn::Select': [
            index,
            { 'Fn::Split': ['-', { 'Fn::Select': [6, { 'Fn::Split': [':', { Ref: 'Key' }] }] }] },
          ],
        })),
      ],
    };

    const { secrets, outputs } = read({
      Resources: { Key: { Type: 'AWS::SecretsManager::Secret' } },
      Outputs: { Name: { Value: secretName }, Elsewhere: { Value: { 'Fn::ImportValue': 'x' } } },
    });

    expect(outputs).toEqual({ Name: secrets[0]?.name });
  });

  it('ignores resources that make no difference locally, and refuses unknown ones', () => {
    const known = read({
      Resources: {
        Role: { Type: 'AWS::IAM::Role', Properties: { a: { 'Fn::ImportValue': 'x' } } },
        Alarm: { Type: 'AWS::CloudWatch::Alarm' },
      },
    });

    expect(known.functions).toEqual([]);
    expect(() =>
      read({ Resources: { Flow: { Type: 'AWS::StepFunctions::StateMachine' } } }),
    ).toThrow(/Flow is an AWS::StepFunctions::StateMachine/);
  });

  it.each([
    ['a FIFO queue', { Type: 'AWS::SQS::Queue', Properties: { FifoQueue: true } }, 'FifoQueue'],
    [
      'notifications to a topic',
      {
        Type: 'AWS::S3::Bucket',
        Properties: {
          NotificationConfiguration: { TopicConfigurations: [{ Event: 'x', Topic: 'y' }] },
        },
      },
      'TopicConfigurations',
    ],
    [
      'filtered messages',
      {
        Type: 'AWS::Lambda::EventSourceMapping',
        Properties: { EventSourceArn: 'arn:aws:sqs:x', FunctionName: 'f', FilterCriteria: {} },
      },
      'FilterCriteria',
    ],
    [
      'a cron schedule',
      {
        Type: 'AWS::Events::Rule',
        Properties: {
          ScheduleExpression: 'cron(0 6 * * ? *)',
          Targets: [{ Id: 'Target0', Arn: 'arn:aws:lambda:x' }],
        },
      },
      'cron(0 6 * * ? *)',
    ],
    [
      'a container image',
      { Type: 'AWS::Lambda::Function', Properties: { Code: { ImageUri: 'x' } } },
      'container image',
    ],
  ])('refuses %s, which would behave differently here', (_, resource, reason) => {
    expect(() => read({ Resources: { Thing: resource } })).toThrow(UnsupportedTemplate);
    expect(() => read({ Resources: { Thing: resource } })).toThrow(reason);
  });
});
