import { stat } from 'node:fs/promises';
import { RejectDocument } from '../errors.ts';
import { identify } from './identify.ts';
import { converters } from './registry.ts';
import type { Conversion, ConvertInput } from './types.ts';

/**
 * Converts one file: identifies it, checks its size, hands it to the converter of its format.
 * Untrusted files belong in a `ConversionSandbox`, which calls this in a process of its own.
 * @throws RejectDocument for what can never pass, SkipDocument for types that are not converted
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
  const conversion = await converter({ ...input, sizeBytes: size, format });
  await checkOutput(conversion, input);
  conversion.fidelity.warnings.unshift(...warnings);
  return conversion;
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
