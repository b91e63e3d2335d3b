import { execFile } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { Duration, Validations } from 'aws-cdk-lib';
import * as lambda from 'aws-cdk-lib/aws-lambda';
import { AwsSolutionsChecks, ServerlessChecks } from 'cdk-nag';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { readSettings } from '../../functions/settings.ts';
import { buildApp } from '../../infra/app.ts';
import type { Bundle } from '../../infra/bundle.ts';
import { contextSettings, readContext } from '../../infra/context.ts';
import { defaultLimits } from '../../shared/formats/limits.ts';
import { queuedSteps } from '../../shared/journey/steps.ts';
import { accepted } from './accepted-findings.ts';

interface Resource {
  Type: string;
  Properties: Record<string, unknown>;
}

let directory: string;
let resources: Record<string, Resource>;

beforeAll(() => {
  directory = mkdtempSync(join(tmpdir(), 'dropline-synth-'));
  const app = buildApp(
    {
      dialect: 'beta',
      model: 'claude-sonnet-5-5',
      limits: { maxRows: 1000 },
      containerUploads: ['raw/', 'data/'],
      keepRemoteFiles: true,
      keepPastDays: 2.5,
      reconcileEvery: Duration.minutes(5),
      // These tests are about the wiring; the local stack's tests run the bundles.
      codeOf: () => lambda.Code.fromInline('exports.handler = undefined;'),
    },
    directory,
  );
  Validations.of(app).addPlugins(new AwsSolutionsChecks(app), new ServerlessChecks(app));
  for (const [id, reason] of Object.entries(accepted)) {
    Validations.of(app).acknowledge({ id, reason });
  }
  // Throws on a finding that is not accepted, and names it.
  app.synth();
  resources = JSON.parse(readFileSync(join(directory, 'Dropline.template.json'), 'utf8')).Resources;
}, 120_000);
afterAll(() => rmSync(directory, { recursive: true, force: true }));

const ofType = (type: string): Resource[] =>
  Object.values(resources).filter((resource) => resource.Type === type);

const logicalId = (reference: unknown): string =>
  (reference as { 'Fn::GetAtt'?: [string] })['Fn::GetAtt']?.[0] ??
  (reference as { Ref: string }).Ref;

test('each queue of a step hides a message for as long as its function may run, and not much longer', () => {
  const mappings = ofType('AWS::Lambda::EventSourceMapping');

  expect(mappings).toHaveLength(queuedSteps.length);
  for (const { Properties } of mappings) {
    const queue = resources[logicalId(Properties.EventSourceArn)]?.Properties;
    const worker = resources[logicalId(Properties.FunctionName)]?.Properties;
    const spare = Number(queue?.VisibilityTimeout) - Number(worker?.Timeout);
    expect(spare).toBeGreaterThanOrEqual(60);
    expect(spare).toBeLessThanOrEqual(300);
    expect(Properties.FunctionResponseTypes).toEqual(['ReportBatchItemFailures']);
    expect(Properties.ScalingConfig).toHaveProperty('MaximumConcurrency');
    expect(queue).toHaveProperty('RedrivePolicy');
  }
});

test('the inbox is versioned and notifies the intake queue of created and removed objects', () => {
  const inbox = ofType('AWS::S3::Bucket').find(
    (bucket) => bucket.Properties.NotificationConfiguration,
  )?.Properties;
  const { QueueConfigurations } = (inbox?.NotificationConfiguration ?? {}) as {
    QueueConfigurations?: { Event: string }[];
  };

  expect(inbox?.VersioningConfiguration).toEqual({ Status: 'Enabled' });
  expect(QueueConfigurations?.map(({ Event }) => Event)).toEqual([
    's3:ObjectCreated:*',
    's3:ObjectRemoved:*',
    's3:LifecycleExpiration:*',
  ]);
});

test('old versions in the inbox and reports have a lifetime, and what is needed again has none', () => {
  const rulesOf = (name: string) => {
    const bucket = Object.entries(resources).find(
      ([id, { Type }]) => Type === 'AWS::S3::Bucket' && id.startsWith(`Dropline${name}`),
    );
    return bucket?.[1].Properties.LifecycleConfiguration;
  };

  const cleanUp = {
    AbortIncompleteMultipartUpload: { DaysAfterInitiation: 7 },
    Status: 'Enabled',
  };
  expect(rulesOf('Inbox')).toEqual({
    Rules: [
      cleanUp,
      { NoncurrentVersionExpiration: { NoncurrentDays: 3 }, Status: 'Enabled' },
      { ExpiredObjectDeleteMarker: true, Status: 'Enabled' },
    ],
  });
  expect(rulesOf('Staging')).toEqual({ Rules: [cleanUp] });
  expect(rulesOf('Results')).toEqual({
    Rules: [cleanUp, { Prefix: 'reconcile/', ExpirationInDays: 3, Status: 'Enabled' }],
  });
});

