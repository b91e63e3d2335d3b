import { mkdir, writeFile } from 'node:fs/promises';
import path from 'node:path';
import type { Typefaces } from '../word/to-pdf/index.ts';
import { families } from './font-families.ts';

/** Font files of the install: package, directory of the face in it, and file name. */
export const fontFiles: { package: string; face: string; file: string; isCjk: boolean }[] =
  families.flatMap(({ package: name, faces }) =>
    faces.map((face) => ({
      package: `@expo-google-fonts/${name}`,
      face,
      file: `${fileStem(name)}_${face}.ttf`,
      isCjk: /-(sc|jp|kr)$/.test(name),
    })),
  );

/** `noto-sans-jp` is `NotoSansJP` in file names. */
function fileStem(name: string): string {
  return name
    .split('-')
    .map((word) =>
      /^(sc|jp|kr)$/.test(word) ? word.toUpperCase() : word[0]?.toUpperCase() + word.slice(1),
    )
    .join('');
}

const aliases = new Map<string, string>();
for (const { name, standsFor = [] } of families) {
  aliases.set(name.toLowerCase(), name);
  for (const other of standsFor) aliases.set(other.toLowerCase(), name);
}

/** The typefaces of the fonts that come with the install. */
export const bundledTypefaces: Typefaces = {
  isBundled: (name) => aliases.has(name.trim().toLowerCase()),
  isCjk: (name) => /^Noto Sans (SC|JP|KR)$/.test(aliases.get(name.trim().toLowerCase()) ?? ''),
};

const cjkOf: Record<string, string> = {
  ja: 'Noto Sans JP',
  ko: 'Noto Sans KR',
  'zh-CN': 'Noto Sans SC',
};

/**
 * The fonts in which a character is looked for that the document's own font does not have, as a CSS list.
 * Without it the browser asks the system for each character, and opens the file found once again for each size
 * and whenever its caches were emptied: the same font is then in the PDF several times, how often depends on chance.
 * @param language BCP 47 tag of the document: its shapes of Chinese characters come first
 */
export function fallbacks(language: string): string {
  const own = cjkOf[language];
  const others = families.map(({ name }) => name).filter((name) => name !== own);
  return (own === undefined ? others : [own, ...others]).map((name) => `"${name}"`).join(', ');
}

/**
 * Writes a fontconfig configuration with the fonts in `directories` and no others, and returns its path.
 * The browser's own looks only in /tmp/fonts, and without a font the browser prints blank pages.
 * @param workDir for the configuration and fontconfig's cache
 */
export async function writeFontConfig(
  directories: readonly string[],
  workDir: string,
): Promise<string> {
  const cache = path.join(workDir, 'font-cache');
  await mkdir(cache, { recursive: true });
  const lines = [...aliases]
    .filter(([alias, name]) => alias !== name.toLowerCase())
    .map(
      ([alias, name]) =>
        `<match target="pattern"><test name="family" compare="eq"><string>${xml(alias)}</string></test>` +
        `<edit name="family" mode="assign" binding="strong"><string>${xml(name)}</string></edit></match>`,
    );
  const file = path.join(workDir, 'fonts.conf');
  await writeFile(
    file,
    [
      '<?xml version="1.0"?>',
      '<!DOCTYPE fontconfig SYSTEM "fonts.dtd">',
      '<fontconfig>',
      ...directories.map((directory) => `<dir>${xml(directory)}</dir>`),
      `<cachedir>${xml(cache)}</cachedir>`,
      ...lines,
      // All other typefaces fall back to our fonts in this order: symbol fonts come last, because they
      // contain letters of some scripts too, unjoined.
      `<match target="pattern"><edit name="family" mode="append_last" binding="weak">${families
        .map(({ name }) => `<string>${xml(name)}</string>`)
        .join('')}</edit></match>`,
      '</fontconfig>',
    ].join('\n'),
  );
  return file;
}

function xml(text: string): string {
  return text.replace(/[&<>]/g, (sign) => `&#${sign.charCodeAt(0)};`);
}
