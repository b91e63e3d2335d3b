import { copyFile, mkdir, mkdtemp, rename, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { basename, dirname, extname, join, resolve } from 'node:path';
import { performance } from 'node:perf_hooks';
import { codes } from '../../../shared/codes/index.ts';
import {
  type Conversion,
  type ConversionSandbox,
  extensionOf,
  kinds,
  type Limits,
  type Part,
  PartNames,
  partName,
} from '../../../shared/formats/index.ts';
import { DroplineError, RejectDocument, SkipDocument } from '../../../shared/journey/errors.ts';
import type { Fidelity } from '../../../shared/journey/record.ts';
import type { Renderer } from '../../../shared/print/index.ts';
import { leftOutWarning } from '../../../shared/steps/parts.ts';

/** Normalizes and renders files on the command line, without the pipeline. */

/** The result of one file: one JSON line of `npm run normalize -- --json`. */
export interface FileReport {
  /** The path as given; for a part, its name within its parent. */
  file: string;
  status: 'normalized' | 'failed' | 'skipped';
  route?: string;
  /** MIME type of the result, which would go to Claude. */
  mimeType?: string;
  /** Size of the original in bytes. */
  sizeBytes: number;
  fidelity?: Fidelity;
  error?: { code: string; message: string; step: string; advice: string };
  /** Time taken in milliseconds, without the parts. */
  ms: number;
  /** Peak memory of the conversion process in MiB, without the browser that renders. */
  peakRssMb: number;
  /** Paths of the files written below the output directory. */
  outputs: string[];
  /** Results of the files inside the file. */
  parts?: FileReport[];
}

export interface NormalizeOptions {
  limits: Limits;
  /** Directory for the results; without it they are discarded. */
  out?: string;
  renderer: 'chromium' | 'libreoffice';
  browserPath?: string;
  /** Relative paths are resolved against it. */
  cwd: string;
}

interface Task {
  file: string;
  path: string;
  contentType?: string | undefined;
  depth: number;
  outDir: string | undefined;
  /** What the parts of the file given may still become, at every level together. */
  budget: { parts: number };
}

/** Normalizes files one after the other. Close it when done. */
export class FileNormalizer {
  readonly #sandbox: ConversionSandbox;
  readonly #options: NormalizeOptions;
  /** Names taken so far in each output directory. */
  readonly #names = new Map<string, PartNames>();
  #rendering: Promise<Renderer> | undefined;

  constructor(sandbox: ConversionSandbox, options: NormalizeOptions) {
    this.#sandbox = sandbox;
    this.#options = options;
  }

  /** Never rejects: a file that cannot be read is reported as `failed`. */
  normalize(file: string): Promise<FileReport> {
    const { cwd, out, limits } = this.#options;
    const outDir = out === undefined ? undefined : resolve(cwd, out);
    return this.#run({
      file,
      path: resolve(cwd, file),
      depth: 0,
      outDir,
      budget: { parts: limits.maxParts },
    });
  }

  async close(): Promise<void> {
    await this.#sandbox.close();
    await (await this.#rendering)?.close();
  }

  async #run(task: Task): Promise<FileReport> {
    const started = performance.now();
    const report: FileReport = {
      file: task.file,
      status: 'normalized',
      sizeBytes: 0,
      ms: 0,
      peakRssMb: 0,
      outputs: [],
    };
    const dir = await mkdtemp(join(tmpdir(), 'dropline-normalize-'));
    try {
      await this.#fill(report, task, dir);
    } catch (error) {
      report.status = error instanceof SkipDocument ? 'skipped' : 'failed';
      report.error = describe(error);
    } finally {
      await rm(dir, { recursive: true, force: true });
    }
    // The parts report their own time.
    const partsMs = (report.parts ?? []).reduce((sum, part) => sum + part.ms, 0);
    report.ms = Math.round((performance.now() - started - partsMs) * 10) / 10;
    return report;
  }

  async #fill(report: FileReport, task: Task, dir: string): Promise<void> {
    report.sizeBytes = await sizeOf(task.path);
    const { limits } = this.#options;
    const name = basename(task.file);
    const attempt = await this.#sandbox.attempt({
      path: task.path,
      name,
      contentType: task.contentType,
      sizeBytes: report.sizeBytes,
      depth: task.depth,
      outDir: dir,
      limits,
    });
    report.peakRssMb = Math.round(attempt.measured.peakRssMb * 10) / 10;
    if ('error' in attempt) throw attempt.error;
    const { conversion } = attempt;
    report.fidelity = conversion.fidelity;
    report.route = conversion.fidelity.route;
    const result = await this.#resultOf(conversion, report, task, dir);
    if (result && task.outDir) report.outputs.push(await this.#keep(result, name, task));
    const allowed = this.#allowed(conversion, report, task);
    if (conversion.parts.length > 0) await this.#runParts(allowed, report, task);
  }

  /** Path of the file that would go to Claude; undefined when only its parts would. */
  async #resultOf(
    conversion: Conversion,
    report: FileReport,
    task: Task,
    dir: string,
  ): Promise<string | undefined> {
    switch (conversion.outcome) {
      case 'pass':
        report.mimeType = conversion.mimeType;
        return task.path;
      case 'file':
        report.mimeType = conversion.mimeType;
        return conversion.path;
      case 'container':
        return undefined;
      case 'render':
        return this.#render(report, task, dir);
    }
  }

  async #render(report: FileReport, task: Task, dir: string): Promise<string> {
    const { browserPath, limits, renderer: kind } = this.#options;
    this.#rendering ??= import('../../../shared/print/index.ts').then((render) =>
      render.createRenderer(),
    );
    const renderer = await this.#rendering;
    const rendered = await renderer.render({
      path: task.path,
      outDir: dir,
      timeoutMs: limits.maxSeconds * 1000,
      renderer: kind,
      ...(browserPath !== undefined && { browserPath }),
    });
    report.mimeType = rendered.mimeType;
    report.fidelity = {
      route: report.route ?? 'docx→pdf',
      imagesFound: rendered.imagesFound,
      imagesKept: rendered.imagesKept,
      pages: rendered.pages,
      warnings: [...(report.fidelity?.warnings ?? []), ...rendered.warnings],
    };
    return rendered.path;
  }

  /** The parts that the budget allows; the report says how many it does not. */
  #allowed(conversion: Conversion, report: FileReport, { budget }: Task): Part[] {
    const { parts, partsBeyondLimit = 0, fidelity } = conversion;
    const allowed = parts.slice(0, budget.parts);
    budget.parts -= allowed.length;
    const found = parts.length + partsBeyondLimit;
    if (allowed.length < found) {
      const warning = leftOutWarning(found - allowed.length, found, this.#options.limits);
      report.fidelity = { ...fidelity, warnings: [...fidelity.warnings, warning] };
    }
    return allowed;
  }

  async #runParts(parts: Part[], report: FileReport, task: Task): Promise<void> {
    report.parts = [];
    const below = task.outDir && join(task.outDir, `${partName(basename(task.file))}.parts`);
    for (const part of parts) {
      const partReport = await this.#run({
        file: part.name,
        path: part.path,
        contentType: part.contentType,
        depth: task.depth + 1,
        budget: task.budget,
        outDir: below && join(below, dirname(part.name)),
      });
      report.parts.push(partReport);
      report.outputs.push(...partReport.outputs);
    }
  }

  /** Moves or copies the result to the output directory, under a name that is not taken. */
  async #keep(result: string, name: string, task: Task): Promise<string> {
    const outDir = task.outDir ?? '.';
    await mkdir(outDir, { recursive: true });
    const names = this.#names.get(outDir) ?? new PartNames();
    this.#names.set(outDir, names);
    const isOriginal = result === task.path;
    const keepsName = isOriginal || hasFittingExtension(name, result);
    const target = join(outDir, names.take(keepsName ? name : `${name}${extensionFor(result)}`));
    if (isOriginal) await copyFile(result, target);
    // Renaming fails across file systems.
    else await rename(result, target).catch(() => copyFile(result, target));
    return target;
  }
}

