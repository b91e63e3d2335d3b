/**
 * Names that both routes write into WordprocessingML: namespaces by the prefix they are bound to
 * (ECMA-376 part 1, annex A), and those of the package around it (part 2, annex B).
 */

const schemas = 'http://schemas.openxmlformats.org';

export const namespaces = {
  w: `${schemas}/wordprocessingml/2006/main`,
  r: `${schemas}/officeDocument/2006/relationships`,
  wp: `${schemas}/drawingml/2006/wordprocessingDrawing`,
  a: `${schemas}/drawingml/2006/main`,
  pic: `${schemas}/drawingml/2006/picture`,
  m: `${schemas}/officeDocument/2006/math`,
} as const;

export const packageNamespaces = {
  relationships: `${schemas}/package/2006/relationships`,
  contentTypes: `${schemas}/package/2006/content-types`,
} as const;

/** The URI of a relationship's type, such as `image` or `hyperlink`. */
export function relationshipType(name: string): string {
  return `${namespaces.r}/${name}`;
}
