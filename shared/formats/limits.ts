import { z } from 'zod';

const MiB = 1024 * 1024;

/**
 * What a single conversion may take. Every number has a default that is safe in a 2 GB function;
 * all can be overridden by the `limits` setting.
 */
export const limitsSchema = z.object({
  /** Bytes of the original. The Files API refuses more than 500 MB. */
  maxBytes: z
    .int()
    .positive()
    .default(500 * 1000 * 1000),
  /** Bytes all entries of a zip container (docx, xlsx, zip …) may unpack to. */
  maxUnzippedBytes: z
    .int()
    .positive()
    .default(512 * MiB),
  /** Bytes one XML part of an office file may have. */
  maxXmlBytes: z
    .int()
    .positive()
    .default(64 * MiB),
  /** Entries in one zip container. */
  maxZipEntries: z.int().positive().default(10_000),
  /** Unpacked to packed size of one entry above which it counts as a bomb (from 1 MiB unpacked). */
  maxZipRatio: z.number().positive().default(200),
  /** Depth of nested XML or HTML elements. */
  maxXmlDepth: z.int().positive().default(1_000),
  /** Rows kept of a table or sheet; the rest is counted and reported. */
  maxRows: z.int().positive().default(10_000_000),
  /** Cells kept of a workbook, which is held in memory; delimited text is not. */
  maxCells: z.int().positive().default(20_000_000),
  /** Characters in one line or cell of a delimited file. */
  maxLineChars: z
    .int()
    .positive()
    .default(16 * MiB),
  /** Pages of a PDF. */
  maxPages: z.int().positive().default(5_000),
  /** Width and height Claude takes, in pixels. */
  maxPixelsPerSide: z.int().positive().default(8_000),
  /** Width times height that is decoded at all, in pixels. */
  maxPixels: z.int().positive().default(268_000_000),
  /** Bytes of text a conversion may produce. */
  maxOutputBytes: z
    .int()
    .positive()
    .default(500 * 1000 * 1000),
  /** Containers within containers that are still opened. */
  maxNesting: z.int().nonnegative().default(1),
  /** Wall-clock seconds of one conversion before its process is killed. */
  maxSeconds: z.number().positive().default(120),
  /** Resident memory of the conversion process before it is killed, in MiB. */
  maxMemoryMb: z.int().positive().default(1_536),
});

export type Limits = z.infer<typeof limitsSchema>;

/** The safe defaults. */
export const defaultLimits: Limits = limitsSchema.parse({});
