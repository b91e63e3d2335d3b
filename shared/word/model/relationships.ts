import type { Relationship } from '../../formats/office/package.ts';

/** The part that the first relationship of a type, such as `styles`, leads to within the package. */
export function partOf(
  relationships: Map<string, Pick<Relationship, 'type' | 'target' | 'external'>>,
  type: string,
): string | undefined {
  for (const found of relationships.values()) {
    if (found.type === type && !found.external) return found.target;
  }
  return undefined;
}
