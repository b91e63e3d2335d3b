import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { DroplineError } from '../../shared/errors.ts';
import { convert } from '../../shared/formats/convert.ts';
import { defaultLimits, type Limits } from '../../shared/formats/limits.ts';
import type { Conversion } from '../../shared/formats/types.ts';

/** A conversion with what it wrote. */
export interface Converted {
  conversion: Conversion;
  /** What the converted file holds; empty when the original passes or is to be rendered. */
  text: string;
  /** Codes of its warnings, in order. */
  warnings: string[];
}

/** Converts bytes as a file of this name, in a folder of its own that is gone afterwards. */
export async function convertBytes(
  name: string,
  bytes: Uint8Array,
  limits: Partial<Limits> = {},
): Promise<Converted> {
  const folder = await mkdtemp(path.join(tmpdir(), 'dropline-test-'));
  try {
    const source = path.join(folder, 'original');
    await writeFile(source, bytes);
    const outDir = await mkdtemp(path.join(folder, 'out-'));
    const conversion = await convert({
      path: source,
      name,
      sizeBytes: bytes.length,
      outDir,
      limits: { ...defaultLimits, ...limits },
    });
    const text = conversion.outcome === 'file' ? await readFile(conversion.path, 'utf8') : '';
    return { conversion, text, warnings: conversion.fidelity.warnings.map(({ code }) => code) };
  } finally {
    await rm(folder, { recursive: true });
  }
}

/** The code that converting these bytes fails with; throws when it does not fail. */
export async function codeOf(
  name: string,
  bytes: Uint8Array,
  limits: Partial<Limits> = {},
): Promise<string> {
  const ended = await endingOf(name, bytes, limits);
  if (typeof ended !== 'string') throw new Error(`${name} was converted`);
  return ended;
}

/** The code of its refusal, or the conversion. Errors without a code of ours are thrown. */
export async function endingOf(
  name: string,
  bytes: Uint8Array,
  limits: Partial<Limits> = {},
): Promise<string | Converted> {
  try {
    return await convertBytes(name, bytes, limits);
  } catch (error) {
    if (error instanceof DroplineError) return error.code;
    throw error;
  }
}
