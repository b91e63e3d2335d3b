import { z } from 'zod';
import { limitsSchema } from '../shared/formats/index.ts';
import { type QueuedStep, type QueueName, steps } from '../shared/journey/steps.ts';

/**
 * Names of the environment variables, in one place: the stack sets them, the entry points read
 * them, and docs/settings.md lists them.
 */
export const environment = {
  table: 'DROPLINE_TABLE',
  inboxBucket: 'DROPLINE_INBOX_BUCKET',
  stagingBucket: 'DROPLINE_STAGING_BUCKET',
  deployment: 'DROPLINE_DEPLOYMENT',
  resultsBucket: 'DROPLINE_RESULTS_BUCKET',
  intakeQueueUrl: 'DROPLINE_INTAKE_QUEUE_URL',
  renderQueueUrl: 'DROPLINE_RENDER_QUEUE_URL',
  uploadQueueUrl: 'DROPLINE_UPLOAD_QUEUE_URL',
  summarizeQueueUrl: 'DROPLINE_SUMMARIZE_QUEUE_URL',
  intakeDeadLettersUrl: 'DROPLINE_INTAKE_DEAD_LETTERS_URL',
  renderDeadLettersUrl: 'DROPLINE_RENDER_DEAD_LETTERS_URL',
  uploadDeadLettersUrl: 'DROPLINE_UPLOAD_DEAD_LETTERS_URL',
  summarizeDeadLettersUrl: 'DROPLINE_SUMMARIZE_DEAD_LETTERS_URL',
  claudeBaseUrl: 'CLAUDE_BASE_URL',
  claudeDialect: 'CLAUDE_DIALECT',
  claudeApiKeySecret: 'CLAUDE_API_KEY_SECRET',
  model: 'CLAUDE_MODEL',
  containerUploads: 'DROPLINE_CONTAINER_UPLOADS',
  config: 'DROPLINE_CONFIG',
  filesPerMinute: 'CLAUDE_FILES_PER_MINUTE',
  keepRemoteFiles: 'DROPLINE_KEEP_REMOTE_FILES',
  keepPastDays: 'DROPLINE_KEEP_PAST_DAYS',
  brakeAfter: 'DROPLINE_BRAKE_AFTER',
  batchSeconds: 'DROPLINE_BATCH_SECONDS',
  limits: 'DROPLINE_LIMITS',
  renderer: 'DROPLINE_RENDERER',
  browserPath: 'DROPLINE_BROWSER',
  sofficePath: 'DROPLINE_SOFFICE',
} as const;

const name = z.string().min(1);
const json = <Schema extends z.ZodType>(schema: Schema) =>
  z
    .string()
    .transform((text, context) => {
      try {
        return JSON.parse(text) as unknown;
      } catch {
        context.addIssue({ code: 'custom', message: 'is not JSON' });
        return z.NEVER;
      }
    })
    .pipe(schema);

