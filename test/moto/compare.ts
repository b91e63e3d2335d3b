import type { DocumentRecord } from '../../shared/journey/record.ts';

/** What must differ between two runs: times, and the ids that S3 and Claude make. */
const incidental = /^(at|\w*At|order|sequencer|versionId|fileId|revision|requestId)$/;

/** How the records of two runs differ: a line for each value, none when they are equal. */
export function compare(
  moto: Map<string, DocumentRecord>,
  local: Map<string, DocumentRecord>,
): string[] {
  const keys = [...new Set([...moto.keys(), ...local.keys()])].toSorted();
  return keys.flatMap((key) => {
    const one = valuesOf(moto.get(key));
    const other = valuesOf(local.get(key));
    return [...new Set([...one.keys(), ...other.keys()])]
      .filter((path) => one.get(path) !== other.get(path))
      .map((path) => `${key}: ${path} is ${one.get(path)} on moto and ${other.get(path)} locally`);
  });
}

/** All values of a record that are compared, by their path. */
function valuesOf(value: unknown, path = ''): Map<string, string> {
  if (typeof value !== 'object' || value === null) return new Map([[path, JSON.stringify(value)]]);
  const fields = Object.entries(value).filter(([name]) => !incidental.test(name));
  return new Map(fields.flatMap(([name, inner]) => [...valuesOf(inner, `${path}/${name}`)]));
}
