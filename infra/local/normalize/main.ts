import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import {
  ConversionSandbox,
  type Limits,
  limitsSchema,
  readLimits,
} from '../../../shared/formats/index.ts';
import { FileNormalizer, type NormalizeOptions, type Report } from './file-normalizer.ts';

/** `npm run normalize`: what would become of these files, with no pipeline. */

const usage = `usage: npm run normalize -- [--json] [--out DIR] [options] FILE...

  --json               one JSON line a file
  --out DIR            keep what the files become in DIR
  --renderer NAME      chromium (default) or libreoffice, for docx that need rendering
  --browser PATH       a Chrome or Chromium to render with
  --limits JSON        limits to override, such as {"maxSeconds": 30}

Exit status: 0, also when files fail; 2 when the usage is wrong.
`;

interface Arguments {
  files: string[];
  json: boolean;
  options: NormalizeOptions;
}

/** @throws Error with a sentence for the user when the usage is wrong */
function readArguments(argv: string[], cwd: string): Arguments {
  const { values, positionals } = parseArgs({
    args: argv,
    allowPositionals: true,
    options: {
      json: { type: 'boolean', default: false },
      out: { type: 'string' },
      renderer: { type: 'string', default: 'chromium' },
      browser: { type: 'string' },
      limits: { type: 'string', default: '{}' },
    },
  });
  const { renderer } = values;
  if (positionals.length === 0) throw new Error('no file is named');
  if (renderer !== 'chromium' && renderer !== 'libreoffice') {
    throw new Error(`no renderer is called ${renderer}`);
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
    throw new Error(`the limits are wrong: ${error instanceof Error ? error.message : error}`);
  }
}

/** A few lines for a person. */
function readable(report: Report, indent = ''): string {
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
  let args: Arguments;
  try {
    args = readArguments(argv, cwd);
  } catch (error) {
    process.stderr.write(`${error instanceof Error ? error.message : error}\n\n${usage}`);
    process.exitCode = 2;
    return;
  }
  // `| head` has seen enough.
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

// npm runs scripts in the package's folder and tells where the user was.
await main(process.argv.slice(2), process.env.INIT_CWD ?? process.cwd());
