import sharp from 'sharp';
import { describe, expect, it } from 'vitest';
import { convertImage } from '../../shared/formats/image/image.ts';
import { defaultLimits } from '../../shared/formats/limits.ts';
import { animatedGif, chartPng, picture } from '../fixtures/pictures.ts';
import { codeOf, convertBytes } from './convert-bytes.ts';

/** A picture that does not compress, so that truncation loses pixels. */
function noisy(kind: 'png' | 'jpeg' | 'gif' | 'webp'): Promise<Buffer> {
  const raw = Buffer.alloc(200 * 150 * 3);
  let state = 1;
  for (let at = 0; at < raw.length; at++) {
    state = (state * 1_103_515_245 + 12_345) & 0x7fffffff;
    raw[at] = state >> 16;
  }
  return sharp(raw, { raw: { width: 200, height: 150, channels: 3 } })
    [kind]()
    .toBuffer();
}

describe('pictures that Claude accepts', () => {
  it.each(['png', 'jpeg', 'gif', 'webp'] as const)('passes %s as it is', async (kind) => {
    const { conversion } = await convertBytes(`a.${kind}`, await picture(kind));

    expect(conversion).toEqual({
      outcome: 'pass',
      mimeType: `image/${kind}`,
      block: 'image',
      fidelity: { route: 'image', imagesFound: 1, imagesKept: 1, warnings: [] },
      parts: [],
    });
  });

  it('are identified by their signature if the name says otherwise', async () => {
    const { conversion, warnings } = await convertBytes('chart.jpg', await chartPng());

    expect(conversion).toMatchObject({ outcome: 'pass', mimeType: 'image/png' });
    expect(warnings).toEqual(['normalize.type_mismatch']);
  });

  it('warns that only the first frame of an animation is seen', async () => {
    const { conversion, warnings } = await convertBytes('a.gif', await animatedGif(3));

    expect(conversion.outcome).toBe('pass');
    expect(warnings).toEqual(['normalize.animation']);
  });
});

describe('pictures that are too large', () => {
  it.each(['png', 'jpeg'] as const)('scales a %s down to the side Claude takes', async (kind) => {
    const limits = { maxPixelsPerSide: 100 };

    const { conversion, warnings } = await convertBytes('a', await picture(kind, 400, 200), {
      limits,
    });

    expect(conversion).toMatchObject({
      outcome: 'file',
      mimeType: `image/${kind}`,
      block: 'image',
    });
    expect(conversion.fidelity.warnings[0]?.message).toContain('400 × 200');
    expect(conversion.fidelity.warnings[0]?.message).toContain('100 × 50');
    expect(warnings).toEqual(['normalize.image_scaled']);
  });

  it('rewrites a picture of too many bytes', async () => {
    const heavy = await noisy('png');

    const { conversion } = await convertBytes('a.png', heavy, {
      limits: { maxImageBytes: heavy.length - 1, maxPixelsPerSide: 100 },
    });

    expect(conversion.outcome).toBe('file');
  });

  it('keeps transparency when scaling', async () => {
    const webp = await sharp({
      create: { width: 300, height: 300, channels: 4, background: { r: 1, g: 2, b: 3, alpha: 0 } },
    })
      .webp()
      .toBuffer();

    const { conversion } = await convertBytes('a.webp', webp, { limits: { maxPixelsPerSide: 50 } });

    expect(conversion).toMatchObject({ outcome: 'file', mimeType: 'image/png' });
  });

  it('rejects a picture that claims more pixels than the limit', async () => {
    const bomb = await picture('png', 2_000, 2_000);

    expect(await codeOf(convertBytes('bomb.png', bomb, { limits: { maxPixels: 1_000_000 } }))).toBe(
      'normalize.pixel_bomb',
    );
  });

  it('rejects a header that claims a billion pixels before decoding any', async () => {
    const png = await picture('png', 8, 8);
    png.writeUInt32BE(50_000, 16);
    png.writeUInt32BE(50_000, 20);

    expect(await codeOf(convertBytes('bomb.png', png))).toMatch(/normalize\.(pixel_bomb|corrupt)/);
  });
});

describe('damaged pictures', () => {
  const kinds = ['png', 'jpeg', 'gif', 'webp'] as const;
  const shares = [0.02, 0.1, 0.5, 0.9];

  it.each(kinds.flatMap((kind) => shares.map((share) => [kind, share] as const)))(
    'rejects a %s cut off at %d of its length',
    async (kind, share) => {
      const whole = await noisy(kind);

      const code = await codeOf(
        convertBytes(`a.${kind}`, whole.subarray(0, Math.floor(whole.length * share))),
      );

      expect(code).toBe('normalize.corrupt');
    },
  );

  it('rejects a drawing that is named as a picture', async () => {
    const input = {
      path: new URL('../../package.json', import.meta.url).pathname,
      name: 'a.png',
      sizeBytes: 1,
      outDir: '/nonexistent',
      limits: defaultLimits,
    };

    await expect(convertImage(input)).rejects.toMatchObject({ code: 'normalize.corrupt' });
  });
});
