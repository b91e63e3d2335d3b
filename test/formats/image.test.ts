import sharp from 'sharp';
import { describe, expect, it } from 'vitest';
import { convertImage } from '../../shared/formats/image/image.ts';
import { defaultLimits } from '../../shared/formats/limits.ts';
import { animatedGif, chartPng, picture } from '../fixtures/pictures.ts';
import { codeOf, convertBytes } from './convert-bytes.ts';

/** A picture that does not compress, so that cutting it cuts pixels. */
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

describe('pictures that Claude takes', () => {
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

  it('goes by the signature when the name says another type', async () => {
    const { conversion, warnings } = await convertBytes('chart.jpg', await chartPng());

    expect(conversion).toMatchObject({ outcome: 'pass', mimeType: 'image/png' });
    expect(warnings).toEqual(['normalize.type_mismatch']);
  });

  it('says that of an animation only the first frame is seen', async () => {
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

  it('writes a picture of too many bytes anew', async () => {
    const heavy = await noisy('png');

    const { conversion } = await convertBytes('a.png', heavy, {
      limits: { maxImageBytes: heavy.length - 1, maxPixelsPerSide: 100 },
    });

    expect(conversion.outcome).toBe('file');
  });

  it('keeps transparency when it scales', async () => {
    const webp = await sharp({
      create: { width: 300, height: 300, channels: 4, background: { r: 1, g: 2, b: 3, alpha: 0 } },
    })
      .webp()
      .toBuffer();

    const { conversion } = await convertBytes('a.webp', webp, { limits: { maxPixelsPerSide: 50 } });

    expect(conversion).toMatchObject({ outcome: 'file', mimeType: 'image/png' });
  });

  it('refuses a picture that claims more pixels than are ever decoded', async () => {
    const bomb = await picture('png', 2_000, 2_000);

    expect(await codeOf(convertBytes('bomb.png', bomb, { limits: { maxPixels: 1_000_000 } }))).toBe(
      'normalize.pixel_bomb',
    );
  });

  it('refuses a header that claims a billion pixels before decoding any', async () => {
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
    'refuses a %s of which only %d is there',
    async (kind, share) => {
      const whole = await noisy(kind);

      const code = await codeOf(
        convertBytes(`a.${kind}`, whole.subarray(0, Math.floor(whole.length * share))),
      );

      expect(code).toBe('normalize.corrupt');
    },
  );

  it('refuses a drawing that is named as a picture it is not', async () => {
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
