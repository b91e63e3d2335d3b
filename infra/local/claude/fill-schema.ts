import { listOf, resolveRef, type Schema, schemasOf } from './schema-rules.ts';

/** Makes a value that a checked schema accepts, with strings from the document where they fit. */

export interface Filling {
  title: string;
  language: string;
  summary: string;
  points: string[];
  /** Numbers that the documents say; without any, each number is 1. */
  numbers?: readonly number[];
}

/** `schema` must have passed `checkSchema`. */
export function fillSchema(schema: Schema, filling: Filling): unknown {
  let next = 0;
  let nextNumber = 0;
  /** The next passage, starting over at the end. */
  const passage = (): string => {
    const { points, summary } = filling;
    return points.length === 0 ? summary : (points[next++ % points.length] ?? summary);
  };
  return fill(schema, '');

  function fill(given: Schema, name: string): unknown {
    const merged = merge(given, schema);
    if (merged.const !== undefined) return merged.const;
    if (Array.isArray(merged.enum)) return merged.enum[0];
    const [choice] = listOf(merged.anyOf);
    if (choice) return fill(choice, name);

    const type = Array.isArray(merged.type) ? merged.type[0] : merged.type;
    switch (type) {
      case 'object': {
        const properties = schemasOf(merged.properties);
        return Object.fromEntries(properties.map(([key, inner]) => [key, fill(inner, key)]));
      }
      case 'array': {
        const items = merged.items as Schema | undefined;
        if (items === undefined) return filling.points.slice(0, 3);
        const count = isText(items) ? Math.max(1, Math.min(5, filling.points.length)) : 1;
        return Array.from({ length: count }, () => fill(items, name));
      }
      case 'integer':
        return number(Number.isSafeInteger);
      case 'number':
        return number(() => true);
      case 'boolean':
        return true;
      case 'null':
        return null;
      default:
        return stringFor(name, merged.format, filling, passage);
    }
  }

  function number(fits: (value: number) => boolean): number {
    const fitting = (filling.numbers ?? []).filter(fits);
    return fitting[nextNumber++ % fitting.length] ?? 1;
  }

  function isText(items: Schema): boolean {
    const merged = merge(items, schema);
    return merged.type === 'string' && merged.enum === undefined && merged.format === undefined;
  }
}

/** The schema with its `$ref` and `allOf` resolved. */
function merge(schema: Schema, root: Schema): Schema {
  if (schema.$ref !== undefined) return merge(resolveRef(root, schema.$ref), root);
  const { allOf, ...merged } = schema;

  for (const part of listOf(allOf)) {
    const inner = merge(part, root);
    const properties = { ...(merged.properties as Schema), ...(inner.properties as Schema) };
    Object.assign(merged, inner);
    if (Object.keys(properties).length > 0) merged.properties = properties;
  }
  return merged;
}

const samples: Record<string, string> = {
  'date-time': '2026-01-31T12:00:00Z',
  date: '2026-01-31',
  time: '12:00:00Z',
  duration: 'P1D',
  email: 'emulator@example.com',
  hostname: 'example.com',
  uri: 'https://example.com/',
  ipv4: '192.0.2.1',
  ipv6: '2001:db8::1',
  uuid: '00000000-0000-4000-8000-000000000000',
};

function stringFor(name: string, format: unknown, filling: Filling, passage: () => string): string {
  if (typeof format === 'string') return samples[format] ?? passage();
  if (/title|name|subject/i.test(name)) return filling.title;
  if (/^lang/i.test(name)) return filling.language;
  if (/summary|abstract|overview/i.test(name)) return filling.summary;
  return passage();
}
