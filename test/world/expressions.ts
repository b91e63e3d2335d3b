/** The part of DynamoDB's expression language that the ledger uses. Anything else throws. */

export type Item = Record<string, unknown>;

export interface Placeholders {
  ExpressionAttributeNames: Record<string, string>;
  ExpressionAttributeValues: Record<string, unknown>;
  /** The request's other expression: its placeholders may be unused in this one. */
  elsewhere?: string | undefined;
}

/** DynamoDB refuses the request as a whole. */
export class ValidationError extends Error {
  override readonly name = 'ValidationException';
}

/** Whether an item meets a condition. A missing item is `{}`. */
export function meets(expression: string, item: Item, given: Placeholders): boolean {
  const reader = new Reader(expression, given);
  const result = disjunction(reader, item);
  reader.end();
  return result;
}

/** The updated item; the given one is not changed. */
export function applyUpdate(expression: string, item: Item, given: Placeholders): Item {
  const reader = new Reader(expression, given);
  const writes: { path: string[]; value?: { of: unknown } }[] = [];
  while (!reader.atEnd()) {
    const clause = reader.next();
    do {
      const path = reader.path();
      if (clause === 'SET') {
        reader.take('=');
        writes.push({ path, value: { of: sum(reader, item) } });
      } else if (clause === 'REMOVE') writes.push({ path });
      else throw new ValidationError(`unknown clause ${clause}`);
    } while (reader.takes(','));
  }
  reader.end();

  const paths = writes.map(({ path }) => path.join('.'));
  for (const [at, path] of paths.entries()) {
    const overlaps = paths.some(
      (other, index) => index !== at && `${other}.`.startsWith(`${path}.`),
    );
    if (overlaps) throw new ValidationError(`Two document paths overlap: ${path}`);
  }
  const next = structuredClone(item);
  for (const { path, value } of writes) write(next, path, value);
  return next;
}

function write(item: Item, path: string[], value: { of: unknown } | undefined): void {
  const [last = '', ...above] = path.toReversed();
  let target: unknown = item;
  for (const name of above.toReversed()) target = isMap(target) ? target[name] : undefined;
  if (!isMap(target)) {
    throw new ValidationError('The document path provided in the update expression is invalid');
  }
  if (value) target[last] = structuredClone(value.of);
  else delete target[last];
}

function sum(reader: Reader, item: Item): unknown {
  const left = operand(reader, item);
  if (!reader.takes('+')) return left;
  const right = operand(reader, item);
  if (typeof left !== 'number' || typeof right !== 'number') {
    throw new ValidationError('An operand in the update expression has an incorrect data type');
  }
  return left + right;
}

function operand(reader: Reader, item: Item): unknown {
  if (reader.takes('if_not_exists')) {
    reader.take('(');
    const found = valueAt(item, reader.path());
    reader.take(',');
    const other = operand(reader, item);
    reader.take(')');
    return found === undefined ? other : found;
  }
  if (reader.peek().startsWith(':')) return reader.value();
  const found = valueAt(item, reader.path());
  if (found === undefined) {
    throw new ValidationError('The provided expression refers to an attribute that does not exist');
  }
  return found;
}

function disjunction(reader: Reader, item: Item): boolean {
  let result = conjunction(reader, item);
  // Both sides are always parsed, because parsing finds the mistakes.
  while (reader.takes('OR')) result = conjunction(reader, item) || result;
  return result;
}

function conjunction(reader: Reader, item: Item): boolean {
  let result = condition(reader, item);
  while (reader.takes('AND')) result = condition(reader, item) && result;
  return result;
}

function condition(reader: Reader, item: Item): boolean {
  if (reader.takes('(')) {
    const result = disjunction(reader, item);
    reader.take(')');
    return result;
  }
  if (reader.takes('NOT')) return !condition(reader, item);
  for (const name of ['attribute_not_exists', 'attribute_exists']) {
    if (!reader.takes(name)) continue;
    reader.take('(');
    const found = valueAt(item, reader.path()) !== undefined;
    reader.take(')');
    return name === 'attribute_exists' ? found : !found;
  }
  if (reader.takes('begins_with')) {
    reader.take('(');
    const found = valueAt(item, reader.path());
    reader.take(',');
    const prefix = reader.value();
    reader.take(')');
    return typeof found === 'string' && typeof prefix === 'string' && found.startsWith(prefix);
  }
  const left = comparand(reader, item);
  const comparison = reader.next();
  return compare(left, comparison, comparand(reader, item));
}