async function sizeOf(path: string): Promise<number> {
  const found = await stat(path);
  if (found.isFile()) return found.size;
  throw new RejectDocument({
    code: 'normalize.not_a_file',
    message: 'The path is a directory or a device, not a file.',
  });
}

/** The extension of a result. Text gets `.txt`, whatever the converter called its file. */
function extensionFor(result: string): string {
  const extension = extname(result);
  return extension === '.csv' ? '.txt' : extension;
}

/** Whether the original's name fits the result too, such as `notes.md` for text. */
function hasFittingExtension(name: string, result: string): boolean {
  const extension = extensionFor(result);
  if (extension !== '.txt') return extname(name).toLowerCase() === extension;
  const original = extensionOf(name);
  return original === 'txt' || (original !== '' && kinds.text.extensions.includes(original));
}

function describe(error: unknown): NonNullable<FileReport['error']> {
  if (error instanceof DroplineError) {
    return {
      code: error.code,
      message: error.message,
      step: error.code.split('.')[0] ?? 'normalize',
      advice: error.advice ?? codes[error.code]?.advice ?? '',
    };
  }
  const message = error instanceof Error ? error.message : String(error);
  const isMissing = error instanceof Error && 'code' in error && error.code === 'ENOENT';
  return {
    code: isMissing ? 'normalize.not_found' : 'normalize.failed',
    message,
    step: 'normalize',
    advice: codes[isMissing ? 'normalize.not_found' : 'normalize.failed']?.advice ?? '',
  };
}
