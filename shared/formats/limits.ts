import { z } from 'zod';

const MiB = 1024 * 1024;

/**
 * What a single conversion may use. Every limit has a default that is safe in a 2 GB function and
 * can be overridden by the `limits` setting.
 */
export const limitsSchema = z.object({
  maxBytes: z
    .int()
    .positive()
    .default(500 * 1000 * 1000)
    .describe('Bytes of the original. The Files API rejects more than 500 MB.'),
  maxUnzippedBytes: z
    .int()
    .positive()
    .default(512 * MiB)
    .describe('Bytes that all entries of a zip container (docx, xlsx, zip …) unpack to.'),
  maxXmlBytes: z
    .int()
    .positive()
    .default(64 * MiB)
    .describe('Bytes of one XML part of an office file.'),
  maxZipEntries: z.int().positive().default(10_000).describe('Entries in one zip container.'),
  maxZipRatio: z
    .number()
    .positive()
    .default(200)
    .describe(
      'Ratio of unpacked to packed size above which an entry of 16 MiB or more counts as a zip bomb.',
    ),
  maxXmlDepth: z.int().positive().default(1_000).describe('Nesting depth of XML or HTML elements.'),
  maxRows: z
    .int()
    .positive()
    .default(10_000_000)
    .describe('Rows kept of a table, or of each sheet; the rest are counted and reported.'),
  maxCells: z.int().positive().default(20_000_000).describe('Cells kept of a workbook.'),
  maxLineChars: z
    .int()
    .positive()
    .default(16 * MiB)
    .describe('Characters in one row of a delimited file.'),
  maxPages: z.int().positive().default(5_000).describe('Pages of a PDF.'),
  maxPixelsPerSide: z
    .int()
    .positive()
    .default(8_000)
    .describe(
      'Width and height of a picture, in pixels, above which it is scaled to what Claude accepts.',
    ),
  maxPixels: z
    .int()
    .positive()
    .default(268_000_000)
    .describe('Width times height of a picture, in pixels; a larger one is rejected.'),
  maxImageBytes: z
    .int()
    .positive()
    .default(30 * 1000 * 1000)
    .describe('Bytes of a picture above which it is rewritten, scaled to what Claude accepts.'),
  maxOutputBytes: z
    .int()
    .positive()
    .default(500 * 1000 * 1000)
    .describe('Bytes of text a conversion may produce.'),
  maxNesting: z
    .int()
    .nonnegative()
    .default(1)
    .describe('How many levels of containers within containers are opened.'),
  maxParts: z
    .int()
    .positive()
    .max(10_000)
    .default(1_000)
    .describe(
      'Documents that the attachments and archive entries of one dropped file may become, at every level together; the rest are counted and reported.',
    ),
  maxSeconds: z
    .number()
    .positive()
    .default(120)
    .describe('Wall-clock seconds after which a conversion process is killed.'),
  maxMemoryMb: z
    .int()
    .positive()
    .default(1_536)
    .describe('Resident memory in MiB above which a conversion process is killed.'),
});

export type Limits = z.infer<typeof limitsSchema>;

/** The safe defaults. */
export const defaultLimits: Limits = limitsSchema.parse({});

/** The given limits are wrong; the message names each wrong one. */
export class WrongLimits extends Error {
  override readonly name = 'WrongLimits';
}

/**
 * Checks the given limits. A limit that is left out stays left out; its default is filled in where
 * the limits are used.
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
    return `unknown limit ${issue.keys.join(', ')}; the limits are ${Object.keys(limitsSchema.shape).join(', ')}`;
  }
  if (name === undefined) return 'expected a JSON object such as {"maxRows": 1000}';
  return `${String(name)}: ${issue.message}`;
}
