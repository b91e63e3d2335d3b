import type { Limits } from '../limits.ts';
import { readPart, relationshipsOf } from '../office/package.ts';
import { readXml } from '../office/xml.ts';
import type { SafeZip } from '../safety/zip.ts';
import { richText } from './xlsx-workbook.ts';

/** Comments, drawings and links of a worksheet. */
export interface SheetExtras {
  comments: string[];
  /** Text of boxes and shapes over the cells. */
  texts: string[];
  pictures: number;
  charts: number;
  /** Link targets by relationship id. */
  linkTargets: Map<string, string>;
}

/** Reads the comments and drawings that a worksheet refers to. */
export async function readExtras(
  zip: SafeZip,
  partName: string,
  limits: Limits,
): Promise<SheetExtras> {
  const extras: SheetExtras = {
    comments: [],
    texts: [],
    pictures: 0,
    charts: 0,
    linkTargets: new Map(),
  };
  for (const { id, type, target, external } of (
    await relationshipsOf(zip, partName, limits)
  ).values()) {
    if (external) {
      if (type === 'hyperlink') extras.linkTargets.set(id, target);
      continue;
    }
    if (type !== 'comments' && type !== 'drawing') continue;
    const bytes = await readPart(zip, target, limits);
    if (!bytes) continue;
    if (type === 'comments') readComments(bytes, target, extras.comments);
    else readDrawing(bytes, target, extras);
  }
  return extras;
}

/** What Excel writes before a threaded comment, for versions without them. */
const threadedNotice = /^\[Threaded comment\][\s\S]*?\n\s*Comment:\s*/i;

function readComments(bytes: Buffer, partName: string, comments: string[]): void {
  const authors: string[] = [];
  let author: string | undefined;
  let reference = '';
  let by = '';
  const body = richText((text) => {
    const said = text
      .replace(threadedNotice, '')
      .trim()
      .replace(/\s*\n\s*/g, ' ');
    // Excel also writes the author's name in front of the text.
    const alone = by !== '' && said.startsWith(`${by}:`) ? said.slice(by.length + 1).trim() : said;
    if (alone !== '') comments.push(`${reference}${by ? ` (${by})` : ''}: ${alone}`);
  }, 's:text');
  readXml(bytes, partName, {
    open(name, attributes) {
      if (name === 's:author') author = '';
      else if (name === 's:comment') {
        reference = attributes.ref ?? '';
        // Threaded comments give only an id as their author.
        by = (authors[Number(attributes.authorId)] ?? '').replace(/^tc=.*/, '');
      } else body.open(name);
    },
    close(name) {
      if (name === 's:author') {
        authors.push(author ?? '');
        author = undefined;
      } else body.close(name);
    },
    text(text) {
      if (author !== undefined) author += text;
      else body.text(text);
    },
  });
}

function readDrawing(bytes: Buffer, partName: string, extras: SheetExtras): void {
  let paragraph: string | undefined;
  let collecting = false;
  readXml(bytes, partName, {
    open(name) {
      if (name === 'a:blip') extras.pictures += 1;
      else if (name === 'c:chart' || name === 'cx:chart') extras.charts += 1;
      else if (name === 'a:p') paragraph = '';
      else if (name === 'a:t') collecting = true;
      else if (name === 'a:br' && paragraph !== undefined) paragraph += ' ';
    },
    close(name) {
      if (name === 'a:t') collecting = false;
      else if (name === 'a:p') {
        if (paragraph?.trim()) extras.texts.push(paragraph.trim());
        paragraph = undefined;
      }
    },
    text(text) {
      if (collecting && paragraph !== undefined) paragraph += text;
    },
  });
}
