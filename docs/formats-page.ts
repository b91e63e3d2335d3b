import { formatCodes, formatWarnings, printCodes, printWarnings } from '../shared/codes/index.ts';
import { formatFacts, formats, kinds, type Limits, limitsSchema } from '../shared/formats/index.ts';

/** `docs/formats.md`, generated from the tables that the code itself uses. */
export function formatsPage(): string {
  return `# Formats

<!-- Made by \`npm run docs\`; do not edit. -->

What a dropped file becomes, what is kept and what is lost. Dropline identifies a file by its signature
first, then by its extension, then by its content type; if they disagree, the record has a warning.
A conversion runs in a process that can read only its document, write only its own directory and reach
no network. \`npm run normalize -- FILE...\` shows what a file would become.

Under a profile with \`code\`, csv, tsv, xlsx and what it names are not converted: they go up as they are, and Claude
answers by running code ([profiles.md](profiles.md#datasets)).

Any other type ends as \`skipped\` with advice; under the key prefixes of \`DROPLINE_CONTAINER_UPLOADS\` it
is uploaded as it is, for Claude's code execution tool, and not summarised.

${table(['format', 'extensions', 'becomes', 'kept', 'lost', 'limits'], formatRows())}

Macros and scripts are never run, and external links are never fetched. Files protected by a password
are rejected. All other formats end as \`normalize.unsupported\`, unless a profile asks for container
uploads.

## Limits

All limits have safe defaults. To change some, give a JSON object such as \`{"maxRows": 1000}\`: with
\`-c limits=JSON\` when deploying, with \`--limits JSON\` for \`npm start\` and \`npm run normalize\`. The
functions read it from \`DROPLINE_LIMITS\`.

${table(['limit', 'default', 'meaning'], limitRows())}

## Codes that end a conversion

${table(
  ['code', 'outcome', 'meaning', 'advice'],
  Object.entries({ ...formatCodes, ...printCodes })
    .sort(byName)
    .map(([code, { outcome, meaning, advice }]) => [`\`${code}\``, outcome, meaning, advice]),
)}

## Warnings

These appear in a record's \`fidelity.warnings\`. The document was processed; a person should know.

${table(
  ['code', 'meaning'],
  Object.entries({ ...formatWarnings, ...printWarnings })
    .sort(byName)
    .map(([code, meaning]) => [`\`${code}\``, meaning]),
)}
`;
}

function formatRows(): string[][] {
  return formats.map((format) => {
    const { becomes, kept, lost, limits } = formatFacts[format];
    const names = limits.map((limit) => `\`${limit}\``).join(', ');
    return [format, shortened(kinds[format].extensions), becomes, kept, lost, names];
  });
}

/** Text has a hundred extensions; the first dozen give the idea. */
function shortened(extensions: readonly string[]): string {
  const shown = extensions.slice(0, 12).join(' ');
  return extensions.length > 12 ? `${shown} … (${extensions.length} in all)` : shown;
}

function limitRows(): string[][] {
  const defaults = limitsSchema.parse({});
  return (Object.keys(limitsSchema.shape) as (keyof Limits)[]).map((name) => [
    `\`${name}\``,
    defaults[name].toLocaleString('en-US'),
    limitsSchema.shape[name].description ?? '',
  ]);
}

function byName([a]: [string, unknown], [b]: [string, unknown]): number {
  return a.localeCompare(b);
}

function table(head: string[], rows: string[][]): string {
  return [head, head.map(() => '---'), ...rows]
    .map((cells) => `| ${cells.map((cell) => cell.replaceAll('|', '\\|')).join(' | ')} |`)
    .join('\n');
}
