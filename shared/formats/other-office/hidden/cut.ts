import { zipSync } from 'fflate';
import { Parser } from 'htmlparser2';
import type { Limits } from '../../limits.ts';
import { decodeXml } from '../../office/xml.ts';
import type { HiddenWords } from '../../safety/visibility.ts';
import type { SafeZip } from '../../safety/zip.ts';

/**
 * officeparser does not know what a reader sees, so the text that is not seen is cut out of a file
 * before it reads it. Only characters go, never markup: the structure stays as it is.
 */

/** Follows the elements of an XML part and knows whether the text at the current place is seen. */
export interface Follower {
  open(name: string, attributes: Record<string, string>): void;
  close(name: string): void;
  readonly isHidden: boolean;
}

/** The part without its hidden text; undefined when it has none. */
export function cutHidden(xml: string, follower: Follower, words: HiddenWords): string | undefined {
  const kept: string[] = [];
  let from = 0;
  const parser = new Parser(
    {
      onopentag: (name, attributes) => follower.open(name, attributes),
      onclosetag: (name) => follower.close(name),
      ontext(text) {
        if (text.trim() === '') return;
        if (!follower.isHidden) {
          words.interrupt();
          return;
        }
        words.add(text);
        kept.push(xml.slice(from, parser.startIndex));
        from = parser.endIndex + 1;
      },
    },
    // Undecoded, each text has the length that it has in the part.
    { xmlMode: true, decodeEntities: false },
  );
  parser.end(xml);
  words.interrupt();
  if (kept.length === 0) return undefined;
  kept.push(xml.slice(from));
  return kept.join('');
}

/** Parts of a package whose hidden text was cut, by name. */
export type CutParts = Map<string, string>;

/** Reads a part as text; empty when there is none. */
export async function partText(zip: SafeZip, name: string, limits: Limits): Promise<string> {
  const entry = zip.find(name);
  return entry ? decodeXml(await zip.read(entry, limits.maxXmlBytes), name) : '';
}

/** The package with these parts in place of its own, uncompressed. */
export async function replaceParts(zip: SafeZip, parts: CutParts, limits: Limits): Promise<Buffer> {
  const entries: Record<string, Uint8Array> = {};
  for (const entry of zip.entries) {
    if (entry.name.endsWith('/')) continue;
    const cut = parts.get(entry.name);
    entries[entry.name] =
      cut === undefined ? await zip.read(entry, limits.maxUnzippedBytes) : utf8Part(cut);
  }
  return Buffer.from(zipSync(entries, { level: 0, mtime: new Date(1980, 0, 1) }));
}

function utf8Part(xml: string): Buffer {
  return Buffer.from(xml.replace(/^(\ufeff?<\?xml[^>]*?)\s+encoding\s*=\s*["'][^"']*["']/, '$1'));
}
