import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import {
  ConversionSandbox,
  type Limits,
  limitsSchema,
  readLimits,
} from '../../../shared/formats/index.ts';
import { FileNormalizer, type FileReport, type NormalizeOptions } from './file-normalizer.ts';

/** `npm run normalize`: shows what Dropline would make of files, without the pipeline. */

const usage = `usage: npm run normalize -- [options] FILE...

Converts files as the normalize and render steps do, and shows the results.

  --json            print one JSON line for each file
  --out DIR         write the results to DIR
  --renderer NAME   chromium (default) or libreoffice: what renders docx files that need it
  --browser PATH    the Chrome or Chromium to render with
  --limits JSON     limits to override, such as '{"maxSeconds": 30}'; docs/formats.md lists all
  --help            show this text

Exit code: 0 even when files fail; 2 for wrong usage.
`;

interface Arguments {
  files: string[];
  json: boolean;
  options: NormalizeOptions;
}

/**
 * Reads the command line.
 * @returns undefined when it asks for help
 * @throws {Error} with a sentence for the user when the usage is wrong
 */
function readArguments(argv: string[], cwd: string): Arguments | undefined {
  const { values, positionals } = parseArgs({
    args: argv,
    allowPositionals: true,
    options: {
      json: { type: 'boolean', default: false },
      out: { type: 'string' },
      renderer: { type: 'string', default: 'chromium' },
      browser: { type: 'string' },
      limits: { type: 'string', default: '{}' },
      help: { type: 'boolean', short: 'h', default: false },
    },
  });
  if (values.help) return undefined;
  const { renderer } = values;
  if (positionals.length === 0) throw new Error('no input files given');
  if (renderer !== 'chromium' && renderer !== 'libreoffice') {
    throw new Error(`unknown renderer ${renderer}`);
  }
  return {
    files: positionals,
    json: values.json,
    options: {
      limits: limitsOf(values.limits),
      renderer,
      cwd,
      ...(values.out !== undefined && { out: values.out }),
      ...(values.browser !== undefined && { browserPath: values.browser }),
    },
  };
}

function limitsOf(text: string): Limits {
  try {
    return limitsSchema.parse(readLimits(JSON.parse(text)));
  } catch (error) {
    throw new Error(`invalid --limits: ${error instanceof Error ? error.message : error}`);
  }
}

/** A few lines for a person. */
function readable(report: FileReport, indent = ''): string {
  const { fidelity, error } = report;
  const counts = [
    fidelity?.pages !== undefined && `${fidelity.pages} pages`,
    fidelity?.rowsFound !== undefined && `${fidelity.rowsKept} of ${fidelity.rowsFound} rows`,
    fidelity?.imagesFound && `${fidelity.imagesKept ?? 0} of ${fidelity.imagesFound} pictures`,
    fidelity?.encoding && fidelity.encoding !== 'utf-8' && fidelity.encoding,
  ].filter(Boolean);
  const lines = [
    [
      report.status.padEnd(10),
      (report.route ?? error?.code ?? '').padEnd(22),
      `${Math.round(report.ms)} ms`.padStart(9),
      `${Math.round(report.peakRssMb)} MB`.padStart(8),
      ` ${report.file}`,
      counts.length > 0 ? ` (${counts.join(', ')})` : '',
    ].join(' '),
    ...(error ? [`           ${error.message} ${error.advice}`] : []),
    ...(fidelity?.warnings ?? []).map(({ code, message }) => `           ! ${code}: ${message}`),
  ];
  return [
    ...lines.map((line) => indent + line),
    ...(report.parts ?? []).map((part) => readable(part, `${indent}    `)),
  ].join('\n');
}

async function main(argv: string[], cwd: string): Promise<void> {
  let args: Arguments | undefined;
  try {
    args = readArguments(argv, cwd);
  } catch (error) {
    process.stderr.write(`${error instanceof Error ? error.message : error}\n\n${usage}`);
    process.exitCode = 2;
    return;
  }
  if (!args) {
    process.stdout.write(usage);
    return;
  }
  // A reader such as `head` may close the pipe early.
  process.stdout.on('error', (error: NodeJS.ErrnoException) => {
    process.exit(error.code === 'EPIPE' ? 0 : 1);
  });
  const entry = fileURLToPath(new URL('../../../shared/convert/worker.ts', import.meta.url));
  const normalizer = new FileNormalizer(new ConversionSandbox({ entry }), args.options);
  try {
    for (const file of args.files) {
      const report = await normalizer.normalize(file);
      process.stdout.write(`${args.json ? JSON.stringify(report) : readable(report)}\n`);
    }
  } finally {
    await normalizer.close();
  }
}

// npm runs scripts in the package's folder; INIT_CWD is the user's.
await main(process.argv.slice(2), process.env.INIT_CWD ?? process.cwd());
