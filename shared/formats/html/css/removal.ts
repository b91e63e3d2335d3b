import { blockTags } from '../tags.ts';
import type { Declarations } from './block.ts';
import { faintest } from './cascade.ts';
import { colourOf, lengthOf, shareOf, usualPoints } from './values.ts';

/** Whether the boxes of an element are seen: not displayed, transparent, far off, cut off. */

/** Points to the left or above from which content is outside of every window. */
const farOff = -700;
/** Points from the right or the bottom from which it is. */
const farIn = 3_000;

/** Whether the element and all in it are not seen. */
export function isRemoved(tag: string, styles: Declarations): boolean {
  const value = (property: string) => styles.get(property) ?? '';
  if (value('display') === 'none') return true;
  if (value('content-visibility') === 'hidden') return true;
  // What moves may come into sight: letters that fade in begin as transparent.
  const moves = value('animation-name');
  if (moves !== '' && !/^(?:none|unset|initial)$/.test(moves)) return false;
  if (shareOf(value('opacity')) < faintest) return true;
  if (/^(?:disc|circle|square)$/.test(value('-webkit-text-security'))) return true;
  if (['text-indent', 'letter-spacing', 'margin-left', 'margin-top'].some((p) => isFar(value(p))))
    return true;
  return (
    isFilteredAway(value('filter')) ||
    isMaskedAway(value('mask-image')) ||
    value('font-size-adjust') === '0' ||
    isTransformedAway(value('transform')) ||
    isScaledAway(value('scale')) ||
    value('translate').split(' ').slice(0, 2).some(isFar) ||
    isEdgeOn(value('rotate').replace(/^([xy]) /, 'rotate$1(')) ||
    isCut(tag, styles)
  );
}

function isFar(length: string): boolean {
  const window = /^-(\d+)(?:vw|vh|vmax|dvw|dvh|svw|svh|lvw|lvh)$/.exec(length)?.[1];
  return window === undefined
    ? (lengthOf(length, length.endsWith('%') ? 0 : usualPoints) ?? 0) <= farOff
    : Number(window) >= 100;
}

function isFilteredAway(filter: string): boolean {
  const opacity = /(?:^|\s|\))opacity\(([^()]*)\)/.exec(filter)?.[1];
  if (opacity !== undefined && shareOf(opacity) < faintest) return true;
  const blur = /(?:^|\s|\))blur\(([^()]*)\)/.exec(filter)?.[1];
  // At four times the size of usual text no letter is left of it.
  return (lengthOf(blur, usualPoints) ?? 0) >= 4 * usualPoints;
}

/** A gradient in which every colour is clear. */
function isMaskedAway(mask: string): boolean {
  const inner = /^(?:linear|radial|conic)-gradient\(((?:[^()]|\([^()]*\))*)\)$/.exec(mask)?.[1];
  const stops = inner?.match(/(?:[^,()]|\([^()]*\))+/g)?.map((stop) => stop.trim()) ?? [];
  const colours = stops.filter(
    (stop, at) => at > 0 || !/^(?:to |from |at |[-\d.]+[a-z]+$)/.test(stop),
  );
  const isClear = (stop: string) =>
    colourOf(stop.replace(/(?:\s+[\d.]+(?:%|[a-z]+))+$/, '')) === 'clear';
  return colours.length > 0 && colours.every(isClear);
}

function isScaledAway(scale: string): boolean {
  const factors = scale.split(' ').slice(0, 2);
  return factors.some((factor) => factor !== '' && Math.abs(shareOf(factor)) < 0.02);
}

