import { crc32 } from 'node:zlib';
import { RejectDocument } from '../../journey/errors.ts';
import type { Limits } from '../limits.ts';
import { mainPartName, type Relationship, readPart, relationshipsOf } from '../office/package.ts';
import { isOn, readXml, readXmlStream } from '../office/xml.ts';
import type { SafeZip, ZipEntry } from '../safety/zip.ts';
import { type NumberText, numberTextFor, plainNumber } from './values.ts';
import { readShowings, type Showing } from './xlsx-looks.ts';

/** A sheet as listed in the workbook, in the order of tabs. */
export interface SheetEntry {
  name: string;
  state: 'visible' | 'hidden' | 'veryHidden';
  /** `worksheet`, `chartsheet`, `dialogsheet`, `xlMacrosheet` …; undefined when the part is missing. */
  type: string | undefined;
  partName: string;
}

/** What the sheets of an xlsx share. */
export interface Workbook {
  sheets: SheetEntry[];
  strings: string[];
  /** Limit of characters for all uses of shared strings; it depends on the size of the workbook. */
  maxSharedCharacters: number;
  /** How numbers become text in a style, given by its index. */
  numberTextOf(style: number): NumberText;
  /** How the cells of a style are shown, by its index. */
  showings: Showing[];
}

/** A cell takes some 30 bytes of XML; long labels repeated a million times give a tenth of this. */
const maxExpansion = 50;
const leastExpansion = 64 * 1024 * 1024;

/**
 * Reads the workbook part, its styles and shared strings.
 * @throws RejectDocument `normalize.corrupt`
 */
export async function readWorkbook(zip: SafeZip, limits: Limits): Promise<Workbook> {
  const mainName = await mainPartName(zip, 'xl/workbook.xml', limits);
  const relationships = await relationshipsOf(zip, mainName, limits);
  const bytes = await readPart(zip, mainName, limits);
  const sheets: SheetEntry[] = [];
  let date1904 = false;
  let isWorkbook = false;
  if (bytes) {
    readXml(bytes, mainName, {
      open(name, attributes) {
        if (name === 's:workbook') isWorkbook = true;
        else if (name === 's:workbookPr') date1904 = isOn(attributes.date1904 ?? '0');
        else if (name === 's:sheet') {
          const { name: sheetName = '', state = 'visible' } = attributes;
          const target = relationships.get(attributes['r:id'] ?? '');
          sheets.push({
            name: sheetName,
            state: state === 'hidden' || state === 'veryHidden' ? state : 'visible',
            type: target && zip.find(target.target) ? target.type : undefined,
            partName: target?.target ?? '',
          });
        }
      },
      close() {},
    });
  }
  if (!isWorkbook || sheets.length === 0) {
    throw new RejectDocument({
      code: 'normalize.corrupt',
      message: `${mainName} inside the file is not a workbook with sheets.`,
    });
  }
  const related = (type: string) => findRelated(relationships, type, zip);
  return {
    sheets,
    maxSharedCharacters: Math.max(leastExpansion, maxExpansion * zip.unzippedBytes),
    strings: await readSharedStrings(zip, related('sharedStrings'), limits),
    showings: await readShowings(zip, related('styles'), related('theme'), limits),
    numberTextOf: await readNumberFormats(zip, related('styles'), date1904, limits),
  };
}

function findRelated(
  relationships: Map<string, Relationship>,
  type: string,
  zip: SafeZip,
): ZipEntry | undefined {
  for (const relationship of relationships.values()) {
    if (relationship.type === type && !relationship.external) return zip.find(relationship.target);
  }
  return undefined;
}

async function readSharedStrings(
  zip: SafeZip,
  entry: ZipEntry | undefined,
  limits: Limits,
): Promise<string[]> {
  const strings: string[] = [];
  if (!entry) return strings;
  const reader = richText((text) => strings.push(text), 's:si');
  await readXmlStream(streamOf(zip, entry), entry.name, reader, limits.maxXmlDepth);
  return strings;
}

/** Handlers that give the text of each `container` (`s:si`, `s:is`, `s:text`), without phonetics. */
export function richText(give: (text: string) => void, container: string) {
  let text: string | undefined;
  let collecting = false;
  let phonetic = 0;
  return {
    open(name: string) {
      if (name === container) text = '';
      else if (name === 's:rPh') phonetic += 1;
      else if (name === 's:t') collecting = true;
    },
    close(name: string) {
      if (name === container) {
        give(unescaped(text ?? ''));
        text = undefined;
      } else if (name === 's:rPh') phonetic -= 1;
      else if (name === 's:t') collecting = false;
    },
    text(piece: string) {
      if (collecting && phonetic === 0 && text !== undefined) text += piece;
    },
  };
}

/** Decodes `_x000D_`, which stands for a character that XML cannot hold (ECMA-376 part 1, 22.9.2.19). */
export function unescaped(text: string): string {
  if (!text.includes('_x')) return text;
  return text.replace(/_x([0-9A-Fa-f]{4})_/g, (_, code: string) => {
    const value = Number.parseInt(code, 16);
    if (value === 0x0d) return '';
    return value < 32 && value !== 9 && value !== 10 ? ' ' : String.fromCharCode(value);
  });
}

async function readNumberFormats(
  zip: SafeZip,
  entry: ZipEntry | undefined,
  date1904: boolean,
  limits: Limits,
): Promise<(style: number) => NumberText> {
  const codes = new Map<number, string>();
  const formatOfStyle: number[] = [];
  let inCellFormats = false;
  if (entry) {
    readXml(await zip.read(entry, limits.maxXmlBytes), entry.name, {
      open(name, attributes) {
        if (name === 's:numFmt') {
          codes.set(Number(attributes.numFmtId), attributes.formatCode ?? 'General');
        } else if (name === 's:cellXfs') inCellFormats = true;
        else if (name === 's:xf' && inCellFormats) {
          formatOfStyle.push(Number(attributes.numFmtId ?? 0));
        }
      },
      close(name) {
        if (name === 's:cellXfs') inCellFormats = false;
      },
    });
  }
  const texts = new Map<number, NumberText>();
  return (style) => {
    const format = formatOfStyle[style];
    if (format === undefined || format === 0) return plainNumber;
    let text = texts.get(format);
    if (!text) {
      text = numberTextFor(codes.get(format) ?? format, date1904);
      texts.set(format, text);
    }
    return text;
  };
}

/** An entry's unpacked bytes, with an error at the end if their checksum is not the stated one. */
export async function* streamOf(zip: SafeZip, entry: ZipEntry): AsyncGenerator<Buffer> {
  let crc = 0;
  try {
    for await (const chunk of await zip.stream(entry)) {
      crc = crc32(chunk as Buffer, crc);
      yield chunk as Buffer;
    }
  } catch (error) {
    if (error instanceof RejectDocument) throw error;
    throw damaged(entry, error);
  }
  if (crc !== entry.source.crc32) throw damaged(entry);
}

function damaged(entry: ZipEntry, cause?: unknown): RejectDocument {
  return new RejectDocument({
    code: 'normalize.corrupt',
    message: `${entry.name} inside the file is damaged and cannot be read.`,
    cause,
  });
}
