import { join } from 'node:path';
import { programOf, ts } from './compiler.ts';
import type { App } from './installed.ts';

/** The code of each `@example` in the packed declarations, by export (`DroplineReader.get`). */
export function examplesOf(app: App): Map<string, string> {
  const entry = join(app.dir, 'node_modules/dropline-aws/dist/esm/client/index.d.ts');
  const program = programOf([entry], {
    module: ts.ModuleKind.NodeNext,
    moduleResolution: ts.ModuleResolutionKind.NodeNext,
    skipLibCheck: true,
  });
  const checker = program.getTypeChecker();
  const source = program.getSourceFile(entry);
  const module = source && checker.getSymbolAtLocation(source);
  const examples = new Map<string, string>();
  for (const exported of module ? checker.getExportsOfModule(module) : []) {
    const symbol =
      exported.flags & ts.SymbolFlags.Alias ? checker.getAliasedSymbol(exported) : exported;
    if ((symbol.flags & ts.SymbolFlags.Value) === 0) continue;
    examples.set(exported.name, exampleOf(symbol));
    if ((symbol.flags & ts.SymbolFlags.Class) === 0) continue;
    for (const [, member] of symbol.members ?? []) {
      const isPublicMethod = member.flags & ts.SymbolFlags.Method && !/^__/.test(member.name);
      if (isPublicMethod) examples.set(`${exported.name}.${member.name}`, exampleOf(member));
    }
  }
  return examples;
}

function exampleOf(symbol: ts.Symbol): string {
  const tag = symbol.getJsDocTags().find(({ name }) => name === 'example');
  return ts.displayPartsToString(tag?.text);
}

/** What an example says that it prints, one line for each `// prints …`. */
export const promised = (example: string): string =>
  [...example.matchAll(/\/\/ prints (.*)$/gm)].map((match) => `${match[1]}\n`).join('');
