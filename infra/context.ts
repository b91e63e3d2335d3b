import { z } from 'zod';
import { type Limits, WrongLimits } from '../shared/formats/index.ts';
import { functionLimits } from './limits.ts';

/** A value of the CDK context that Dropline cannot use; the message names each. */
export class WrongContext extends Error {
  override readonly name = 'WrongContext';
}

/** `-c` gives strings; `cdk.json` may give numbers, booleans and objects. */
const text = z.string().trim().min(1);
const whole = z
  .union([z.int(), z.string().regex(/^\d+$/).transform(Number)])
  .pipe(z.int().positive());
const flag = z.union([z.boolean(), z.enum(['true', 'false']).transform((word) => word === 'true')]);
// Parted by commas in the functions' environment too, so that no prefix may have one.
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
  dialect: option(
    z.enum(['ga', 'beta']),
    '`ga` or `beta`',
    'Which form of the Files API is spoken',
  ),
  model: option(text, 'a name', 'Model that summarises'),
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
    'An existing secret that holds the API key, in place of a new one',
  ),
  alarmEmail: option(z.email(), 'an e-mail address', 'Who is told of alarms'),
  containerUploads: option(
    prefixes,
    'key prefixes, parted by commas',
    'Below these, types that are not converted are uploaded for the code execution tool',
  ),
  keepRemoteFiles: option(
    flag,
    '`true` or `false`',
    'Whether a remote file is kept when its object is removed',
  ),
  renderer: option(
    z.enum(['chromium', 'libreoffice']),
    '`chromium` or `libreoffice`',
    'What prints docx to PDF; the second makes a container image and needs Docker',
  ),
  reconcileEveryMinutes: option(
    whole,
    'a whole number above 0',
    'Minutes between runs of the reconciler, by default 15',
  ),
  limits: option(
    limits,
    'a JSON object',
    'What a conversion may take, such as `{"maxRows": 1000}`; all are in [formats.md](formats.md#limits)',
  ),
};

type Chosen = {
  [Name in keyof typeof contextSettings]?: z.infer<(typeof contextSettings)[Name]['schema']>;
};

/**
 * What the CDK context chooses, checked: a slip must not deploy the default without a word.
 * @param context the whole of it; CDK's own names, which all have a colon, slash or hyphen, are left alone
 * @throws {WrongContext}
 */
export function readContext(context: Record<string, unknown>): Chosen {
  const faults = Object.keys(context)
    .filter((name) => /^\w+$/.test(name) && !(name in contextSettings))
    .map((name) => `${name} is none of ${Object.keys(contextSettings).join(', ')}`);
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
    // No object either: what was given is told as it is.
    return json;
  }
}
