import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { checkSchema } from '../../infra/local/claude/schema-rules.ts';
import { readFields } from '../../shared/fields/reply.ts';
import { replySchema, type Schema, schemaFaults } from '../../shared/fields/schema.ts';

const object = (properties: object, more: object = {}): Schema => ({
  type: 'object',
  properties,
  ...more,
});

describe('a schema is refused, by place:', () => {
  test.each<[string, Schema, string]>([
    ['no object', { type: 'array', items: { type: 'string' } }, 'schema.type: must be "object"'],
    ['no fields', object({}), 'schema.properties: must name at least one field'],
    [
      'a limit on a number',
      object({ total: { type: 'number', minimum: 0 } }),
      'schema.properties.total.minimum: structured output does not support "minimum"',
    ],
    [
      'a pattern in a list',
      object({ ids: { type: 'array', items: { type: 'string', pattern: '^a' } } }),
      'schema.properties.ids.items.pattern: structured output does not support',
    ],
    [
      'one of several',
      object({ a: { oneOf: [{ type: 'string' }], type: 'string' } }),
      'schema.properties.a.oneOf: structured output does not support "oneOf"',
    ],
    [
      'open objects',
      object({ a: object({ b: { type: 'string' } }, { additionalProperties: true }) }),
      'schema.properties.a.additionalProperties: must be false or left out',
    ],
    [
      'an unknown type',
      object({ a: { type: 'text' } }),
      'schema.properties.a.type: must be one of',
    ],
    ['no type', object({ a: {} }), 'schema.properties.a: needs a type'],
    ['a list of nothing', object({ a: { type: 'array' } }), 'schema.properties.a.items: must be'],
    [
      'two items at least',
      object({ a: { type: 'array', items: { type: 'string' }, minItems: 2 } }),
      'schema.properties.a.minItems: structured output takes 0 and 1',
    ],
    [
      'an unknown format',
      object({ a: { type: 'string', format: 'phone' } }),
      'schema.properties.a.format: structured output takes date-time',
    ],
    [
      'a required field that is not there',
      object({ a: { type: 'string' } }, { required: ['b'] }),
      'schema.required: "b" is not among the properties',
    ],
    [
      'a reference to nothing',
      object({ a: { $ref: '#/$defs/money' } }),
      'schema.properties.a.$ref: must name a definition',
    ],
    [
      'a reference to itself',
      object({ a: { $ref: '#/$defs/a' } }, { $defs: { a: object({ b: { $ref: '#/$defs/a' } }) } }),
      'schema.$defs.a.properties.b: refers to itself',
    ],
    [
      'more beside a reference',
      object({ a: { $ref: '#/$defs/b', type: 'x' } }, { $defs: { b: { type: 'string' } } }),
      'schema.properties.a.type: does not stand beside a $ref',
    ],
    [
      'a reference that is no plain name',
      object({ a: { $ref: '#/$defs/50%' } }, { $defs: { '50%': { type: 'string' } } }),
      'schema.properties.a.$ref: must name a definition',
    ],
    ['an empty enumeration', object({ a: { enum: [] } }), 'schema.properties.a.enum: must be'],
    ['an empty name', object({ '': { type: 'string' } }), 'schema.properties: a field cannot be'],
    ['a schema that is none', object({ a: 'string' }), 'schema.properties.a: must be a schema'],
    [
      'alternatives that are none',
      object({ a: { anyOf: 'string' } }),
      'schema.properties.a.anyOf: must be a list of schemas',
    ],
  ])('%s', (_, schema, fault) => {
    expect(schemaFaults(schema).some((one) => one.startsWith(fault))).toBe(true);
  });

  test('nested deeper than a record can be', () => {
    let schema: Schema = { type: 'string' };
    for (let level = 0; level < 20; level += 1) schema = object({ a: schema });

    expect(schemaFaults(schema).join()).toContain('is nested too deep');
  });
});

/** Schemas of every supported kind. */
const { schema: schemas } = fc.letrec<{ schema: Schema }>((tie) => ({
  schema: fc.oneof(
    { maxDepth: 3 },
    fc.constantFrom<Schema>(
      { type: 'string', description: 'a text' },
      { type: ['number', 'null'] },
      { type: 'string', format: 'date' },
      { enum: ['a', 'b'] },
      { const: 1 },
      { $ref: '#/$defs/money' },
    ),
    fc
      .dictionary(
        fc.constantFrom('a', 'b', 'required', 'enum', 'properties', 'type'),
        tie('schema'),
        {
          minKeys: 1,
        },
      )
      .map((properties) => object(properties, { required: Object.keys(properties).slice(0, 1) })),
    tie('schema').map((items) => ({ type: 'array', items, minItems: 1 })),
    tie('schema').map((one) => ({ anyOf: [one, { type: 'null' }] })),
  ),
}));

test('what is accepted, the API accepts with the quotes around it, as the stand-in checks', () => {
  fc.assert(
    fc.property(schemas, (inner) => {
      const schema = object(
        { inner },
        {
          $schema: 'https://json-schema.org/draft/2020-12/schema',
          $defs: { money: { type: 'number' } },
        },
      );

      expect(schemaFaults(schema)).toEqual([]);
      expect(() => checkSchema(replySchema(schema))).not.toThrow();
      const empty = readFields('{}', schema);
      expect(empty).toEqual({ invalid: expect.stringContaining('must have required property') });
    }),
  );
});