test('every function knows how long the past is kept', () => {
  const days = ofType('AWS::Lambda::Function').map(
    ({ Properties }) =>
      (Properties.Environment as { Variables: Record<string, unknown> }).Variables
        .DROPLINE_KEEP_PAST_DAYS,
  );

  expect(days).toEqual(Array(queuedSteps.length + 1).fill('2.5'));
});

test('the table streams old and new images and its indexes project keys only', () => {
  const table = ofType('AWS::DynamoDB::Table')[0]?.Properties;

  expect(table?.StreamSpecification).toEqual({ StreamViewType: 'NEW_AND_OLD_IMAGES' });
  const indexes = (table?.GlobalSecondaryIndexes ?? []) as { Projection: unknown }[];
  expect(indexes).toHaveLength(3);
  for (const index of indexes) {
    expect(index.Projection).toEqual({ ProjectionType: 'KEYS_ONLY' });
  }
});

test('no function has the API key in its environment', () => {
  for (const { Properties } of ofType('AWS::Lambda::Function')) {
    const { Variables } = Properties.Environment as { Variables: Record<string, unknown> };
    expect(Object.keys(Variables).filter((name) => /API_KEY$/.test(name))).toEqual([]);
  }
});

test('the template has no value for the API key, which an update could write over the real one', () => {
  const { Properties } = ofType('AWS::SecretsManager::Secret')[0] ?? { Properties: {} };

  expect(Object.keys(Properties)).toEqual(['Description']);
});

test('the intake queue takes events of this account and of buckets named as the inbox will be', () => {
  const policies = ofType('AWS::SQS::QueuePolicy').map(({ Properties }) => Properties);
  const statements = policies.flatMap(
    ({ PolicyDocument }) => (PolicyDocument as { Statement: Record<string, unknown>[] }).Statement,
  );

  const admitted = statements.filter(({ Effect }) => Effect === 'Allow');

  expect(admitted).toHaveLength(1);
  expect(admitted[0]?.Condition).toEqual({
    StringEquals: { 'aws:SourceAccount': { Ref: 'AWS::AccountId' } },
    ArnLike: { 'aws:SourceArn': inboxPattern },
  });
});

/** CloudFormation names a bucket `<stack>-<logical id>-<random>`, in lower case. */
const inboxPattern = {
  'Fn::Join': ['', ['arn:', { Ref: 'AWS::Partition' }, ':s3:::dropline*droplineinbox1eca3dc*']],
};

test('every function runs Node 24', () => {
  const functions = ofType('AWS::Lambda::Function');

  expect(functions.map(({ Properties }) => Properties.Runtime)).toEqual(
    functions.map(() => 'nodejs24.x'),
  );
});

test('settings of a deployment reach the functions', () => {
  const variables = ofType('AWS::Lambda::Function').map(
    ({ Properties }) =>
      (Properties.Environment as { Variables: Record<string, unknown> }).Variables,
  );

  expect(variables).toContainEqual(
    expect.objectContaining({ CLAUDE_DIALECT: 'beta', CLAUDE_FILES_PER_MINUTE: '100' }),
  );
  expect(variables).toContainEqual(expect.objectContaining({ CLAUDE_MODEL: 'claude-sonnet-5-5' }));
  expect(variables).toContainEqual(
    expect.objectContaining({
      DROPLINE_CONTAINER_UPLOADS: 'raw/,data/',
      DROPLINE_KEEP_REMOTE_FILES: 'true',
    }),
  );
  expect(ofType('AWS::Events::Rule')[0]?.Properties.ScheduleExpression).toBe('rate(5 minutes)');
});

test('limits reach the functions that convert and print, which accept them', () => {
  const given = ofType('AWS::Lambda::Function').flatMap(({ Properties }) => {
    const { Variables } = Properties.Environment as { Variables: Record<string, string> };
    return Variables.DROPLINE_LIMITS === undefined ? [] : [Variables];
  });

  expect(given).toHaveLength(2);
  for (const variables of given) {
    expect(readSettings(variables, ['limits']).limits).toEqual({ ...defaultLimits, maxRows: 1000 });
  }
});

test.each([
  [{ maxRows: -1 }, 'maxRows'],
  [{ maxSeconds: 600 }, 'maxSeconds: the functions have no more than 210'],
  [{ maxRow: 1 } as object, 'unknown limit maxRow'],
])('limits such as %j stop the synthesis', (limits, reason) => {
  expect(() => buildApp({ limits }, join(directory, 'none'))).toThrow(reason);
});

