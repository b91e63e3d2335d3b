import { existsSync } from 'node:fs';
import { readdir } from 'node:fs/promises';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { fontFiles } from './fonts.ts';

/** Files that the renderer reads at run time, from the install or beside a bundle. */
export interface Assets {
  /** The packaged browser and the libraries it needs, compressed with brotli. */
  chromium: string;
  libraries: string;
  /** A file that changes with the packaged browser. */
  chromiumVersion: string;
  docxPreview: string;
  jszip: string;
  /** Directories of the fonts, and of those for Chinese, Japanese and Korean. */
  fontDirs: string[];
  cjkFontDirs: string[];
}

/** A file to copy when the render function is bundled. */
export interface AssetCopy {
  from: string;
  /** Relative to the directory of the bundle, with `/`. */
  to: string;
}

/** Directory of the files beside a bundle. */
const assetsFolder = 'render-assets';

const chromiumFiles = ['chromium.br', 'al2023.tar.br'] as const;
const scripts = [
  { package: 'docx-preview', file: 'dist/docx-preview.min.js' },
  { package: 'jszip', file: 'dist/jszip.min.js' },
] as const;

/**
 * The files that a bundle of the renderer needs beside it; `findAssets` looks for them there. They
 * include the licences of the fonts, as OFL 1.1 requires.
 * @throws Error when a package is not installed
 */
export function renderAssets(): AssetCopy[] {
  const version = path.join(packageDir('@sparticuz/chromium'), 'package.json');
  return [
    { from: version, to: `${assetsFolder}/chromium.json` },
    ...chromiumFiles.map((file) => ({
      from: path.join(packageDir('@sparticuz/chromium'), 'bin', file),
      to: `${assetsFolder}/${file}`,
    })),
    ...scripts.map(({ package: name, file }) => ({
      from: path.join(packageDir(name), file),
      to: `${assetsFolder}/${path.basename(file)}`,
    })),
    ...fontFiles.map(({ package: name, face, file, isCjk }) => ({
      from: path.join(packageDir(name), face, file),
      to: `${assetsFolder}/${isCjk ? 'cjk-fonts' : 'fonts'}/${file}`,
    })),
    ...[...new Set(fontFiles.map(({ package: name }) => name))].map((name) => ({
      from: path.join(packageDir(name), 'LICENSE_FONT'),
      to: `${assetsFolder}/fonts/${path.basename(name)}-LICENSE.txt`,
    })),
  ];
}

/**
 * The paths of the files: beside the bundle that this code runs in, or else in `node_modules`.
 * @param fontsDir a directory of fonts to use instead
 * @throws Error when a package is not installed
 */
export function findAssets(fontsDir?: string): Assets {
  const bundled = path.join(here(), assetsFolder);
  if (existsSync(bundled)) {
    const at = (file: string) => path.join(bundled, file);
    return {
      chromium: at('chromium.br'),
      libraries: at('al2023.tar.br'),
      chromiumVersion: at('chromium.json'),
      docxPreview: at('docx-preview.min.js'),
      jszip: at('jszip.min.js'),
      fontDirs: [fontsDir ?? at('fonts')],
      cjkFontDirs: fontsDir === undefined ? [at('cjk-fonts')] : [],
    };
  }
  const bin = path.join(packageDir('@sparticuz/chromium'), 'bin');
  const [docxPreview, jszip] = scripts.map(({ package: name, file }) =>
    path.join(packageDir(name), file),
  );
  const faces = (cjk: boolean) =>
    fontFiles
      .filter(({ isCjk }) => isCjk === cjk)
      .map(({ package: name, face }) => path.join(packageDir(name), face));
  return {
    chromium: path.join(bin, chromiumFiles[0]),
    libraries: path.join(bin, chromiumFiles[1]),
    chromiumVersion: path.join(packageDir('@sparticuz/chromium'), 'package.json'),
    docxPreview: docxPreview ?? '',
    jszip: jszip ?? '',
    fontDirs: fontsDir === undefined ? faces(false) : [fontsDir],
    cjkFontDirs: fontsDir === undefined ? faces(true) : [],
  };
}

/** Whether a directory contains a font that fontconfig can use. */
export async function holdsFonts(directory: string): Promise<boolean> {
  const names = await readdir(directory).catch(() => []);
  return names.some((name) => /\.(ttf|otf|ttc)$/i.test(name));
}

function here(): string {
  return path.dirname(fileURLToPath(import.meta.url));
}

/** Walks up as Node does: the `exports` of some packages hide the files needed here. */
function packageDir(name: string): string {
  for (let at = here(); ; at = path.dirname(at)) {
    const found = path.join(at, 'node_modules', name);
    if (existsSync(path.join(found, 'package.json'))) return found;
    if (at === path.dirname(at)) throw new Error(`The package ${name} is not installed`);
  }
}
