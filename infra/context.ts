import { z } from 'zod';
import { type Limits, WrongLimits } from '../shared/formats/index.ts';
import { functionLimits } from './limits.ts';

/** The CDK context has values that Dropline cannot use; the message names each. */
export class WrongContext extends Error {
  override readonly name = 'WrongContext';
}

/** `-c` gives strings; `cdk.json` may give numbers, booleans and objects. */
const text = z.string().trim().min(1);
const whole = z
  .union([z.int(), z.string().regex(/^\d+$/).transform(Number)])
  .pipe(z.int().positive());
const days = z
  .union([
    z.number(),
    z
      .string()
      .regex(/^\d+(\.\d+)?$/)
      .transform(Number),
  ])
  .pipe(z.number().nonnegative());
const flag = z.union([z.boolean(), z.enum(['true', 'false']).transform((word) => word === 'true')]);
// The functions' environment holds them comma-separated, so a prefix must not contain a comma.
const prefixes = z
  .union([z.array(z.string()), z.string().transform((list) => list.split(','))])
  .pipe(z.array(z.string().regex(/^[^,]+$/)));
const limits = z
  .union([z.record(z.string(), z.unknown()), z.string().transform(parsed)])
  .transform((given, context): Partial<Limits> => {
    try {
      return functionLimits(given);
    } catch (error) {
      if (!(error instanceof WrongLimits)) throw error;
      context.addIssue({ code: 'custom', message: error.message });
      return z.NEVER;
    }
  });

/** What a deployment can choose by `cdk deploy -c name=value`; docs/settings.md lists it. */
export const contextSettings = {
  dialect: option(z.enum(['ga', 'beta']), '`ga` or `beta`', 'Which form of the Files API is used'),
  model: option(
    text,
    'a name',
    'Model that summarises, where no profile names one; by default `claude-haiku-5-5`',
  ),
  config: option(
    text,
    'a path',
    'The file with profiles, prices and limits, such as `dropline.config.json`; [profiles.md](profiles.md) explains it',
  ),
  claudeBaseUrl: option(
    z.url({ protocol: /^https?$/ }),
    'an http or https URL',
    'Base URL of the Claude API',
  ),
  filesPerMinute: option(
    whole,
    'a whole number above 0',
    'File operations a minute that the whole fleet may make; by default 500 (`ga`) or 100 (`beta`)',
  ),
  apiKeySecretName: option(
    text,
    'a name',
    'An existing secret that holds the API key, instead of a new one',
  ),
  alarmEmail: option(z.email(), 'an e-mail address', 'Who is notified of alarms'),
  containerUploads: option(
    prefixes,
    'comma-separated key prefixes',
    'Files below these prefixes that Dropline does not convert are uploaded for the code execution tool',
  ),
  brakeAfter: option(
    whole,
    'a whole number above 0',
    'Documents in a row that may fail with the same fault of the deployment before all others are held, by default 5',
  ),
  keepRemoteFiles: option(
    flag,
    '`true` or `false`',
    'Whether a remote file is kept when its object is removed',
  ),
  keepPastDays: option(
    days,
    'a number of days, 0 or more',
    'Days that old versions in the inbox, the reports and what removed documents said are kept, by default 7',
  ),
  renderer: option(
    z.enum(['chromium', 'libreoffice']),
    '`chromium` or `libreoffice`',
    'What prints docx to PDF; `libreoffice` makes a container image, which needs Docker',
  ),
  batchSeconds: option(
    z.coerce.number().int().min(1).max(900),
    'a whole number from 1 to 900',
    'Seconds for which questions are collected for a Message Batch, and between looks at one, by default 120',
  ),
  reconcileEveryMinutes: option(
    whole,
    'a whole number above 0',
    'Minutes between runs of the reconciler, by default 15',
  ),
  limits: option(
    limits,
    'a JSON object',
    'Limits of a conversion, such as `{"maxRows": 1000}`; [formats.md](formats.md#limits) lists all',
  ),
};

type Chosen = {
  [Name in keyof typeof contextSettings]?: z.infer<(typeof contextSettings)[Name]['schema']>;
};

/**
 * Reads and checks the CDK context: a typo must not silently deploy the default.
 * @param context all of it; CDK's own names, which all contain a colon, slash or hyphen, are ignored
 * @throws {WrongContext}
 */
export function readContext(context: Record<string, unknown>): Chosen {
  const faults = Object.keys(context)
    .filter((name) => /^\w+$/.test(name) && !(name in contextSettings))
    .map((name) => `${name} is not one of ${Object.keys(contextSettings).join(', ')}`);
  const chosen: Record<string, unknown> = {};
  for (const [name, { schema, values }] of Object.entries(contextSettings)) {
    const given = context[name];
    if (given === undefined) continue;
    const result = schema.safeParse(given);
    if (result.success) chosen[name] = result.data;
    else faults.push(faultOf(name, given, values, result.error));
  }
  if (faults.length > 0) throw new WrongContext(`wrong context: ${faults.join('; ')}`);
  return chosen;
}

function option<Schema extends z.ZodType>(schema: Schema, values: string, meaning: string) {
  return { schema, values, meaning };
}

function faultOf(name: string, given: unknown, values: string, { issues }: z.ZodError): string {
  const own = issues.find(({ code }) => code === 'custom')?.message;
  if (own !== undefined) return `${name}: ${own}`;
  return `${name} must be ${values.replaceAll('`', '')}, not ${JSON.stringify(given)}`;
}

function parsed(json: string): unknown {
  try {
    return JSON.parse(json);
  } catch {
    // Not an object either way; the error then quotes what was given.
    return json;
  }
}
