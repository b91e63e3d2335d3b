/**
 * Schemas of profiles: the part of JSON Schema that structured output of the Messages API takes. What it refuses is
 * refused at the start, by name and place, because the API would refuse it with every document.
 */

/** A JSON Schema as it is written in a profile. */
export type Schema = Readonly<Record<string, unknown>>;

const annotations = ['title', 'description', 'default', 'examples', '$comment'];
const keywords = [
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
];
const types = ['object', 'array', 'string', 'integer', 'number', 'boolean', 'null'];
const formats = [
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
];

/** A record of DynamoDB nests 32 levels, and some of them are ours. */
const deepest = 16;

/** Where a check stands: the path as messages print it, and the schemas that it is inside of. */
interface Place {
  path: string;
  open: readonly Schema[];
}

/**
 * What is wrong with a profile's schema, one sentence a fault, each with its place inside the schema.
 * @param path how messages name the schema itself
 */
export function schemaFaults(schema: Schema, path = 'schema'): string[] {
  const faults: string[] = [];
  const { $schema: _, ...root } = schema;
  if (root.type !== 'object') {
    faults.push(`${path}.type: must be "object", because the fields have names`);
  }
  check(root, { path, open: [] }, root, faults);
  return faults;
}

function check(schema: Schema, { path, open }: Place, root: Schema, faults: string[]): void {
  if (open.includes(schema)) {
    faults.push(`${path}: refers to itself; structured output takes no recursive schemas`);
    return;
  }
  if (open.length >= deepest) {
    faults.push(`${path}: is nested too deep; ${deepest} levels are the most`);
    return;
  }
  const inside = (name: string): Place => ({ path: `${path}.${name}`, open: [...open, schema] });
  for (const keyword of Object.keys(schema)) {
    if (!keywords.includes(keyword)) faults.push(`${path}.${keyword}: ${unsupported(keyword)}`);
  }
  for (const name of ['$defs', 'definitions'] as const) {
    if (schema[name] !== undefined && schema !== root) {
      faults.push(`${path}.${name}: definitions stand at the top of the schema`);
    } else checkNamed(schema[name], inside(name), root, faults);
  }
  if (schema.$ref !== undefined) {
    const beside = Object.keys(schema).find((name) => !['$ref', ...annotations].includes(name));
    if (beside !== undefined && beside !== '$defs' && beside !== 'definitions') {
      faults.push(`${path}.${beside}: does not stand beside a $ref`);
    }
    const target = refTarget(schema.$ref, root);
    if (target) check(target, { path, open: [...open, schema] }, root, faults);
    else faults.push(`${path}.$ref: must name a definition, such as "#/$defs/money"`);
    return;
  }
  checkValues(schema, path, faults);
  checkLists(schema, inside, root, faults);
  if (typesOf(schema).includes('object')) checkObject(schema, inside, root, faults);
  if (typesOf(schema).includes('array')) checkArray(schema, inside, root, faults);
}

const typesOf = ({ type }: Schema): unknown[] => (Array.isArray(type) ? type : [type]);

const unsupported = (keyword: string): string =>
  `structured output does not support "${keyword}"; say it in the description instead`;

/** Types, enumerations and formats. */
function checkValues(schema: Schema, path: string, faults: string[]): void {
  const { type, enum: values, const: only, anyOf, allOf, format } = schema;
  if (type !== undefined) {
    const wrong = typesOf(schema).find((name) => !types.includes(name as string));
    const none = Array.isArray(type) && type.length === 0;
    if (wrong !== undefined || none) {
      faults.push(`${path}.type: must be one of ${types.join(', ')}`);
    }
  } else if (
    [values, only, anyOf, allOf].every((given) => given === undefined) &&
    schema.$ref === undefined
  ) {
    faults.push(`${path}: needs a type, an enum, a const, anyOf, allOf or a $ref`);
  }
  if (values !== undefined && !(Array.isArray(values) && values.length > 0)) {
    faults.push(`${path}.enum: must be a list of values`);
  }
  if (format !== undefined && !formats.includes(format as string)) {
    faults.push(`${path}.format: structured output takes ${formats.join(', ')}`);
  }
}

function checkLists(
  schema: Schema,
  inside: (name: string) => Place,
  root: Schema,
  faults: string[],
): void {
  for (const name of ['anyOf', 'allOf'] as const) {
    const list = schema[name];
    if (list === undefined) continue;
    const place = inside(name);
    if (!Array.isArray(list) || list.length === 0 || !list.every(isSchema)) {
      faults.push(`${place.path}: must be a list of schemas`);
      continue;
    }
    for (const [index, one] of list.entries()) {
      check(one, { ...place, path: `${place.path}[${index}]` }, root, faults);
    }
  }
}

