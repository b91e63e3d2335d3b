import { getLibFiles, libFolderInMemoryPath, ts } from '@ts-morph/common';

export { ts };

const libraries = new Map(
  getLibFiles().map(({ fileName, text }) => [`${libFolderInMemoryPath}/${fileName}`, text]),
);

/**
 * A strict program of TypeScript 5.9, which many apps still use: it knows `node10`, which TypeScript 7
 * no longer does. `@ts-morph/common` brings it without a second `tsc` in `node_modules/.bin`.
 */
export function programOf(files: string[], options: ts.CompilerOptions): ts.Program {
  const all: ts.CompilerOptions = {
    target: ts.ScriptTarget.ES2022,
    strict: true,
    noEmit: true,
    types: ['node'],
    ...options,
  };
  const host = ts.createCompilerHost(all);
  const { fileExists, readFile, getSourceFile } = host;
  host.getDefaultLibLocation = () => libFolderInMemoryPath;
  host.getDefaultLibFileName = (given) =>
    `${libFolderInMemoryPath}/${ts.getDefaultLibFileName(given)}`;
  host.fileExists = (path) => libraries.has(path) || fileExists(path);
  host.readFile = (path) => libraries.get(path) ?? readFile(path);
  host.getSourceFile = (path, target, ...rest) => {
    const text = libraries.get(path);
    return text === undefined
      ? getSourceFile(path, target, ...rest)
      : ts.createSourceFile(path, text, target);
  };
  return ts.createProgram(files, all, host);
}

/** Errors of the program, each as `file: message`. */
export function errorsOf(program: ts.Program): string[] {
  return ts.getPreEmitDiagnostics(program).map(({ file, messageText }) => {
    const name = file?.fileName.replace(/^.*\//, '') ?? 'options';
    return `${name}: ${ts.flattenDiagnosticMessageText(messageText, ' ')}`;
  });
}
