import type { DocumentItem } from '../ledger/document-item.ts';

/** A document that has parts, as their keys need it. */
type Parent = Pick<DocumentItem, 'documentId' | 'key'>;

const tagLength = 12;

/**
 * The key of a part: its parent's key, `!`, the first 12 characters of its parent's documentId, `/`, its name. No object of the
 * bucket has such a key by chance, and no two parts have the same (docs/decisions/0046).
 */
export const partKey = ({ documentId, key }: Parent, name: string): string =>
  `${key}!${documentId.slice(0, tagLength)}/${unambiguous(name)}`;

/**
 * A name without a folder that looks like the end of a container's key (`b.zip!mfrggzdfmztw/`): its `!` becomes `%21`, and
 * what would be read as such a `%21` gets another `25`.
 */
const unambiguous = (name: string): string =>
  name.replaceAll(/(!|%(?:25)*21)(?=[a-z2-7]{12}(?:\/|$))/g, (mark) =>
    mark === '!' ? '%21' : `%25${mark.slice(1)}`,
  );

/** The key that a part had before keys had tags. Parts keep it until their parent changes. */
const untaggedPartKey = ({ key }: Parent, name: string): string => `${key}!/${name}`;

/** The part of a version, by the two addresses that it has: of its staged bytes, and as a document. */
export interface PartAddress {
  /** Padded sequencer of the parent's version. */
  order: string;
  name: string;
  /** Whether its key has a tag. */
  tagged: boolean;
}

/** Prefix of the staged parts of a document. */
export const stagedPrefix = (documentId: string): string => `parts/${documentId}/`;

/** Where a part's bytes are staged. The mark behind the order keeps apart what was announced under either kind of key. */
export const stagedKey = (documentId: string, { order, name, tagged }: PartAddress): string =>
  `${stagedPrefix(documentId)}${order}${tagged ? '!' : ''}/${name}`;

/** The part that is staged under a key with the prefix of its parent. */
export function partAt(parent: Parent, staged: string): PartAddress & { key: string } {
  const [version = '', ...rest] = staged.slice(stagedPrefix(parent.documentId).length).split('/');
  const name = rest.join('/');
  const tagged = version.endsWith('!');
  const order = tagged ? version.slice(0, -1) : version;
  return { order, name, tagged, key: documentKeyOf(parent, { name, tagged }) };
}

/** The key of a part as a document. */
export const documentKeyOf = (
  parent: Parent,
  { name, tagged }: Pick<PartAddress, 'name' | 'tagged'>,
): string => (tagged ? partKey(parent, name) : untaggedPartKey(parent, name));
