/**
 * Importing this gives its process a fixed place: the time zone UTC and the locale `en-US`, whatever the machine
 * has. Libraries ask for both unseen (SheetJS counts days in the local zone, postal-mime prints the date of a
 * forwarded mail), and a document converted on two machines must give the same bytes.
 */

const place = 'en-US';

/** What the caller asked for, then ours: without a known one, the machine's would be taken. */
function placed([locales, ...more]: unknown[]): unknown[] {
  return [[locales ?? []].flat().concat(place), ...more];
}

process.env.TZ = 'UTC';

for (const name of Object.getOwnPropertyNames(Intl)) {
  const service = Reflect.get(Intl, name) as unknown;
  // `Intl.Locale` takes one locale and has no default.
  if (typeof service !== 'function' || !('supportedLocalesOf' in service)) continue;
  const fixed = new Proxy(service, {
    construct: (target, given, newTarget) =>
      Reflect.construct(target, placed(given), newTarget) as object,
    apply: (target, self, given) => Reflect.apply(target, self, placed(given)) as unknown,
  });
  Object.defineProperty(Intl, name, { value: fixed });
}

/** The methods that take locales, and how many arguments come before these. */
const methods: [target: object, names: string[], before: number][] = [
  [Date.prototype, ['toLocaleString', 'toLocaleDateString', 'toLocaleTimeString'], 0],
  [Number.prototype, ['toLocaleString'], 0],
  [BigInt.prototype, ['toLocaleString'], 0],
  [String.prototype, ['toLocaleLowerCase', 'toLocaleUpperCase'], 0],
  [String.prototype, ['localeCompare'], 1],
];

for (const [target, names, before] of methods) {
  for (const name of names) {
    const method = Reflect.get(target, name) as (...given: unknown[]) => unknown;
    Object.defineProperty(target, name, {
      configurable: true,
      writable: true,
      value(this: unknown, ...given: unknown[]) {
        const first = Array.from({ length: before }, (_, at) => given[at]);
        return Reflect.apply(method, this, [...first, ...placed(given.slice(before))]) as unknown;
      },
    });
  }
}