function checkObject(
  schema: Schema,
  inside: (name: string) => Place,
  root: Schema,
  faults: string[],
): void {
  const { additionalProperties, properties, required } = schema;
  if (additionalProperties !== undefined && additionalProperties !== false) {
    const { path } = inside('additionalProperties');
    faults.push(`${path}: must be false or left out; structured output takes named fields only`);
  }
  checkNamed(properties, inside('properties'), root, faults);
  const names = Object.keys(isSchema(properties) ? properties : {});
  if (names.length === 0) faults.push(`${inside('properties').path}: must name at least one field`);
  for (const name of names.filter((one) => one === '' || one === '__proto__')) {
    faults.push(`${inside('properties').path}: a field cannot be named ${JSON.stringify(name)}`);
  }
  if (required === undefined) return;
  const { path } = inside('required');
  if (!Array.isArray(required)) faults.push(`${path}: must be a list of names`);
  else {
    for (const name of required.filter((one) => !names.includes(one as string))) {
      faults.push(`${path}: ${JSON.stringify(name)} is not among the properties`);
    }
  }
}

function checkArray(
  schema: Schema,
  inside: (name: string) => Place,
  root: Schema,
  faults: string[],
): void {
  const { items, minItems = 0 } = schema;
  if (minItems !== 0 && minItems !== 1) {
    faults.push(`${inside('minItems').path}: structured output takes 0 and 1`);
  }
  const place = inside('items');
  if (isSchema(items)) check(items, place, root, faults);
  else faults.push(`${place.path}: must be a schema`);
}

function checkNamed(given: unknown, place: Place, root: Schema, faults: string[]): void {
  if (given === undefined) return;
  if (!isSchema(given)) {
    faults.push(`${place.path}: must be an object of schemas by name`);
    return;
  }
  for (const [name, schema] of Object.entries(given)) {
    const path = `${place.path}.${name}`;
    if (isSchema(schema)) check(schema, { ...place, path }, root, faults);
    else faults.push(`${path}: must be a schema`);
  }
}

function refTarget(ref: unknown, root: Schema): Schema | undefined {
  const [, room, name] = /^#\/(\$defs|definitions)\/([\w.-]+)$/.exec(String(ref)) ?? [];
  if (room === undefined || name === undefined) return undefined;
  const named = root[room];
  const found = isSchema(named) && Object.hasOwn(named, name) ? named[name] : undefined;
  return isSchema(found) ? found : undefined;
}

const isSchema = (value: unknown): value is Schema =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

/**
 * The schema of a reply: the profile's fields as `data`, and beside them a verbatim quote for each value. Definitions
 * move to the top, where their references point. `additionalProperties` is said wherever the profile leaves it out,
 * because the API wants it said.
 * @param schema without faults
 */
export function replySchema(schema: Schema): Record<string, unknown> {
  const { $schema: _, $defs, definitions, ...data } = closed(schema) as Record<string, unknown>;
  return {
    type: 'object',
    properties: {
      data,
      evidence: {
        type: 'array',
        items: {
          type: 'object',
          properties: {
            path: { type: 'string', description: 'JSON Pointer of the value within data' },
            quote: { type: 'string', description: 'Passage of the document, letter for letter' },
          },
          required: ['path', 'quote'],
          additionalProperties: false,
        },
      },
    },
    required: ['data', 'evidence'],
    additionalProperties: false,
    ...($defs === undefined ? {} : { $defs }),
    ...(definitions === undefined ? {} : { definitions }),
  };
}

/** Keywords whose values are values of the document, never schemas. */
const ofValues = ['enum', 'const', 'default', 'examples', 'required'];

/** The same schema with every object closed. */
function closed(schema: unknown, named = false): unknown {
  if (Array.isArray(schema)) return schema.map((one) => closed(one));
  if (!isSchema(schema)) return schema;
  const inner = Object.entries(schema).map(([name, value]) => {
    if (!named && ofValues.includes(name)) return [name, value];
    const holdsNames = !named && ['properties', '$defs', 'definitions'].includes(name);
    return [name, closed(value, holdsNames)];
  });
  const made = Object.fromEntries(inner) as Record<string, unknown>;
  const isObject = !named && typesOf(made).includes('object');
  return isObject ? { ...made, additionalProperties: false } : made;
}
