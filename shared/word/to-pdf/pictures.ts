import { imageSize } from 'image-size';
import { lostReasons } from './facts.ts';
import type { DocxPackage } from './package.ts';

/** A picture part: ready for the browser, or why it cannot be shown. */
export type Picture =
  | { shown: true; extension: string; bytes: Uint8Array }
  | { shown: false; because: string };

/** Pixels above which a picture is scaled down for the browser, where each takes 4 bytes. */
const largestPixels = 40_000_000;
/** Pixels above which a picture is not decoded at all. */
const mostPixels = 268_000_000;

/**
 * Reads the picture parts of these names. The signature decides on the format, because extensions can be
 * wrong. TIFF becomes PNG; EMF and WMF, which browsers cannot draw, are not shown.
 */
export async function readPictures(
  pkg: DocxPackage,
  names: Iterable<string>,
): Promise<Map<string, Picture>> {
  const pictures = new Map<string, Picture>();
  for (const name of new Set(names)) {
    const bytes = await pkg.bytes(name);
    pictures.set(
      name,
      bytes ? await readPicture(bytes) : { shown: false, because: lostReasons.missing },
    );
  }
  return pictures;
}

async function readPicture(bytes: Uint8Array): Promise<Picture> {
  const format = formatOf(bytes);
  switch (format) {
    case 'emf':
    case 'wmf':
      return { shown: false, because: 'in EMF or WMF format' };
    case 'svg':
    case 'bmp':
      return { shown: true, extension: format, bytes };
    case undefined:
      return { shown: false, because: 'in an unknown format' };
    default:
      return readRaster(bytes, format);
  }
}

async function readRaster(bytes: Uint8Array, format: string): Promise<Picture> {
  try {
    const { width, height } = imageSize(bytes);
    const pixels = width * height;
    if (pixels > mostPixels) return { shown: false, because: 'with too many pixels' };
    if (format !== 'tif' && pixels <= largestPixels) {
      return { shown: true, extension: format, bytes };
    }
    return await scaled(bytes, width * Math.min(1, Math.sqrt(largestPixels / pixels)));
  } catch {
    return { shown: false, because: 'damaged' };
  }
}

async function scaled(bytes: Uint8Array, width: number): Promise<Picture> {
  // Native code, which is missing from a function deployed from a machine of another architecture.
  const sharp = await import('sharp').then(
    (module) => module.default,
    () => undefined,
  );
  if (!sharp) return { shown: false, because: 'in TIFF format or with too many pixels' };
  const smaller = sharp(bytes, { limitInputPixels: mostPixels })
    .rotate()
    .resize({ width: Math.max(1, Math.floor(width)) });
  return { shown: true, extension: 'png', bytes: await smaller.png().toBuffer() };
}

/** WMF: the placeable key or the plain header ([MS-WMF] 2.3.2.2, 2.3.2.3). */
const wmfHeads = ['\xd7\xcd\xc6\x9a', '\x01\0\t\0', '\x02\0\t\0'];

function formatOf(bytes: Uint8Array): string | undefined {
  const head = Buffer.from(bytes.buffer, bytes.byteOffset, Math.min(bytes.byteLength, 1024));
  const ascii = head.toString('latin1');
  if (ascii.startsWith('\x89PNG\r\n\x1a\n')) return 'png';
  if (ascii.startsWith('\xff\xd8\xff')) return 'jpg';
  if (ascii.startsWith('GIF8')) return 'gif';
  if (ascii.startsWith('BM')) return 'bmp';
  if (ascii.startsWith('RIFF') && ascii.slice(8, 12) === 'WEBP') return 'webp';
  if (ascii.startsWith('II*\0') || ascii.startsWith('MM\0*')) return 'tif';
  // EMF: record 1 is EMR_HEADER with " EMF" at byte 40 ([MS-EMF] 2.3.4.2).
  if (ascii.startsWith('\x01\0\0\0') && ascii.slice(40, 44) === ' EMF') return 'emf';
  if (wmfHeads.some((start) => ascii.startsWith(start))) return 'wmf';
  // Packed metafiles (emz, wmz) are gzip.
  if (ascii.startsWith('\x1f\x8b')) return 'emf';
  if (/<svg[\s>]/.test(head.toString('utf8'))) return 'svg';
  return undefined;
}
