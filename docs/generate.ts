import { writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { z } from 'zod';
import { environment, type Settings, settingsSchema } from '../functions/settings.ts';
import { contextSettings } from '../infra/context.ts';
import { codes, journeyWarnings } from '../shared/codes/index.ts';
import { configSchema } from '../shared/config/schema.ts';
import { documentRecordSchema } from '../shared/journey/record.ts';
import { formatsPage } from './formats-page.ts';
import { decisionsIndex, stepsTable, withSection } from './sections.ts';

/** The pages that are made from the code, in whole or in a section, by path below docs/; a test checks that they are current. */
export function generatedDocs(): Record<string, string> {
  return {
    'errors.md': errorsPage(),
    'settings.md': settingsPage(),
    'formats.md': formatsPage(),
    'architecture.md': withSection('architecture.md', 'steps', stepsTable()),
    'decisions/README.md': withSection('decisions/README.md', 'decisions', decisionsIndex()),
    'config.schema.json': `${JSON.stringify(z.toJSONSchema(configSchema, { io: 'input' }), null, 2)}\n`,
    'record.schema.json': `${JSON.stringify(z.toJSONSchema(documentRecordSchema), null, 2)}\n`,
  };
}

function errorsPage(): string {
  const rows = Object.entries(codes)
    .sort(([a], [b]) => a.localeCompare(b))
    .map(([code, { outcome, meaning, advice }]) => row(`\`${code}\``, outcome, meaning, advice));
  const braking = Object.entries(codes).flatMap(([code, { brakes }]) =>
    brakes ? `\`${code}\`` : [],
  );
  const warnings = Object.entries(journeyWarnings).map(
    ([code, meaning]) => `- \`${code}\`: ${meaning}`,
  );
  return page(
    'Error codes',
    `The values of a record's \`error.code\`. Codes are stable; messages are not.

\`failed\` and \`skipped\` are final. \`held\` documents resume by themselves once a person has acted. \`retried\`
codes appear between attempts; after the fifth failed attempt the document is \`failed\`. \`waiting\` codes are not
attempts: the document waits for the API to come back, however long that takes.

After a few documents in a row that failed with the same one of these codes (setting \`brakeAfter\`), all later ones are
\`held\` with it, for no document is at fault: ${braking.join(', ')}.

Warnings are in \`fidelity.warnings\`, and do not keep a document from being \`ready\`. Those of conversions are in
[formats.md](formats.md); those of the summary are:

${warnings.join('\n')}`,
    ['code', 'outcome', 'meaning', 'advice'],
    rows,
  );
}

function settingsPage(): string {
  const rows = (Object.keys(environment) as (keyof Settings)[]).map((name) => {
    const schema = settingsSchema.shape[name];
    const fallback = schema.safeParse(undefined);
    const value = fallback.success ? fallback.data : undefined;
    const shown = !fallback.success
      ? 'set by the stack'
      : value === undefined
        ? 'none'
        : shortly(value);
    return row(`\`${environment[name]}\``, schema.description ?? '', shown);
  });
  const choices = Object.entries(contextSettings).map(([name, { values, meaning }]) =>
    row(`\`${name}\``, values, meaning),
  );
  return page(
    'Settings',
    `What a deployment can choose, by CDK context: \`npm run deploy -- -c dialect=beta\`, or under \`context\` in
\`cdk.json\`. Any other name or value makes the synthesis fail. The \`Dropline\` construct (\`infra/settings.ts\`) has the
same properties and a few more.

${table(['context', 'value', 'meaning'], choices)}

## Environment

The environment variables of the functions. The stack sets them.`,
    ['variable', 'meaning', 'default'],
    rows,
  );
}

const shortly = (value: unknown): string =>
  typeof value === 'object' ? 'safe defaults' : `\`${String(value)}\``;

const row = (...cells: string[]): string =>
  `| ${cells.map((cell) => cell.replaceAll('|', '\\|')).join(' | ')} |`;

function page(title: string, text: string, head: string[], rows: string[]): string {
  return `# ${title}\n\n<!-- Made by \`npm run docs\`; do not edit. -->\n\n${text}\n\n${table(head, rows)}\n`;
}

const table = (head: string[], rows: string[]): string =>
  [row(...head), row(...head.map(() => '---')), ...rows].join('\n');

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  for (const [name, text] of Object.entries(generatedDocs())) {
    writeFileSync(new URL(name, import.meta.url), text);
  }
}
