import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import * as lambda from 'aws-cdk-lib/aws-lambda';
import { expect, test } from 'vitest';
import { buildApp } from '../../infra/app.ts';
import type { DroplineProps } from '../../infra/settings.ts';

/**
 * CloudFormation identifies a resource by its logical id, which CDK derives from the path of its construct. If
 * an id changes, an update creates an empty resource and abandons the full one. So these ids must never change,
 * wherever the constructs move in the code. Adding one is fine; changing one loses a user's data.
 */
const pinned = {
  'AWS::DynamoDB::Table': ['DroplineLedger4A3E2737'],
  'AWS::S3::Bucket': [
    'DroplineInbox1ECA3DCD',
    'DroplineResults6A0F57E0',
    'DroplineStagingFD5F02E3',
  ],
  'AWS::SecretsManager::Secret': ['DroplineApiKey9C21302F'],
  'AWS::SQS::Queue': [
    'DroplineIntakeDeadLetters270EF736',
    'DroplineIntakeQueueBC9753DA',
    'DroplineRenderDeadLetters5D5E2E11',
    'DroplineRenderQueue005F5021',
    'DroplineSummarizeDeadLetters1AF2C3E8',
    'DroplineSummarizeQueueBD620E67',
    'DroplineUploadDeadLetters88205148',
    'DroplineUploadQueue84D5E7F1',
  ],
};

/** Types of resources that hold something: a new one has to be pinned above. */
const holdsData = /Bucket$|Table$|Secret$|Queue$|KMS::Key$|FileSystem$|DBInstance$|Repository$/;

test.each<[string, DroplineProps]>([
  ['by default', {}],
  ['with other choices', { dialect: 'beta', alarmEmail: 'a@example.com' }],
])('the logical ids of everything that holds data stay as they are, %s', (_, props) => {
  const outdir = mkdtempSync(join(tmpdir(), 'dropline-ids-'));
  buildApp(
    { ...props, codeOf: () => lambda.Code.fromInline('exports.handler = undefined;') },
    outdir,
  ).synth();
  const { Resources } = JSON.parse(
    readFileSync(join(outdir, 'Dropline.template.json'), 'utf8'),
  ) as {
    Resources: Record<string, { Type: string; DeletionPolicy?: string }>;
  };
  rmSync(outdir, { recursive: true });

  const found: Record<string, string[]> = {};
  for (const [id, { Type }] of Object.entries(Resources).sort(([a], [b]) => (a < b ? -1 : 1))) {
    if (holdsData.test(Type)) found[Type] = [...(found[Type] ?? []), id];
  }

  expect(found).toEqual(pinned);
});
