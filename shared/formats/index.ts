/**
 * The face of the formats' room, for code that handles conversions from outside their process:
 * functions, infra, steps, print, docs. No code here parses a document.
 *
 * Other ways in, and who may take them (enforced by the import rules):
 * - `inside.ts` and `sandbox/serve.ts`: only `shared/convert/`, which runs inside the conversion
 *   process. They are separate so that this process loads no zod and the others load no parser.
 * - The foundations, file by file: only `shared/word/`, which builds on them. They are all of
 *   `office/` and `safety/`, `html/reader.ts`, `html/style-collector.ts`, `text/output.ts`, `text/wording.ts`, `limits.ts` and
 *   `types.ts`. They have no barrel files: reading an XML part must not load yauzl.
 * - Tests import what they test.
 */
export { formatFacts } from './identify/facts.ts';
export { extensionOf, type Format, formats, kinds } from './identify/kinds.ts';
export { type Limits, limitsSchema, readLimits, WrongLimits } from './limits.ts';
export { PartNames, partName } from './safety/part-name.ts';
export { ConversionSandbox } from './sandbox/sandbox.ts';
export type { Conversion, Converter, ConvertInput, Part } from './types.ts';
