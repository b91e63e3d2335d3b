import fs from 'node:fs';
import { syncBuiltinESMExports } from 'node:module';
import { dirname, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';

/**
 * Preloaded into the sandbox's children by tests: logs every path that is touched, except the code,
 * the document and the directory for results, to `touched.log`, whether or not the permission model
 * would have refused it.
 */

const root = process.cwd();
const project = join(dirname(fileURLToPath(import.meta.url)), '..', '..', '..');
const allowed = [root, join(project, 'shared'), join(project, 'node_modules')];
const { appendFileSync } = fs;
/** sharp asks which C library it runs on when it is loaded (detect-libc); both are refused. */
const known = ['/proc/self/exe', '/usr/bin/ldd'];

function watch(target: object): void {
  for (const [name, { value, ...rest }] of Object.entries(
    Object.getOwnPropertyDescriptors(target),
  )) {
    if (typeof value !== 'function' || /^(?:[A-Z_]|constructor)/.test(name)) continue;
    const spied = function (this: unknown, ...args: unknown[]) {
      note(name, args[0]);
      return Reflect.apply(value, this, args);
    };
    Object.defineProperty(target, name, { ...rest, value: Object.assign(spied, value) });
  }
}

function note(name: string, target: unknown): void {
  const isPath = typeof target === 'string' || target instanceof URL || Buffer.isBuffer(target);
  if (!isPath || name.startsWith('promises')) return;
  const path = resolve(target instanceof URL ? fileURLToPath(target) : `${target}`);
  if (known.includes(path)) return;
  if (allowed.some((dir) => path === dir || path.startsWith(`${dir}/`))) return;
  appendFileSync(join(root, 'touched.log'), `${name} ${path}\n`);
}

watch(fs);
watch(fs.promises);
syncBuiltinESMExports();