function comparand(reader: Reader, item: Item): unknown {
  return reader.peek().startsWith(':') ? reader.value() : valueAt(item, reader.path());
}

/** A missing value, or one of another type, only compares by `<>`. */
function compare(left: unknown, comparison: string, right: unknown): boolean {
  if (comparison === '<>') return left !== right;
  const comparable = typeof left === typeof right && left !== undefined;
  const [a, b] = [left as number, right as number];
  switch (comparison) {
    case '=':
      return comparable && a === b;
    case '<':
      return comparable && a < b;
    case '<=':
      return comparable && a <= b;
    case '>':
      return comparable && a > b;
    case '>=':
      return comparable && a >= b;
    default:
      throw new ValidationError(`unknown comparison ${comparison}`);
  }
}

function valueAt(item: Item, path: string[]): unknown {
  let value: unknown = item;
  for (const name of path) value = isMap(value) ? value[name] : undefined;
  return value;
}

function isMap(value: unknown): value is Item {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** Reads an expression token by token and keeps track of the placeholders used. */
class Reader {
  readonly #tokens: string[];
  readonly #given: Placeholders;
  #at = 0;

  constructor(expression: string, given: Placeholders) {
    this.#tokens = expression.match(/[#:]?\w+|<>|<=|>=|[=<>(),.+]/g) ?? [];
    this.#given = given;
    if (this.#tokens.join('') !== expression.replaceAll(/\s/g, '')) {
      throw new ValidationError(`Syntax error in "${expression}"`);
    }
  }

  peek(): string {
    return this.#tokens[this.#at] ?? '';
  }

  next(): string {
    const token = this.peek();
    this.#at += 1;
    return token;
  }

  takes(token: string): boolean {
    if (this.peek() !== token) return false;
    this.#at += 1;
    return true;
  }

  take(token: string): void {
    if (!this.takes(token)) throw new ValidationError(`"${token}" expected, not "${this.peek()}"`);
  }

  atEnd(): boolean {
    return this.#at >= this.#tokens.length;
  }

  path(): string[] {
    const path = [this.#name()];
    while (this.takes('.')) path.push(this.#name());
    return path;
  }

  value(): unknown {
    const token = this.next();
    const { ExpressionAttributeValues: values } = this.#given;
    if (!(token in values)) throw new ValidationError(`no value for ${token}`);
    return values[token];
  }

  /** The expression must end here, and every placeholder must have been used. */
  end(): void {
    if (!this.atEnd()) throw new ValidationError(`unexpected: "${this.peek()}"`);
    const { ExpressionAttributeNames, ExpressionAttributeValues, elsewhere = '' } = this.#given;
    const used = new Set([...this.#tokens, ...(elsewhere.match(/[#:]\w+/g) ?? [])]);
    const all = [
      ...Object.keys(ExpressionAttributeNames),
      ...Object.keys(ExpressionAttributeValues),
    ];
    for (const name of all) {
      if (!used.has(name)) throw new ValidationError(`unused in expressions: ${name}`);
    }
  }

  #name(): string {
    const token = this.next();
    if (!token.startsWith('#')) {
      if (!/^\w+$/.test(token)) throw new ValidationError(`not a name: "${token}"`);
      if (reserved.has(token.toUpperCase())) throw new ValidationError(`reserved: ${token}`);
      return token;
    }
    const name = this.#given.ExpressionAttributeNames[token];
    if (name === undefined) throw new ValidationError(`no name for ${token}`);
    return name;
  }
}

/** DynamoDB's reserved words that are names of the ledger's attributes. */
const reserved = new Set([
  'STATE',
  'STATUS',
  'ORDER',
  'OWNER',
  'UNTIL',
  'KEY',
  'HASH',
  'RANGE',
  'SOURCE',
  'PRIOR',
]);
