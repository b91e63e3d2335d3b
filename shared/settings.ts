import { z } from 'zod';
import { limitsSchema } from './formats/limits.ts';

/**
 * Names of the environment variables, in one place: the stack sets them, the entry points read
 * them, and docs/settings.md lists them.
 */
export const environment = {
  table: 'DROPLINE_TABLE',
  inboxBucket: 'DROPLINE_INBOX_BUCKET',
  stagingBucket: 'DROPLINE_STAGING_BUCKET',
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
  filesPerMinute: 'CLAUDE_FILES_PER_MINUTE',
  keepRemoteFiles: 'DROPLINE_KEEP_REMOTE_FILES',
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
  table: name,
  inboxBucket: name,
  stagingBucket: name,
  resultsBucket: name,
  intakeQueueUrl: z.url(),
  renderQueueUrl: z.url(),
  uploadQueueUrl: z.url(),
  summarizeQueueUrl: z.url(),
  intakeDeadLettersUrl: z.url(),
  renderDeadLettersUrl: z.url(),
  uploadDeadLettersUrl: z.url(),
  summarizeDeadLettersUrl: z.url(),
  claudeBaseUrl: z.url(),
  claudeDialect: z.enum(['ga', 'beta']),
  claudeApiKeySecret: name,
  model: name,
  filesPerMinute: z.coerce.number().positive(),
  keepRemoteFiles: z.stringbool().default(false),
  limits: json(limitsSchema).default(limitsSchema.parse({})),
  renderer: z.enum(['chromium', 'libreoffice']).default('chromium'),
  browserPath: name.optional(),
  sofficePath: name.optional(),
});
export type Settings = z.infer<typeof settingsSchema>;

/**
 * The settings a step asks for, out of its environment.
 * @throws Error that names every variable that is missing or wrong
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
  if (faults.length > 0) throw new Error(`wrong settings: ${faults.join('; ')}`);
  return settings as Pick<Settings, Name>;
}

const messageOf = (issue: { message: string }): string => issue.message;
