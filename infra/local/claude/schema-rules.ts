import { invalid } from './errors.ts';

/**
 * The supported subset of JSON Schema in `output_config.format.schema`. The list is what the SDK's
 * `transformJSONSchema` keeps, which it describes as the supported subset; it moves everything else
 * into descriptions. A schema with more gets 400 here, before it does so in production.
 */

export type Schema = Record<string, unknown>;

const annotations = ['title', 'description', 'default', 'examples', '$schema', '$id', '$comment'];
const allowed = new Set([
  ...annotations,
  'type',
  'properties',
  'required',
  'additionalProperties',
  'items',
  'minItems',
  'enum',
  'const',
  'anyOf',
  'allOf',
  '$ref',
  '$defs',
  'definitions',
  'format',
]);
const types = new Set(['object', 'array', 'string', 'integer', 'number', 'boolean', 'null']);
const formats = new Set([
  'date-time',
  'time',
  'date',
  'duration',
  'email',
  'hostname',
  'uri',
  'ipv4',
  'ipv6',
  'uuid',
]);
const at = 'output_config.format.schema';

function isSchema(value: unknown): value is Schema {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** Schemas by name under `properties`, `$defs` or `definitions`. Throws 400 when malformed. */
export function schemasOf(value: unknown): [string, Schema][] {
  if (value === undefined) return [];
  if (!isSchema(value)) throw invalid(`${at}: properties and definitions must be objects`);
  return Object.entries(value).map(([name, schema]) => {
    if (!isSchema(schema)) throw invalid(`${at}: ${name} is not a schema`);
    return [name, schema];
  });
}

/** Schemas in `anyOf` or `allOf`. Throws 400 when it is not a list of schemas. */
export function listOf(value: unknown): Schema[] {
  if (value === undefined) return [];
  if (!Array.isArray(value) || value.length === 0 || !value.every(isSchema)) {
    throw invalid(`${at}: anyOf and allOf must be lists of schemas`);
  }
  return value;
}

/** The target of a `$ref` inside the document. Throws 400 when there is none. */
export function resolveRef(root: Schema, ref: unknown): Schema {
  const parts = typeof ref === 'string' ? ref.split('/') : [];
  if (parts[0] !== '#') throw invalid(`${at}: external $ref is not supported`);
  let found: unknown = root;
  for (const part of parts.slice(1)) {
    const name = part.replaceAll('~1', '/').replaceAll('~0', '~');
    found = isSchema(found) ? found[name] : undefined;
  }
  if (!isSchema(found)) throw invalid(`${at}: ${String(ref)} points to nothing`);
  return found;
}

/** Throws 400 on whatever structured output does not support. */
export function checkSchema(root: Schema): void {
  check(root, root, []);
}

function check(schema: Schema, root: Schema, open: readonly Schema[]): void {
  if (open.includes(schema)) throw invalid(`${at}: recursive schemas are not supported`);
  const path = [...open, schema];
  for (const keyword of Object.keys(schema)) {
    if (!allowed.has(keyword)) throw invalid(`${at}: the keyword '${keyword}' is not supported`);
  }
  for (const [, inner] of [...schemasOf(schema.$defs), ...schemasOf(schema.definitions)]) {
    check(inner, root, path);
  }
  if (schema.$ref !== undefined) {
    check(resolveRef(root, schema.$ref), root, path);
    return;
  }

  const choices = [...listOf(schema.anyOf), ...listOf(schema.allOf)];
  for (const choice of choices) check(choice, root, path);
  const declared = Array.isArray(schema.type) ? schema.type : [schema.type];
  if (schema.type === undefined) {
    if (choices.length === 0 && schema.enum === undefined && schema.const === undefined) {
      throw invalid(`${at}: a schema needs a type, enum, const, anyOf, allOf or $ref`);
    }
  } else if (!declared.every((type) => types.has(type))) {
    throw invalid(`${at}: ${JSON.stringify(schema.type)} is not a type`);
  }
  if (schema.enum !== undefined && (!Array.isArray(schema.enum) || schema.enum.length === 0)) {
    throw invalid(`${at}: enum must be a list with values`);
  }
  if (declared.includes('object')) checkObject(schema, root, path);
  if (declared.includes('array')) checkArray(schema, root, path);
  if (schema.format !== undefined && !formats.has(String(schema.format))) {
    throw invalid(`${at}: the string format ${String(schema.format)} is not supported`);
  }
}

function checkObject(schema: Schema, root: Schema, path: readonly Schema[]): void {
  if (schema.additionalProperties !== false) {
    throw invalid(
      `${at}: For 'object' type, 'additionalProperties' must be explicitly set to false`,
    );
  }
  const properties = schemasOf(schema.properties);
  for (const [, inner] of properties) check(inner, root, path);
  const names = new Set(properties.map(([name]) => name));
  const required = schema.required ?? [];
  if (!Array.isArray(required) || !required.every((name) => names.has(name))) {
    throw invalid(`${at}: required must name properties of the object`);
  }
}

function checkArray(schema: Schema, root: Schema, path: readonly Schema[]): void {
  const { items, minItems = 0 } = schema;
  if (minItems !== 0 && minItems !== 1) {
    throw invalid(`${at}: For 'array' type, 'minItems' values other than 0 or 1 are not supported`);
  }
  if (items === undefined) return;
  if (!isSchema(items)) throw invalid(`${at}: items must be a schema`);
  check(items, root, path);
}
