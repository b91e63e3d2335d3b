import { open } from 'node:fs/promises';
import path from 'node:path';
import sharp, { type Metadata } from 'sharp';
import { RejectDocument } from '../../journey/errors.ts';
import type { Warning } from '../../journey/record.ts';
import type { Limits } from '../limits.ts';
import type { Conversion, ConvertInput } from '../types.ts';

/** Image types that Claude accepts. */
const mimeTypes: Record<string, string> = {
  jpeg: 'image/jpeg',
  png: 'image/png',
  gif: 'image/gif',
  webp: 'image/webp',
};

/**
 * A picture is uploaded as it is, or scaled down, with a warning, if it is larger than Claude accepts.
 * Every pixel is decoded once, to find truncated pictures.
 * @throws RejectDocument `normalize.corrupt`, `normalize.pixel_bomb`
 */
export async function convertImage(input: ConvertInput): Promise<Conversion> {
  const { path: source, limits, sizeBytes } = input;
  const metadata = await readHeader(source, limits);
  const mimeType = mimeTypes[metadata.format];
  if (mimeType === undefined) {
    throw new RejectDocument({
      code: 'normalize.corrupt',
      message: `The picture is in the format ${metadata.format}, although its signature says otherwise.`,
    });
  }
  const frames = metadata.pages ?? 1;
  const width = metadata.width;
  const height = metadata.pageHeight ?? metadata.height;
  const warnings: Warning[] = [];
  if (frames > 1) {
    warnings.push({
      code: 'normalize.animation',
      message: `The picture is an animation of ${frames} frames; Claude sees only the first.`,
    });
  }
  const isLarge = Math.max(width, height) > limits.maxPixelsPerSide;
  if (isLarge || sizeBytes > limits.maxImageBytes) {
    return scaledDown(input, metadata, warnings);
  }
  if (metadata.format === 'webp') await checkRiffLength(source);
  await decodeAll(source, limits);
  return {
    outcome: 'pass',
    mimeType,
    block: 'image',
    fidelity: { route: 'image', imagesFound: 1, imagesKept: 1, warnings },
    parts: [],
  };
}

async function readHeader(source: string, limits: Limits): Promise<Metadata> {
  let metadata: Metadata;
  try {
    metadata = await sharp(source, { limitInputPixels: false }).metadata();
  } catch (error) {
    throw corrupt(error);
  }
  const pixels = metadata.width * metadata.height;
  if (pixels > limits.maxPixels) {
    throw new RejectDocument({
      code: 'normalize.pixel_bomb',
      message: `The picture claims ${metadata.width} × ${metadata.height} pixels; the limit is ${limits.maxPixels} in total.`,
    });
  }
  return metadata;
}

/** Decodes every line of the first frame, keeping almost nothing, to find truncation and damage. */
async function decodeAll(source: string, limits: Limits): Promise<void> {
  try {
    await sharp(source, {
      limitInputPixels: limits.maxPixels,
      failOn: 'error',
      sequentialRead: true,
    })
      .resize({ width: 16, height: 16, fit: 'fill', fastShrinkOnLoad: false })
      .raw()
      .toBuffer();
  } catch (error) {
    throw corrupt(error);
  }
}

/** The WebP decoder fills a truncated picture with grey and reports nothing; the header shows it. */
async function checkRiffLength(source: string): Promise<void> {
  const file = await open(source);
  try {
    const { size } = await file.stat();
    const { buffer } = await file.read(Buffer.alloc(12), 0, 12, 0);
    if (buffer.readUInt32LE(4) + 8 > size) throw corrupt(new Error('RIFF length past the end'));
  } finally {
    await file.close();
  }
}

async function scaledDown(
  input: ConvertInput,
  metadata: Metadata,
  warnings: Warning[],
): Promise<Conversion> {
  const { limits } = input;
  const keepsAlpha = metadata.hasAlpha === true;
  const format = keepsAlpha || metadata.format === 'png' ? 'png' : 'jpeg';
  const target = path.join(input.outDir, `picture.${format === 'png' ? 'png' : 'jpg'}`);
  const side = limits.maxPixelsPerSide;
  const height = metadata.pageHeight ?? metadata.height;
  try {
    const scaled = sharp(input.path, {
      limitInputPixels: limits.maxPixels,
      failOn: 'error',
      sequentialRead: true,
    })
      .autoOrient()
      .resize({ width: side, height: side, fit: 'inside', withoutEnlargement: true });
    const written = await (format === 'png' ? scaled.png() : scaled.jpeg({ quality: 85 })).toFile(
      target,
    );
    warnings.push({
      code: 'normalize.image_scaled',
      message: `The picture of ${metadata.width} × ${height} pixels and ${input.sizeBytes} bytes was scaled to ${written.width} × ${written.height} pixels and ${written.size} bytes.`,
    });
  } catch (error) {
    throw corrupt(error);
  }
  return {
    outcome: 'file',
    path: target,
    mimeType: mimeTypes[format] ?? 'image/png',
    block: 'image',
    fidelity: { route: 'image→scaled image', imagesFound: 1, imagesKept: 1, warnings },
    parts: [],
  };
}

function corrupt(cause: unknown): RejectDocument {
  return new RejectDocument({
    code: 'normalize.corrupt',
    message: 'The picture is damaged or incomplete.',
    cause,
  });
}