/** Every setting with its shape. Entry points pick the ones that their step needs. */
export const settingsSchema = z.object({
  table: name.describe("The ledger's table"),
  inboxBucket: name.describe('The bucket that files are dropped into'),
  stagingBucket: name.describe(
    'The bucket for converted bytes and for parts of mails and archives',
  ),
  deployment: name.describe(
    'Distinguishes this deployment from others in the same Claude workspace; its hash is in the names of its remote files',
  ),
  resultsBucket: name.describe(
    "The bucket for the reconciler's reports and for summaries too long for a record",
  ),
  intakeQueueUrl: z.url().describe('Queue of the S3 events'),
  renderQueueUrl: z.url().describe('Queue of the render step'),
  uploadQueueUrl: z.url().describe('Queue of the upload step'),
  summarizeQueueUrl: z.url().describe('Queue of the summarize step'),
  intakeDeadLettersUrl: z.url().describe('Dead letters of the intake queue'),
  renderDeadLettersUrl: z.url().describe('Dead letters of the render queue'),
  uploadDeadLettersUrl: z.url().describe('Dead letters of the upload queue'),
  summarizeDeadLettersUrl: z.url().describe('Dead letters of the summarize queue'),
  claudeBaseUrl: z.url().describe('Base URL of the Claude API'),
  claudeDialect: z
    .enum(['ga', 'beta'])
    .describe('`ga` or `beta`: which form of the Files API is used'),
  claudeApiKeySecret: name.describe('Name of the Secrets Manager secret that holds the API key'),
  model: name.describe('Model that writes the summaries'),
  containerUploads: z
    .string()
    .default('')
    .transform((text) => text.split(',').filter((prefix) => prefix !== ''))
    .describe(
      'Comma-separated key prefixes below which unsupported types are uploaded for the code execution tool',
    ),
  config: z
    .string()
    .default('')
    .transform((path) => path || undefined)
    .describe(
      'Path of the configuration with the profiles and prices, from the function; see docs/profiles.md',
    ),
  filesPerMinute: z.coerce
    .number()
    .positive()
    .describe('File operations per minute, for the whole fleet'),
  keepRemoteFiles: z
    .stringbool()
    .default(false)
    .describe('`true` keeps the remote file when its object is removed'),
  keepPastDays: z.coerce
    .number()
    .nonnegative()
    .default(7)
    .describe('Days that replaced versions and the answers about their content are kept'),
  brakeAfter: z.coerce
    .number()
    .int()
    .positive()
    .default(5)
    .describe(
      'Documents in a row that may fail with the same fault of the deployment before all others are held',
    ),
  batchSeconds: z.coerce
    .number()
    .int()
    .min(1)
    .max(900)
    .default(120)
    .describe('Seconds for which questions are collected for a batch, and between looks at one'),
  limits: json(limitsSchema)
    .default(limitsSchema.parse({}))
    .describe(
      'JSON: limits of a conversion, see docs/formats.md; those left out have their defaults',
    ),
  renderer: z
    .enum(['chromium', 'libreoffice'])
    .default('chromium')
    .describe('`chromium` or `libreoffice`: what prints docx to PDF'),
  browserPath: name
    .optional()
    .describe('Path of a Chrome or Chromium to use instead of the packaged one'),
  sofficePath: name
    .optional()
    .describe("Path of LibreOffice's `soffice`, when it is not on the PATH"),
});
export type Settings = z.infer<typeof settingsSchema>;

/** The URLs of the queues that a function was given. */
export type QueueUrls = Partial<Pick<Settings, `${QueueName}QueueUrl`>>;

/**
 * The URL of the queue in front of a step.
 * @throws Error when this function does not have it, because it does not send there
 */
export function queueUrlOf(step: QueuedStep, urls: QueueUrls): string {
  return need(urls, `${steps[step].queue}QueueUrl`);
}

/**
 * The URL of a step's dead-letter queue.
 * @throws Error when this function does not have it
 */
export function deadLettersUrlOf(
  step: QueuedStep,
  urls: Partial<Pick<Settings, `${QueueName}DeadLettersUrl`>>,
): string {
  return need(urls, `${steps[step].queue}DeadLettersUrl`);
}

function need<Name extends string>(urls: { [name in Name]?: string }, name: Name): string {
  const url = urls[name];
  if (!url) throw new Error(`missing setting: ${name}`);
  return url;
}

/** The settings that every step needs. */
export const stepSettings = [
  'table',
  'stagingBucket',
  'deployment',
  'keepPastDays',
  'intakeQueueUrl',
  'uploadQueueUrl',
] as const;

/** The settings that decide the profile of a key. */
export const profileSettings = ['model', 'containerUploads', 'config'] as const;

/** The settings that every step needs that calls the Claude API. */
export const claudeSettings = [
  'claudeBaseUrl',
  'claudeDialect',
  'claudeApiKeySecret',
  'filesPerMinute',
  'brakeAfter',
  ...profileSettings,
] as const;

/**
 * Reads the wanted settings from the environment.
 * @throws Error that names every missing or invalid variable
 */
export function readSettings<Name extends keyof Settings>(
  env: Record<string, string | undefined>,
  wanted: readonly Name[],
): Pick<Settings, Name> {
  const faults: string[] = [];
  const settings: Partial<Settings> = {};
  for (const setting of wanted) {
    const result = settingsSchema.shape[setting].safeParse(env[environment[setting]]);
    if (result.success) settings[setting] = result.data as Settings[Name];
    else faults.push(`${environment[setting]}: ${result.error.issues.map(messageOf).join(', ')}`);
  }
  if (faults.length > 0) throw new Error(`invalid settings: ${faults.join('; ')}`);
  return settings as Pick<Settings, Name>;
}

const messageOf = (issue: { message: string }): string => issue.message;
