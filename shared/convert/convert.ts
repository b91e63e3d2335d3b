import { stat } from 'node:fs/promises';
import type { Conversion, Converter, ConvertInput } from '../formats/index.ts';
import { identify, isSystemError } from '../formats/inside.ts';
import { DroplineError, RejectDocument } from '../journey/errors.ts';
import { converters } from './registry.ts';

/**
 * Converts one file: checks its size, identifies it and calls the converter of its format.
 * Untrusted files belong in a `ConversionSandbox`, which calls this in a child process.
 * @throws RejectDocument for a file that can never pass, SkipDocument for types that are not
 *   converted, the system's errors (a full disk) as they are
 */
export async function convert(input: ConvertInput): Promise<Conversion> {
  const { size } = await stat(input.path);
  if (size > input.limits.maxBytes) {
    throw new RejectDocument({
      code: 'normalize.too_large',
      message: `The file has ${size} bytes; the limit is ${input.limits.maxBytes}.`,
    });
  }
  const { format, warnings } = await identify(input);
  const converter = await converters[format]();
  const conversion = await run(converter, { ...input, sizeBytes: size, format });
  await checkOutput(conversion, input);
  conversion.fidelity.warnings.unshift(...warnings);
  return conversion;
}

/** An error of a library means that it cannot read this document; system errors are rethrown. */
async function run(converter: Converter, input: ConvertInput): Promise<Conversion> {
  try {
    return await converter(input);
  } catch (error) {
    if (error instanceof DroplineError || isSystemError(error)) throw error;
    const message = error instanceof Error ? error.message : String(error);
    const isMemory = /allocation failed|Invalid (?:string|array|typed array) length/i.test(message);
    throw new RejectDocument({
      code: isMemory ? 'normalize.out_of_memory' : 'normalize.unreadable',
      message: `The ${input.format} converter failed: ${message.slice(0, 200)}`,
      cause: error,
    });
  }
}

async function checkOutput(conversion: Conversion, input: ConvertInput): Promise<void> {
  if (conversion.outcome !== 'file') return;
  const { size } = await stat(conversion.path);
  if (size > input.limits.maxOutputBytes) {
    throw new RejectDocument({
      code: 'normalize.too_large',
      message: `The converted file has ${size} bytes; the limit is ${input.limits.maxOutputBytes}.`,
    });
  }
}