function isTransformedAway(transform: string): boolean {
  for (const [, name = '', inner = ''] of transform.matchAll(
    /([\w]+)\(((?:[^()]|\([^()]*\))*)\)/g,
  )) {
    const [first = '', second = '', , fourth = ''] = inner.trim().split(/\s*,\s*/);
    if (
      /^scale(?:3d|x|y)?$/.test(name) &&
      isScaledAway(`${first} ${name === 'scale3d' || name === 'scale' ? second : ''}`.trim())
    )
      return true;
    if (
      /^translate(?:3d|x|y)?$/.test(name) &&
      [first, name.length > 9 && !name.endsWith('d') ? '' : second].some(isFar)
    )
      return true;
    if (name === 'matrix' && Number(first) === 0 && Number(fourth) === 0 && Number(second) === 0)
      return true;
    if (isEdgeOn(`${name}(${first}`)) return true;
  }
  return false;
}

/** A turn by a quarter about an axis in the page: what has no thickness is not seen. */
function isEdgeOn(turn: string): boolean {
  return /^rotate[xy]\(-?(?:90deg|0?\.25turn|100grad|270deg)$/.test(turn);
}

/** Whether what is painted of the element is nothing. */
function isCut(tag: string, styles: Declarations): boolean {
  const value = (property: string) => styles.get(property) ?? '';
  const position = value('position');
  const isTakenOut = /absolute|fixed/.test(position);
  const isPlaced = isTakenOut || position === 'relative';
  if (isPlaced && ['left', 'top', 'right', 'bottom'].some((p) => isFar(value(p)))) return true;
  if (isPlaced && (lengthOf(value('right'), 0) ?? 0) >= farIn) return true;
  if (isTakenOut && isNothing(value('clip'))) return true;
  if (isClipped(value('clip-path'))) return true;
  // Only boxes have a size of their own: text in a line has not, and a cell is as large as its text.
  const display = value('display');
  const isBox =
    isTakenOut ||
    /block|flex|grid|flow-root/.test(display) ||
    (display === '' && blockTags.has(tag) && !/^(?:table|t[dhr]|tbody|thead|tfoot)$/.test(tag));
  if (!isBox || !/hidden|clip/.test(value('overflow'))) return false;
  // Text shows where the box is padded.
  const paddings = value('padding').split(' ').filter(Boolean);
  if (paddings.some((each) => (lengthOf(each, usualPoints) ?? usualPoints) > 4)) return false;
  // Lines without a height make a box without one.
  const hasHeight = /[1-9]|unknown/.test(value('height') + value('min-height'));
  if (lengthOf(value('line-height'), usualPoints) === 0 && !hasHeight) return true;
  const extents = ['width', 'height', 'max-width', 'max-height'];
  const limit = (property: string) => lengthOf(value(property), usualPoints) ?? usualPoints;
  return extents.some((property) => limit(property) <= 1);
}

function isClipped(path: string): boolean {
  if (/^inset\((?:50|[6-9]\d|100)%/.test(path)) return true;
  if (/^inset\(\S+ 100%/.test(path) || /^inset\(\S+ \S+ 100%/.test(path)) return true;
  if (/^(?:circle|ellipse)\(0(?:px|%)?[\s)]/.test(path)) return true;
  if (/^rect\(0\S* 0\S* 0\S* 0/.test(path) || /^xywh\(\S+ \S+ (?:0|\S+ 0[a-z%]*\))/.test(path))
    return true;
  if (/^path\((?:\w+\s*,\s*)?(['"])\s*(?:m[^a-z]*)?\1\s*\)/i.test(path)) return true;
  const points = /^polygon\(([^()]*)\)$/.exec(path)?.[1]?.split(/\s*,\s*/);
  return points !== undefined && new Set(points.map((each) => each.replace(/px|%/g, ''))).size < 3;
}

/** `rect(0, 0, 0, 0)` and the like, a pixel at most. */
function isNothing(clip: string): boolean {
  const edges = /^rect\(([^)]*)\)$/.exec(clip)?.[1]?.split(/[\s,]+/);
  if (!edges) return false;
  const [top = 9, right = 9, bottom = 9, left = 9] = edges.map((edge) => Number.parseFloat(edge));
  return bottom - top <= 1 || right - left <= 1;
}
