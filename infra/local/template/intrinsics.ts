/** The template has something that the local host does not support. */
export class UnsupportedTemplate extends Error {
  override name = 'UnsupportedTemplate';
}

/** What `Ref` and `Fn::GetAtt` of a resource return: attributes by name, and `Ref`. */
export type ResourceAttributes = Record<string, string>;

export interface Scope {
  resources: Map<string, ResourceAttributes>;
  /** Pseudo parameters (`AWS::Region` …) and the template's own parameters. */
  parameters: Record<string, string>;
}

type Node = unknown;

/**
 * Replaces CloudFormation's intrinsic functions in a part of a template by their values. A property with
 * `AWS::NoValue` is removed.
 * @throws {UnsupportedTemplate} for functions and references that are not supported locally
 */
export function resolve(node: Node, scope: Scope): unknown {
  if (Array.isArray(node)) {
    return node.map((item) => resolve(item, scope)).filter((item) => item !== undefined);
  }
  if (typeof node !== 'object' || node === null) return node;
  const entries = Object.entries(node);
  const [only] = entries;
  if (entries.length === 1 && only && (only[0] === 'Ref' || only[0].startsWith('Fn::'))) {
    return call(only[0], only[1], scope);
  }
  const resolved: Record<string, unknown> = {};
  for (const [name, value] of entries) {
    const item = resolve(value, scope);
    if (item !== undefined) resolved[name] = item;
  }
  return resolved;
}

function call(name: string, argument: Node, scope: Scope): unknown {
  switch (name) {
    case 'Ref':
      return reference(String(argument), scope);
    case 'Fn::GetAtt': {
      const [id, ...attribute] = Array.isArray(argument)
        ? argument.map(String)
        : String(argument).split('.');
      return attributeOf(id ?? '', attribute.join('.'), scope);
    }
    case 'Fn::Join': {
      const [separator, parts] = pair(name, argument);
      return list(name, resolve(parts, scope)).map(String).join(String(separator));
    }
    case 'Fn::Select': {
      const [index, parts] = pair(name, argument);
      const value = list(name, resolve(parts, scope))[Number(index)];
      if (value === undefined) throw new UnsupportedTemplate(`Fn::Select finds no item ${index}`);
      return value;
    }
    case 'Fn::Split': {
      const [separator, text] = pair(name, argument);
      return String(resolve(text, scope)).split(String(separator));
    }
    case 'Fn::Sub':
      return substitute(argument, scope);
    default:
      throw new UnsupportedTemplate(`${name} is not supported by the local host`);
  }
}

function substitute(argument: Node, scope: Scope): string {
  const [text, variables] = Array.isArray(argument) ? argument : [argument, {}];
  const own = resolve(variables ?? {}, scope) as Record<string, unknown>;
  return String(text).replace(/\$\{(!?)([^}]+)\}/g, (_, literal: string, name: string) => {
    if (literal) return `\${${name}}`;
    if (name in own) return String(own[name]);
    const dot = name.indexOf('.');
    return dot === -1
      ? String(reference(name, scope))
      : attributeOf(name.slice(0, dot), name.slice(dot + 1), scope);
  });
}

function reference(id: string, scope: Scope): string | undefined {
  if (id === 'AWS::NoValue') return undefined;
  const parameter = scope.parameters[id];
  return parameter ?? attributeOf(id, 'Ref', scope);
}

function attributeOf(id: string, attribute: string, { resources }: Scope): string {
  const value = resources.get(id)?.[attribute];
  if (value === undefined) {
    throw new UnsupportedTemplate(
      `${attribute === 'Ref' ? 'Ref' : 'Fn::GetAtt'} of ${id}.${attribute} is not supported by the local host`,
    );
  }
  return value;
}

function pair(name: string, argument: Node): [unknown, unknown] {
  if (!Array.isArray(argument) || argument.length !== 2) {
    throw new UnsupportedTemplate(`${name} needs two arguments`);
  }
  return [argument[0], argument[1]];
}

function list(name: string, value: unknown): unknown[] {
  if (!Array.isArray(value)) throw new UnsupportedTemplate(`${name} needs a list`);
  return value;
}
