import path from 'node:path/posix';
import { RejectDocument } from '../../journey/errors.ts';
import type { Warning } from '../../journey/record.ts';
import type { Limits } from '../limits.ts';
import type { SafeZip, ZipEntry } from '../safety/zip.ts';
import { readXml } from './xml.ts';

/** The Open Packaging Conventions (ECMA-376 part 2): parts and the relationships between them. */

export interface Relationship {
  id: string;
  /** Last part of the type's URI: `image`, `hyperlink`, `officeDocument` … */
  type: string;
  /** Name of the target part without a leading `/`, or the address if `external`. */
  target: string;
  external: boolean;
}

/**
 * The relationships of a part by id, or those of the package if `partName` is empty.
 * @throws RejectDocument `normalize.corrupt` if they cannot be read
 */
export async function relationshipsOf(
  zip: SafeZip,
  partName: string,
  limits: Limits,
): Promise<Map<string, Relationship>> {
  const folder = partName === '' ? '' : path.dirname(partName);
  const relsName = path.join(folder, '_rels', `${path.basename(partName)}.rels`);
  const found = new Map<string, Relationship>();
  const entry = zip.find(relsName);
  if (!entry) return found;
  readXml(await zip.read(entry, limits.maxXmlBytes), relsName, {
    open(name, attributes) {
      if (name !== 'rel:Relationship') return;
      const { Id: id, Type: type, Target: target } = attributes;
      if (id === undefined || type === undefined || target === undefined) return;
      const external = attributes.TargetMode === 'External';
      found.set(id, {
        id,
        type: type.slice(type.lastIndexOf('/') + 1),
        target: external ? target : partTarget(folder, target),
        external,
      });
    },
    close() {},
  });
  return found;
}

function partTarget(folder: string, target: string): string {
  const joined = target.startsWith('/') ? target.slice(1) : path.join(folder, target);
  try {
    return decodeURI(joined);
  } catch {
    return joined;
  }
}

/** A part's bytes, or undefined if the package has no such part. */
export async function readPart(
  zip: SafeZip,
  name: string,
  limits: Limits,
): Promise<Buffer | undefined> {
  const entry = zip.find(name);
  return entry ? zip.read(entry, limits.maxXmlBytes) : undefined;
}

/**
 * The name of the part that holds the document itself: `word/document.xml`, `xl/workbook.xml` ….
 * @param usual its name if the package's relationships do not give one
 * @throws RejectDocument `normalize.corrupt` if there is none
 */
export async function mainPartName(zip: SafeZip, usual: string, limits: Limits): Promise<string> {
  for (const { type, target, external } of (await relationshipsOf(zip, '', limits)).values()) {
    if (type === 'officeDocument' && !external && zip.find(target)) return target;
  }
  if (zip.find(usual)) return usual;
  throw new RejectDocument({
    code: 'normalize.corrupt',
    message: `The file is a zip without the part ${usual}, which such a document must have.`,
  });
}

/**
 * Warnings about what every OOXML package may hold: references to things elsewhere (pictures,
 * templates, frames, data), which are never fetched, and macros, which are never run.
 */
export async function packageWarnings(zip: SafeZip, limits: Limits): Promise<Warning[]> {
  const warnings: Warning[] = [];
  const external = await externalReferences(zip, limits);
  if (external.size > 0) {
    const list = [...external].map(([type, count]) => `${count} ${type}`).join(', ');
    warnings.push({
      code: 'normalize.external_reference',
      message: `The file refers to things outside it, which were not fetched: ${list}.`,
    });
  }
  if (zip.entries.some(({ name }) => /(^|\/)vbaProject\.bin$/i.test(name))) {
    warnings.push(macrosWarning);
  }
  return warnings;
}

/** For a file that holds macros. */
export const macrosWarning: Warning = {
  code: 'normalize.macros',
  message: 'The file holds macros. They were neither run nor kept.',
};

/** Types of external relationships from which a reader loads nothing. */
const harmlessTypes = new Set(['hyperlink']);

/** How many external relationships of each type the package has. */
async function externalReferences(zip: SafeZip, limits: Limits): Promise<Map<string, number>> {
  const counts = new Map<string, number>();
  for (const entry of zip.entries) {
    const source = /^(.*?)_rels\/([^/]*)\.rels$/i.exec(entry.name);
    if (!source) continue;
    const partName = `${source[1] ?? ''}${source[2] ?? ''}`;
    for (const { type, external } of (await relationshipsOf(zip, partName, limits)).values()) {
      if (external && !harmlessTypes.has(type)) counts.set(type, (counts.get(type) ?? 0) + 1);
    }
  }
  const maps = zip.find('xl/xmlMaps.xml');
  if (maps && /schemaLocation\s*=\s*["'][^#"']/.test(await textOf(zip, maps, limits))) {
    counts.set('schema', 1);
  }
  return counts;
}

async function textOf(zip: SafeZip, entry: ZipEntry, limits: Limits): Promise<string> {
  return (await zip.read(entry, limits.maxXmlBytes)).toString('utf8');
}
