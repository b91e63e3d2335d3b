import { spawnSync } from 'node:child_process';
import { parseArgs } from 'node:util';

/**
 * `npm run bench -- [NAME] [OPTIONS]` runs `test/bench/NAME.ts` with the options; without a name, all benches one
 * after the other. Exit code: that of the first bench that failed, 2 for an unknown name.
 */
const benches: Record<string, string> = {
  answers:
    '[FOLDER]      calls, tokens and USD of answers, at once and in batches, and of plain calls',
  cost: '[COUNT...]    AWS requests and capacity per document, and their list price',
  csv: '              CSV to text, against papaparse',
  docx: '[FOLDER]      docx to text, against mammoth and pandoc',
  equal: '[COUNT...]    many documents with the same bytes: calls, requests and time of each',
  latency: '[COUNT]       one drop after the other, against a bare script on the SDK',
  normalize: '              docx, csv and render, one after the other',
  pace: '[WORKERS...]  a backlog of uploads against a rate limit, and the official SDK',
  render: '[FOLDER]      docx to PDF, against LibreOffice',
  stack: '[COUNT...]    documents per second on the local stack',
  upload: '[--sizes 5,50,500] [--runs 5] [--only NAME,NAME]  uploads, against undici and the SDK',
};
const args = process.argv.slice(2);
const { values } = parseArgs({
  args,
  options: { help: { type: 'boolean', short: 'h' } },
  allowPositionals: true,
  strict: false,
});
if (values.help) {
  const lines = Object.entries(benches).map(([name, what]) => `  ${name.padEnd(9)} ${what}`);
  console.log(`Usage: npm run bench -- [NAME] [OPTIONS]\n\n${lines.join('\n')}`);
  process.exit(0);
}

const [name, ...options] = args;
if (name !== undefined && !Object.hasOwn(benches, name)) {
  const known = Object.keys(benches).join(', ');
  process.stderr.write(`Unknown bench ${JSON.stringify(name)}. Benches: ${known}\n`);
  process.exit(2);
}

// `normalize` only runs others.
const all = Object.keys(benches).filter((bench) => bench !== 'normalize');
for (const bench of name === undefined ? all : [name]) {
  process.stderr.write(`bench ${bench}\n`);
  const { status } = spawnSync(
    process.execPath,
    [`${import.meta.dirname}/${bench}.ts`, ...options],
    { stdio: 'inherit' },
  );
  if (status !== 0) process.exit(status ?? 1);
}
