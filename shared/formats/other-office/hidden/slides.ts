import type { Limits } from '../../limits.ts';
import { mainPartName, readPart, relationshipsOf } from '../../office/package.ts';
import { readTheme, type Theme } from '../../office/theme.ts';
import { readXml } from '../../office/xml.ts';
import { type Backdrop, type HiddenWords, white } from '../../safety/visibility.ts';
import type { SafeZip } from '../../safety/zip.ts';
import { type CutParts, cutHidden, partText } from './cut.ts';
import { isPaintedOver, SlideFollower, slideBackground } from './slide-follower.ts';

/** Cuts out of each slide the text that its viewers do not see. Whole hidden slides stay. */
export async function cutSlides(
  zip: SafeZip,
  limits: Limits,
  words: HiddenWords,
): Promise<CutParts> {
  const parts: CutParts = new Map();
  const size = await slideSize(zip, limits);
  const papers = new Map<string, Paper>();
  for (const { name } of zip.entries) {
    if (!/(?:^|\/)slides\/[^/]*\.xml$/i.test(name)) continue;
    const layout = await relatedTo(zip, name, 'slideLayout', limits);
    let paper = papers.get(layout ?? '');
    if (!paper) {
      paper = await paperOf(zip, layout, limits);
      papers.set(layout ?? '', paper);
    }
    const xml = await partText(zip, name, limits);
    const theme: Theme = xml.includes('overrideClrMapping') ? new Map() : paper.theme;
    const backdrop =
      paper.isPainted || isPaintedOver(xml)
        ? 'unknown'
        : (slideBackground(xml, theme) ?? paper.background);
    const cut = cutHidden(xml, new SlideFollower({ theme, backdrop, ...size }), words);
    if (cut !== undefined) parts.set(name, cut);
  }
  return parts;
}

/** What the layout and master of a slide put behind its text. */
interface Paper {
  theme: Theme;
  background: Backdrop;
  isPainted: boolean;
}

async function paperOf(zip: SafeZip, layout: string | undefined, limits: Limits): Promise<Paper> {
  if (layout === undefined) return { theme: new Map(), background: white, isPainted: false };
  const master = await relatedTo(zip, layout, 'slideMaster', limits);
  const themeName = master && (await relatedTo(zip, master, 'theme', limits));
  const layoutXml = await partText(zip, layout, limits);
  const masterXml = master === undefined ? '' : await partText(zip, master, limits);
  const themeBytes = themeName === undefined ? undefined : await readPart(zip, themeName, limits);
  // Only the usual names of colours are understood.
  const isUsual = !masterXml.includes('clrMap') || /\bbg1="lt1"\s+tx1="dk1"/.test(masterXml);
  const theme: Theme = isUsual ? readTheme(themeBytes) : new Map();
  const own = slideBackground(layoutXml, theme) ?? slideBackground(masterXml, theme);
  return {
    theme,
    background: own ?? white,
    isPainted: [layoutXml, masterXml].some((xml) => isPaintedOver(xml)),
  };
}

async function relatedTo(
  zip: SafeZip,
  part: string,
  type: string,
  limits: Limits,
): Promise<string | undefined> {
  for (const relationship of (await relationshipsOf(zip, part, limits)).values()) {
    if (relationship.type === type && !relationship.external) return relationship.target;
  }
  return undefined;
}

/** In EMU; endless when it is not said. */
async function slideSize(zip: SafeZip, limits: Limits): Promise<{ width: number; height: number }> {
  const size = { width: Number.POSITIVE_INFINITY, height: Number.POSITIVE_INFINITY };
  const name = await mainPartName(zip, 'ppt/presentation.xml', limits);
  const main = await readPart(zip, name, limits);
  if (!main) return size;
  readXml(main, name, {
    open(element, { cx, cy }) {
      if (element !== 'p:sldSz') return;
      size.width = Number(cx) || size.width;
      size.height = Number(cy) || size.height;
    },
    close() {},
  });
  return size;
}
