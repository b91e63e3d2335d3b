import { z } from 'zod';

const MiB = 1024 * 1024;

/**
 * What a single conversion may take. Every number has a default that is safe in a 2 GB function;
 * all can be overridden by the `limits` setting.
 */
export const limitsSchema = z.object({
  maxBytes: z
    .int()
    .positive()
    .default(500 * 1000 * 1000)
    .describe('Bytes of the original. The Files API refuses more than 500 MB.'),
  maxUnzippedBytes: z
    .int()
    .positive()
    .default(512 * MiB)
    .describe('Bytes all entries of a zip container (docx, xlsx, zip …) may unpack to.'),
  maxXmlBytes: z
    .int()
    .positive()
    .default(64 * MiB)
    .describe('Bytes one XML part of an office file may have.'),
  maxZipEntries: z.int().positive().default(10_000).describe('Entries in one zip container.'),
  maxZipRatio: z
    .number()
    .positive()
    .default(200)
    .describe(
      'Unpacked to packed size of one entry above which it counts as a bomb (from 16 MiB unpacked).',
    ),
  maxXmlDepth: z.int().positive().default(1_000).describe('Depth of nested XML or HTML elements.'),
  maxRows: z
    .int()
    .positive()
    .default(10_000_000)
    .describe('Rows kept of a table, or of each sheet; the rest is counted and reported.'),
  maxCells: z.int().positive().default(20_000_000).describe('Cells kept of a workbook.'),
  maxLineChars: z
    .int()
    .positive()
    .default(16 * MiB)
    .describe('Characters in one line or cell of a delimited file.'),
  maxPages: z.int().positive().default(5_000).describe('Pages of a PDF.'),
  maxPixelsPerSide: z
    .int()
    .positive()
    .default(8_000)
    .describe('Width and height Claude takes, in pixels.'),
  maxPixels: z
    .int()
    .positive()
    .default(268_000_000)
    .describe('Width times height that is decoded at all, in pixels.'),
  maxImageBytes: z
    .int()
    .positive()
    .default(30 * 1000 * 1000)
    .describe('Bytes of a picture above which it is written anew, scaled to what Claude takes.'),
  maxOutputBytes: z
    .int()
    .positive()
    .default(500 * 1000 * 1000)
    .describe('Bytes of text a conversion may produce.'),
  maxNesting: z
    .int()
    .nonnegative()
    .default(1)
    .describe('Containers within containers that are still opened.'),
  maxSeconds: z
    .number()
    .positive()
    .default(120)
    .describe('Wall-clock seconds of one conversion before its process is killed.'),
  maxMemoryMb: z
    .int()
    .positive()
    .default(1_536)
    .describe('Resident memory of the conversion process before it is killed, in MiB.'),
});

export type Limits = z.infer<typeof limitsSchema>;

/** The safe defaults. */
export const defaultLimits: Limits = limitsSchema.parse({});

/** Limits that a person gave are wrong; the message names each that is. */
export class WrongLimits extends Error {
  override readonly name = 'WrongLimits';
}

/**
 * The limits that a person gave, checked. What is left out is left out here too: it has its default
 * where the limits are used.
 * @throws {WrongLimits}
 */
export function readLimits(given: unknown): Partial<Limits> {
  const result = limitsSchema.strict().safeParse(given);
  if (result.success) return given as Partial<Limits>;
  throw new WrongLimits(result.error.issues.map(faultOf).join('; '));
}

function faultOf(issue: z.core.$ZodIssue): string {
  const [name] = issue.path;
  if (issue.code === 'unrecognized_keys') {
    return `there is no limit ${issue.keys.join(', ')}; there are ${Object.keys(limitsSchema.shape).join(', ')}`;
  }
  if (name === undefined) return 'a JSON object is wanted, such as {"maxRows": 1000}';
  return `${String(name)}: ${issue.message}`;
}
