import { build } from 'esbuild';
import { expect, it } from 'vitest';

/** The packages that a bundle of the file takes in. */
async function packagesOf(entry: string): Promise<Set<string | undefined>> {
  const { metafile } = await build({
    entryPoints: [entry],
    bundle: true,
    write: false,
    metafile: true,
    platform: 'node',
    format: 'esm',
    external: ['sharp'],
    logLevel: 'silent',
  });
  const names = Object.keys(metafile.inputs).map(
    (file) => /.*node_modules\/((?:@[^/]+\/)?[^/]+)/.exec(file)?.[1],
  );
  return new Set(names);
}

it('the door to text loads nothing that only the PDF route needs', async () => {
  const packages = await packagesOf('shared/word/to-text/index.ts');

  expect(packages).toContain('mammoth');
  expect(packages).not.toContain('image-size');
  expect(packages).not.toContain('fflate');
});

it('the door to PDF loads nothing that only the text route needs', async () => {
  const packages = await packagesOf('shared/word/to-pdf/index.ts');

  expect(packages).toContain('image-size');
  expect(packages).not.toContain('mammoth');
  expect(packages).not.toContain('jszip');
});
