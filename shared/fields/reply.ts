import { Ajv2020, type ValidateFunction } from 'ajv/dist/2020.js';
import addFormats from 'ajv-formats';
import { replySchema, type Schema } from './schema.ts';

/** A reply that holds what the profile's schema asks for, with a quote for each value. */
export interface FieldsReply {
  data: unknown;
  evidence: { path: string; quote: string }[];
}

/** Faults that a second call is told, and that a record shows; more help nobody. */
const mostFaults = 5;

/**
 * Reads a reply and checks it against the profile's schema, although the API promises to: what a record says about its
 * data does not rest on a promise.
 * @param text the text of the reply
 * @returns what is in it, or one sentence that says what is wrong; never a word of the document
 */
export function readFields(text: string, schema: Schema): FieldsReply | { invalid: string } {
  let given: unknown;
  try {
    // Half a pair of surrogates, which JSON can carry, cannot be stored.
    given = JSON.parse(text, (_, value: unknown) =>
      typeof value === 'string' ? value.toWellFormed() : value,
    );
  } catch {
    return { invalid: 'it is not JSON' };
  }
  const validate = validator(schema);
  if (!validate) return { invalid: 'the schema cannot be compiled' };
  if (!validate(given)) {
    const faults = (validate.errors ?? []).map(
      ({ instancePath, message = 'is wrong' }) => `${instancePath || 'the answer'} ${message}`,
    );
    return { invalid: [...new Set(faults)].slice(0, mostFaults).join('; ').slice(0, 400) };
  }
  const reply = given as FieldsReply;
  const unfit = unstorable(reply.data, '/data');
  return unfit === undefined
    ? reply
    : { invalid: `${unfit} is a number that is not stored exactly` };
}

/**
 * The check of a reply. `schemaFaults` lets no schema pass that does not compile; if one did, that must not cost a reply
 * that was paid for, again and again.
 */
function validator(schema: Schema): ValidateFunction | undefined {
  const ajv = new Ajv2020({ strict: false, validateSchema: false, allErrors: true, logger: false });
  addFormats.default(ajv);
  try {
    return ajv.compile(replySchema(schema));
  } catch {
    return undefined;
  }
}

/** The path of a number that DynamoDB and its client do not take. */
function unstorable(value: unknown, path: string): string | undefined {
  if (typeof value === 'number') {
    const size = Math.abs(value);
    const fits = size <= Number.MAX_SAFE_INTEGER && (size === 0 || size >= 1e-130);
    return fits ? undefined : path;
  }
  if (typeof value !== 'object' || value === null) return undefined;
  for (const [name, inner] of Object.entries(value)) {
    const found = unstorable(inner, `${path}/${name}`);
    if (found !== undefined) return found;
  }
  return undefined;
}