test('the context is read the same from the command line and from cdk.json', () => {
  const choices = {
    dialect: 'beta',
    model: 'claude-sonnet-5-5',
    config: 'dropline.config.json',
    claudeBaseUrl: 'https://claude.example',
    filesPerMinute: 300,
    apiKeySecretName: 'claude/key',
    alarmEmail: 'ops@example.com',
    containerUploads: ['raw/', 'data/'],
    brakeAfter: 3,
    keepRemoteFiles: false,
    keepPastDays: 30,
    renderer: 'libreoffice',
    batchSeconds: 30,
    reconcileEveryMinutes: 5,
    limits: { maxRows: 1000 },
  };

  const fromFile = readContext({ ...choices, '@aws-cdk/core:a': true, 'aws:cdk:b': [] });
  const fromCommandLine = readContext({
    ...choices,
    filesPerMinute: '300',
    brakeAfter: '3',
    containerUploads: 'raw/,data/',
    keepRemoteFiles: 'false',
    keepPastDays: '30',
    batchSeconds: '30',
    reconcileEveryMinutes: '5',
    limits: '{"maxRows": 1000}',
  });

  expect(Object.keys(choices).sort()).toEqual(Object.keys(contextSettings).sort());
  expect(fromFile).toEqual(choices);
  expect(fromCommandLine).toEqual(choices);
});

test.each([
  [{ dialect: 'gamma' }, 'dialect must be ga or beta, not "gamma"'],
  [{ renderer: 'foo' }, 'renderer must be chromium or libreoffice, not "foo"'],
  [{ claudeBaseUrl: 'claude.example' }, 'claudeBaseUrl must be an http or https URL'],
  [{ filesPerMinute: '1e3' }, 'filesPerMinute must be a whole number above 0, not "1e3"'],
  [{ reconcileEveryMinutes: '0' }, 'reconcileEveryMinutes must be a whole number above 0'],
  [{ keepRemoteFiles: 'yes' }, 'keepRemoteFiles must be true or false, not "yes"'],
  [{ keepPastDays: '-1' }, 'keepPastDays must be a number of days, 0 or more, not "-1"'],
  [{ containerUploads: 'raw/,,' }, 'containerUploads must be comma-separated key prefixes'],
  [{ alarmEmail: '' }, 'alarmEmail must be an e-mail address'],
  [{ limits: '{"maxByte": 1}' }, 'limits: unknown limit maxByte; the limits are maxBytes,'],
  [{ limits: { maxBytes: 'many' } }, 'limits: maxBytes:'],
  [{ limits: '{maxBytes: 1}' }, 'limits: expected a JSON object such as'],
  [{ dialct: 'beta' }, 'dialct is not one of dialect, model,'],
  [{ dialect: 'gamma', model: '' }, 'dialect must be ga or beta, not "gamma"; model must be'],
])('context %j is refused', (context, reason) => {
  expect(() => readContext(context)).toThrow(reason);
});

test('a wrong context ends the CDK app with one line', async () => {
  const app = fileURLToPath(new URL('../../infra/app.ts', import.meta.url));
  const env = { CDK_CONTEXT_JSON: '{"renderer":"foo"}', CDK_OUTDIR: join(directory, 'wrong') };

  const ended = promisify(execFile)(process.execPath, [app], { env });

  await expect(ended).rejects.toMatchObject({
    code: 1,
    stderr: 'wrong context: renderer must be chromium or libreoffice, not "foo"\n',
  });
});

test('with LibreOffice the render function is a container image, and nothing else is', () => {
  const outdir = mkdtempSync(join(tmpdir(), 'dropline-image-'));
  const app = buildApp({ renderer: 'libreoffice', codeOf: imageOrInline }, outdir);
  app.synth();

  const template = JSON.parse(readFileSync(join(outdir, 'Dropline.template.json'), 'utf8'));
  rmSync(outdir, { recursive: true });

  const functions = (Object.values(template.Resources) as Resource[]).filter(
    ({ Type }) => Type === 'AWS::Lambda::Function',
  );
  const images = functions.filter(({ Properties }) => Properties.PackageType === 'Image');
  expect(images).toHaveLength(1);
  expect(images[0]?.Properties.Environment).toMatchObject({
    Variables: { DROPLINE_RENDERER: 'libreoffice' },
  });
});

/** The image without the bundle that would go into it. */
const imageOrInline = ({ name }: Bundle): lambda.Code =>
  name === 'render'
    ? lambda.Code.fromAssetImage(fileURLToPath(new URL('../../functions/render', import.meta.url)))
    : lambda.Code.fromInline('exports.handler = undefined;');

test('every accepted finding is still found', () => {
  const bare = mkdtempSync(join(tmpdir(), 'dropline-nag-'));
  const unaccepted = buildApp(
    { codeOf: () => lambda.Code.fromInline('exports.handler = undefined;') },
    bare,
  );
  Validations.of(unaccepted).addPlugins(
    new AwsSolutionsChecks(unaccepted),
    new ServerlessChecks(unaccepted),
  );

  expect(() => unaccepted.synth()).toThrow();

  const report = JSON.parse(readFileSync(join(bare, 'validation-report.json'), 'utf8')) as {
    pluginReports: { violations: { ruleName: string }[] }[];
  };
  const found = report.pluginReports.flatMap(({ violations }) =>
    violations.map(({ ruleName }) => ruleName),
  );
  expect([...new Set(found)].sort()).toEqual(Object.keys(accepted).sort());
  rmSync(bare, { recursive: true, force: true });
});
