import path from 'node:path/posix';
import JSZip from 'jszip';
import { attribute, elements, parseXml, rootOf, type XmlDocument } from './xml.ts';

/** A relationship of a part (ECMA-376 part 2, 6.5). */
export interface Relationship {
  /** Last part of the type's URI: `image`, `header`, `hyperlink` … */
  type: string;
  /** Name of the target part, or the address when `external`. */
  target: string;
  external: boolean;
}

export type Relationships = Map<string, Relationship>;

/** A docx opened for reading; the normalize step has already found its sizes sound. */
export interface DocxPackage {
  /** Name of the part that holds the document itself. */
  main: string;
  has(part: string): boolean;
  bytes(part: string): Promise<Uint8Array | undefined>;
  xml(part: string): Promise<XmlDocument | undefined>;
  relationships(part: string): Promise<Relationships>;
}

/** Opens a docx. Throws an Error when it is no zip or holds no document. */
export async function openPackage(bytes: Uint8Array): Promise<DocxPackage> {
  const zip = await JSZip.loadAsync(bytes);
  // Names are matched as OPC does: without regard to case, and some producers write backslashes.
  const byName = new Map<string, JSZip.JSZipObject>();
  for (const file of Object.values(zip.files)) if (!file.dir) byName.set(key(file.name), file);

  const readBytes = async (part: string) => byName.get(key(part))?.async('uint8array');
  const readXml = async (part: string) => {
    const found = await readBytes(part);
    return found && parseXml(found);
  };
  const relationships = async (part: string): Promise<Relationships> => {
    const folder = part === '' ? '' : path.dirname(part);
    const document = await readXml(path.join(folder, '_rels', `${path.basename(part)}.rels`));
    const found: Relationships = new Map();
    for (const element of elements(document && rootOf(document), 'Relationship')) {
      const target = attribute(element, 'Target');
      const id = attribute(element, 'Id');
      if (id === undefined || target === undefined) continue;
      const external = attribute(element, 'TargetMode') === 'External';
      const type = attribute(element, 'Type') ?? '';
      found.set(id, {
        type: type.slice(type.lastIndexOf('/') + 1),
        target: external ? target : partName(folder, target),
        external,
      });
    }
    return found;
  };

  const start = [...(await relationships('')).values()].find((r) => r.type === 'officeDocument');
  const main = start && byName.has(key(start.target)) ? start.target : 'word/document.xml';
  if (!byName.has(key(main))) throw new Error(`The package has no part ${main}`);
  return {
    main,
    has: (part) => byName.has(key(part)),
    bytes: readBytes,
    xml: readXml,
    relationships,
  };
}

function key(name: string): string {
  return name.replaceAll('\\', '/').replace(/^\//, '').toLowerCase();
}

function partName(folder: string, target: string): string {
  const joined = target.startsWith('/') ? target.slice(1) : path.join(folder, target);
  try {
    return decodeURI(joined);
  } catch {
    return joined;
  }
}

const relationshipUri = 'http://schemas.openxmlformats.org/officeDocument/2006/relationships';

/** A part of the docx that is handed to the browser. */
export interface WrittenPart {
  name: string;
  content: string | Uint8Array;
  relationships: Map<string, Relationship>;
}

const mediaTypes: Record<string, string> = {
  png: 'image/png',
  jpg: 'image/jpeg',
  gif: 'image/gif',
  bmp: 'image/bmp',
  webp: 'image/webp',
  svg: 'image/svg+xml',
};

/** Writes a package with only these parts; `word/document.xml` must be among them. Not compressed. */
export async function writePackage(parts: WrittenPart[]): Promise<Uint8Array> {
  const zip = new JSZip();
  const defaults = Object.entries(mediaTypes).map(
    ([extension, type]) => `<Default Extension="${extension}" ContentType="${type}"/>`,
  );
  zip.file(
    '[Content_Types].xml',
    `<Types xmlns="http://schemas.openxmlformats.org/package/2006/content-types">${defaults.join('')}</Types>`,
  );
  const root: Relationship = {
    type: 'officeDocument',
    target: 'word/document.xml',
    external: false,
  };
  zip.file('_rels/.rels', relationshipsXml(new Map([['rId1', root]])));
  for (const { name, content, relationships } of parts) {
    zip.file(name, content);
    const folder = path.dirname(name);
    if (name.endsWith('.xml')) {
      zip.file(`${folder}/_rels/${path.basename(name)}.rels`, relationshipsXml(relationships));
    }
  }
  return zip.generateAsync({ type: 'uint8array', compression: 'STORE' });
}

function relationshipsXml(relationships: Relationships): string {
  const lines = [...relationships].map(([id, { type, target, external }]) => {
    const address = external ? target : `/${target}`;
    const mode = external ? ' TargetMode="External"' : '';
    return `<Relationship Id="${attr(id)}" Type="${relationshipUri}/${attr(type)}" Target="${attr(address)}"${mode}/>`;
  });
  return `<Relationships xmlns="http://schemas.openxmlformats.org/package/2006/relationships">${lines.join('')}</Relationships>`;
}

function attr(text: string): string {
  return text.replace(/[&<>"]/g, (sign) => `&#${sign.charCodeAt(0)};`);
}
