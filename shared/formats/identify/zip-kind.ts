import { SkipDocument } from '../../journey/errors.ts';
import type { Limits } from '../limits.ts';
import { openZip, type SafeZip } from '../safety/zip.ts';
import type { Format } from './kinds.ts';

/** What a zip container is: a kind of office document, or an archive of files. */

const maxTypesBytes = 4 * 1024 * 1024;

/**
 * @throws RejectDocument like `openZip`
 * @throws SkipDocument `normalize.unsupported` for packages of other programs
 */
export async function identifyZip(path: string, limits: Limits): Promise<Format> {
  const zip = await openZip(path, limits);
  try {
    const format = (await openDocumentKind(zip)) ?? (await openXmlKind(zip));
    if (format) return format;
    const other = otherPackage(zip);
    if (other) skip(other);
    return 'zip';
  } finally {
    zip.close();
  }
}

/** OpenDocument and EPUB name their type in a first entry `mimetype` (ODF 1.2 part 3, 3.3). */
async function openDocumentKind(zip: SafeZip): Promise<Format | undefined> {
  const entry = zip.find('mimetype');
  const type =
    entry && entry.uncompressedSize < 200 ? (await zip.read(entry, 200)).toString('latin1') : '';
  const manifest = zip.find('META-INF/manifest.xml');
  const declared =
    type.trim() ||
    (manifest && zip.find('content.xml')
      ? /full-path="\/"[^>]*media-type="([^"]+)"|media-type="([^"]+)"[^>]*full-path="\/"/
          .exec((await zip.read(manifest, maxTypesBytes)).toString('utf8'))
          ?.slice(1)
          .find(Boolean)
      : '');
  if (declared?.startsWith('application/epub+zip') || zip.find('META-INF/container.xml')) {
    return 'epub';
  }
  const kind = /^application\/vnd\.oasis\.opendocument\.(text|spreadsheet|presentation)/.exec(
    declared ?? '',
  )?.[1];
  if (kind === 'text') return 'odt';
  if (kind === 'spreadsheet') return 'ods';
  if (kind === 'presentation') return 'odp';
  if (declared?.includes('opendocument')) skip(declared);
  return undefined;
}

/** OOXML names the type of its main part in `[Content_Types].xml` (ECMA-376 part 2, 10.1.2). */
async function openXmlKind(zip: SafeZip): Promise<Format | undefined> {
  const entry = zip.find('[Content_Types].xml');
  if (entry) {
    const types = (await zip.read(entry, maxTypesBytes)).toString('latin1').replaceAll('\0', '');
    if (
      /wordprocessingml\.(?:document|template)\.main|ms-word\.(?:document|template)\./.test(types)
    ) {
      return 'docx';
    }
    if (/spreadsheetml\.(?:sheet|template)\.main|ms-excel\.(?:sheet|template)\./.test(types)) {
      return 'xlsx';
    }
    if (
      /presentationml\.(?:presentation|slideshow|template)\.main|ms-powerpoint\.(?:presentation|slideshow|template)\./.test(
        types,
      )
    ) {
      return 'pptx';
    }
    if (/vnd\.ms-visio/.test(types)) skip('application/vnd.ms-visio.drawing');
  }
  if (zip.find('word/document.xml')) return 'docx';
  if (zip.find('xl/workbook.xml') ?? zip.find('xl/workbook.bin')) return 'xlsx';
  if (zip.find('ppt/presentation.xml')) return 'pptx';
  return undefined;
}

function otherPackage(zip: SafeZip): string | undefined {
  if (zip.find('Index/Document.iwa') ?? zip.find('Index.zip')) return 'an Apple iWork document';
  if (zip.find('AndroidManifest.xml')) return 'an Android package';
  if (zip.find('META-INF/MANIFEST.MF')) return 'a Java archive';
  return undefined;
}

function skip(what: string): never {
  throw new SkipDocument({
    code: 'normalize.unsupported',
    message: `The file is ${what}, which Dropline does not convert.`,
  });
}
