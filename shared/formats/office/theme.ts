import { type Colour, hexColour } from '../safety/visibility.ts';
import { readXml } from './xml.ts';

/** The colours of a document's theme by the names that documents and slides use for them. */
export type Theme = ReadonlyMap<string, Colour>;

/** Names in a theme (ECMA-376 part 1, 20.1.6.2) to those in a document (17.18.97, 20.1.10.54). */
const names: Record<string, string[]> = {
  'a:lt1': ['light1', 'background1', 'bg1', 'lt1'],
  'a:dk1': ['dark1', 'text1', 'tx1', 'dk1'],
  'a:lt2': ['light2', 'background2', 'bg2', 'lt2'],
  'a:dk2': ['dark2', 'text2', 'tx2', 'dk2'],
  ...Object.fromEntries([1, 2, 3, 4, 5, 6].map((at) => [`a:accent${at}`, [`accent${at}`]])),
};

/** Reads the colours of a theme part; without one there are none. */
export function readTheme(bytes: Buffer | undefined): Theme {
  const theme = new Map<string, Colour>();
  let meant: string[] = [];
  let inScheme = false;
  if (!bytes) return theme;
  readXml(bytes, 'theme.xml', {
    open(name, attributes) {
      if (name === 'a:clrScheme') inScheme = true;
      if (!inScheme) return;
      meant = names[name] ?? meant;
      const written = name === 'a:sysClr' ? attributes.lastClr : attributes.val;
      const colour = name === 'a:srgbClr' || name === 'a:sysClr' ? hexColour(written) : undefined;
      if (colour !== undefined) for (const each of meant) theme.set(each, colour);
    },
    close(name) {
      if (name === 'a:clrScheme') inScheme = false;
      if (name in names) meant = [];
    },
  });
  return theme;
}
