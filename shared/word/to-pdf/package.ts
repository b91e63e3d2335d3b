import path from 'node:path/posix';
import { type Zippable, zipSync } from 'fflate';
import { defaultLimits, type Limits } from '../../formats/limits.ts';
import {
  mainPartName,
  type Relationship,
  readPart,
  relationshipsOf,
} from '../../formats/office/package.ts';
import { openZip } from '../../formats/safety/zip.ts';
import { escapeXml } from '../model/escape.ts';
import { packageNamespaces, relationshipType } from '../model/namespaces.ts';
import { parseXml, type XmlDocument } from './xml.ts';

/** Relationships of a part, by id. */
export type Relationships = Map<string, Pick<Relationship, 'type' | 'target' | 'external'>>;

/** A docx opened for reading. Names of parts are matched without regard to case. */
export interface DocxPackage {
  /** Name of the part that holds the document itself. */
  main: string;
  /** Names of all parts, in the order of the file. */
  names: string[];
  /** Undefined when the package has no such part. */
  bytes(part: string): Promise<Uint8Array | undefined>;
  xml(part: string): Promise<XmlDocument | undefined>;
  /** @param part empty for the package itself */
  relationships(part: string): Promise<Relationships>;
  close(): void;
}

/**
 * The normalize step has checked the sizes against the limits in force, which may be higher than the
 * defaults. What remains are checks without a number: entries that overlap, or unpack to more than
 * they state.
 */
const anySize: Limits = {
  ...defaultLimits,
  maxZipEntries: Number.POSITIVE_INFINITY,
  maxZipRatio: Number.POSITIVE_INFINITY,
  maxUnzippedBytes: Number.POSITIVE_INFINITY,
  maxXmlBytes: Number.POSITIVE_INFINITY,
};

/**
 * Opens the docx at `file`. Close it in the end.
 * @throws RejectDocument `normalize.corrupt` or `normalize.zip_bomb` when it is not a docx
 */
export async function openPackage(file: string): Promise<DocxPackage> {
  const zip = await openZip(file, anySize);
  try {
    const main = await mainPartName(zip, 'word/document.xml', anySize);
    // Some producers write backslashes in targets.
    const bytes = async (part: string) => {
      const found = await readPart(zip, part.replaceAll('\\', '/'), anySize);
      // A small Buffer is a view of a shared one, and image-size reads past the end of a view.
      return found && (found.buffer.byteLength > found.byteLength ? Uint8Array.from(found) : found);
    };
    return {
      main,
      names: zip.entries.filter((entry) => !entry.isDirectory).map(({ name }) => name),
      bytes,
      async xml(part) {
        const found = await bytes(part);
        return found && parseXml(found);
      },
      relationships: (part) => relationshipsOf(zip, part, anySize),
      close: () => zip.close(),
    };
  } catch (error) {
    zip.close();
    throw error;
  }
}

/** A part of the docx that is handed to the browser. */
export interface WrittenPart {
  name: string;
  content: string | Uint8Array;
  relationships: Relationships;
}

const mediaTypes: Record<string, string> = {
  png: 'image/png',
  jpg: 'image/jpeg',
  gif: 'image/gif',
  bmp: 'image/bmp',
  webp: 'image/webp',
  svg: 'image/svg+xml',
};

/** A package of these parts only; `word/document.xml` must be among them. Not compressed. */
export function writePackage(parts: WrittenPart[]): Uint8Array {
  const entries: Zippable = {};
  const add = (name: string, content: string | Uint8Array) => {
    entries[name] = typeof content === 'string' ? Buffer.from(content) : content;
  };
  const defaults = Object.entries(mediaTypes).map(
    ([extension, type]) => `<Default Extension="${extension}" ContentType="${type}"/>`,
  );
  add(
    '[Content_Types].xml',
    `<Types xmlns="${packageNamespaces.contentTypes}">${defaults.join('')}</Types>`,
  );
  const document = { type: 'officeDocument', target: 'word/document.xml', external: false };
  add('_rels/.rels', relationshipsXml(new Map([['rId1', document]])));
  for (const { name, content, relationships } of parts) {
    add(name, content);
    if (name.endsWith('.xml')) {
      const rels = `${path.dirname(name)}/_rels/${path.basename(name)}.rels`;
      add(rels, relationshipsXml(relationships));
    }
  }
  return zipSync(entries, { level: 0 });
}

function relationshipsXml(relationships: Relationships): string {
  const lines = [...relationships].map(([id, { type, target, external }]) => {
    const address = external ? target : `/${target}`;
    const mode = external ? ' TargetMode="External"' : '';
    return `<Relationship Id="${escapeXml(id)}" Type="${escapeXml(relationshipType(type))}" Target="${escapeXml(address)}"${mode}/>`;
  });
  return `<Relationships xmlns="${packageNamespaces.relationships}">${lines.join('')}</Relationships>`;
}
