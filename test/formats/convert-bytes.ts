import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { convert } from '../../shared/convert/convert.ts';
import { defaultLimits, type Limits } from '../../shared/formats/limits.ts';
import type { Conversion } from '../../shared/formats/types.ts';
import { DroplineError } from '../../shared/journey/errors.ts';

export interface Converted {
  conversion: Conversion;
  /** What is uploaded, as text; the original's bytes if it passes unchanged. */
  text: string;
  /** Codes of the warnings, in order. */
  warnings: string[];
  /** Bytes of each part by name. */
  parts: Record<string, Buffer>;
  /** The text layer of a PDF, by pages, where it was wanted. */
  pages: string[] | undefined;
}

export interface ConvertOptions {
  limits?: Partial<Limits>;
  contentType?: string;
  depth?: number;
  wantsText?: boolean;
}

/** Converts `bytes` as a file of that name, in this process, and cleans up afterwards. */
export async function convertBytes(
  name: string,
  bytes: Uint8Array | string,
  { limits, ...options }: ConvertOptions = {},
): Promise<Converted> {
  const dir = await mkdtemp(join(tmpdir(), 'dropline-test-'));
  try {
    const path = join(dir, 'original');
    const outDir = await mkdtemp(join(dir, 'out-'));
    await writeFile(path, bytes);
    const conversion = await convert({
      path,
      name,
      sizeBytes: bytes.length,
      outDir,
      limits: { ...defaultLimits, ...limits },
      ...options,
    });
    const result = conversion.outcome === 'file' ? conversion.path : path;
    const parts: Record<string, Buffer> = {};
    for (const part of conversion.parts) parts[part.name] = await readFile(part.path);
    return {
      conversion,
      text: await readFile(result, 'utf8'),
      warnings: conversion.fidelity.warnings.map(({ code }) => code),
      parts,
      pages:
        conversion.outcome === 'pass' && conversion.textLayer !== undefined
          ? (JSON.parse(await readFile(conversion.textLayer, 'utf8')) as string[])
          : undefined,
    };
  } finally {
    await rm(dir, { recursive: true, force: true });
  }
}

/** The code that a conversion fails with; throws if it succeeds or fails without a code. */
export async function codeOf(converting: Promise<unknown>): Promise<string> {
  try {
    await converting;
  } catch (error) {
    if (error instanceof DroplineError) return error.code;
    throw error;
  }
  throw new Error('the conversion succeeded');
}
