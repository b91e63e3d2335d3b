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
  PartNames,
  partName,
} from '../../../shared/formats/index.ts';
import { DroplineError, RejectDocument, SkipDocument } from '../../../shared/journey/errors.ts';
import type { Fidelity } from '../../../shared/journey/record.ts';
import type { Renderer } from '../../../shared/print/index.ts';

/** Runs files through normalizing and rendering with no pipeline around, for the command line. */

/** What became of one file; one JSON line of `npm run normalize -- --json`. */
export interface Report {
  /** As it was given; of a part, its name within its parent. */
  file: string;
  status: 'normalized' | 'failed' | 'skipped';
  route?: string;
  /** Type of what goes to Claude. */
  mimeType?: string;
  /** Bytes of the original. */
  sizeBytes: number;
  fidelity?: Fidelity;
  error?: { code: string; message: string; step: string; advice: string };
  ms: number;
  /** Of the conversion process, in MiB; the browser that renders is not counted. */
  peakRssMb: number;
  /** Files made below the output directory. */
  outputs: string[];
  /** What became of the files inside the file. */
  parts?: Report[];
}

export interface NormalizeOptions {
  limits: Limits;
  /** Where results are kept; without it they are thrown away. */
  out?: string;
  renderer: 'chromium' | 'libreoffice';
  browserPath?: string;
  /** What relative paths are relative to. */
  cwd: string;
}

interface Task {
  file: string;
  path: string;
  contentType?: string | undefined;
  depth: number;
  outDir: string | undefined;
}

/** Normalizes files one after the other. Close it in the end. */
export class FileNormalizer {
  readonly #sandbox: ConversionSandbox;
  readonly #options: NormalizeOptions;
  readonly #names = new Map<string, PartNames>();
  #rendering: Promise<Renderer> | undefined;

  constructor(sandbox: ConversionSandbox, options: NormalizeOptions) {
    this.#sandbox = sandbox;
    this.#options = options;
  }

  /** Throws nothing: a file that cannot be read is reported as `failed`. */
  normalize(file: string): Promise<Report> {
    const { cwd, out } = this.#options;
    const outDir = out === undefined ? undefined : resolve(cwd, out);
    return this.#run({ file, path: resolve(cwd, file), depth: 0, outDir });
  }

  async close(): Promise<void> {
    await this.#sandbox.close();
    await (await this.#rendering)?.close();
  }

  async #run(task: Task): Promise<Report> {
    const started = performance.now();
    const report: Report = {
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
    // The time of the parts is in their own reports.
    const partsMs = (report.parts ?? []).reduce((sum, part) => sum + part.ms, 0);
    report.ms = Math.round((performance.now() - started - partsMs) * 10) / 10;
    return report;
  }

  async #fill(report: Report, task: Task, dir: string): Promise<void> {
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
    const made = await this.#made(conversion, report, task, dir);
    if (made && task.outDir) report.outputs.push(await this.#keep(made, name, task));
    if (conversion.parts.length > 0) await this.#runParts(conversion, report, task);
  }

  /** The file that would go to Claude; undefined when only its parts would. */
  async #made(
    conversion: Conversion,
    report: Report,
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

  async #render(report: Report, task: Task, dir: string): Promise<string> {
    const { browserPath, limits, renderer: kind } = this.#options;
    this.#rendering ??= import('../../../shared/print/index.ts').then((render) =>
      render.createRenderer(),
    );
    const renderer = await this.#rendering;
    const rendered = await renderer.render({
      path: task.path,
      name: basename(task.file),
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

  async #runParts(conversion: Conversion, report: Report, task: Task): Promise<void> {
    report.parts = [];
    const below = task.outDir && join(task.outDir, `${partName(basename(task.file))}.parts`);
    for (const part of conversion.parts) {
      const partReport = await this.#run({
        file: part.name,
        path: part.path,
        contentType: part.contentType,
        depth: task.depth + 1,
        outDir: below && join(below, dirname(part.name)),
      });
      report.parts.push(partReport);
      report.outputs.push(...partReport.outputs);
    }
  }

  /** Moves or copies what was made to the output directory, under a name of its own. */
  async #keep(made: string, name: string, task: Task): Promise<string> {
    const outDir = task.outDir ?? '.';
    await mkdir(outDir, { recursive: true });
    const names = this.#names.get(outDir) ?? new PartNames();
    this.#names.set(outDir, names);
    const isOriginal = made === task.path;
    const isRightlyNamed = isOriginal || extnameFits(name, made);
    const target = join(outDir, names.take(isRightlyNamed ? name : `${name}${endingOf(made)}`));
    if (isOriginal) await copyFile(made, target);
    else await rename(made, target).catch(() => copyFile(made, target));
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

/** What text becomes ends in `.txt`, whatever the converter called its file. */
function endingOf(made: string): string {
  const extension = extname(made);
  return extension === '.csv' ? '.txt' : extension;
}

function extnameFits(name: string, made: string): boolean {
  const textual = kinds.text.extensions;
  return endingOf(made) === '.txt'
    ? extensionOf(name) === 'txt' ||
        (textual.includes(extensionOf(name)) && extensionOf(name) !== '')
    : extname(name).toLowerCase() === endingOf(made);
}

function describe(error: unknown): NonNullable<Report['error']> {
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
