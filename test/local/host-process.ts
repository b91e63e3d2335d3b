import { readFileSync } from 'node:fs';
import { start } from '../../infra/local/stack.ts';
import type { Assembly } from '../../infra/local/template/resources.ts';

/** A host in a process of its own, for tests that kill it. Its argument is the path of its settings. */
const { dataDir, template, assets } = JSON.parse(readFileSync(process.argv[2] ?? '', 'utf8')) as {
  dataDir: string;
  template: Assembly['template'];
  assets: [string, string][];
};
const stack = await start({ dataDir, assembly: { template, assets: new Map(assets) } });
process.stdout.write(`${JSON.stringify(stack.endpoints)}\n`);
