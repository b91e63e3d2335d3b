import { paragraphXml, tableXml } from './blocks.ts';
import {
  attribute,
  child,
  descendants,
  elements,
  localName,
  textOf,
  type XmlDocument,
  type XmlElement,
} from './xml.ts';

/** Points of one chart that are listed; a chart with more does not show single points either. */
const mostRows = 1_000;

interface Series {
  name: string;
  /** By index: charts leave out empty points. */
  categories: Map<number, string>;
  values: Map<number, string>;
}

/**
 * A chart (ECMA-376 part 1, 21.2) as a table of the values stored in the file, with its titles.
 * Undefined when the file stores none.
 */
export function chartXml(chart: XmlDocument): string | undefined {
  const plot = descendants(chart, 'plotArea')[0];
  if (!plot) return undefined;
  const series = descendants(plot, 'ser').map(readSeries);
  if (!series.some(({ values }) => values.size > 0)) return undefined;
  const kinds = elements(plot)
    .map(localName)
    .filter((name) => name.endsWith('Chart'))
    .map((name) => name.slice(0, -5).replace(/3D$/, ''));
  const [space] = descendants(chart, 'chart');
  const title = titleOf(space);
  const axis = elements(plot, 'catAx').concat(elements(plot, 'dateAx'))[0];
  const unit = titleOf(elements(plot, 'valAx').at(-1));

  const indices = [...new Set(series.flatMap(({ values }) => [...values.keys()]))];
  indices.sort((a, b) => a - b);
  const categories = new Map(series.flatMap((one) => [...one.categories]));
  const shared = series.every(({ categories: own }) =>
    [...own].every(([at, text]) => categories.get(at) === text),
  );
  const rows = shared
    ? oneTable(series, indices, categories, titleOf(axis))
    : series.flatMap((one) => ownRows(one));
  const named = [title, unit && `values: ${unit}`].filter(Boolean).join('; ');
  const caption = `[Chart (${[...new Set(kinds)].join(', ')})${named ? `: ${named}` : ''}]`;
  const rest =
    rows.length > mostRows + 1 ? paragraphXml(`[${rows.length - mostRows - 1} more points]`) : '';
  return paragraphXml(caption, { bold: true }) + tableXml(rows.slice(0, mostRows + 1)) + rest;
}

function oneTable(
  series: Series[],
  indices: number[],
  categories: Map<number, string>,
  axis: string,
): string[][] {
  return [
    [axis, ...series.map(({ name }) => name)],
    ...indices.map((at) => [
      categories.get(at) ?? String(at + 1),
      ...series.map(({ values }) => values.get(at) ?? ''),
    ]),
  ];
}

function ownRows({ name, categories, values }: Series): string[][] {
  return [
    ['', name],
    ...[...values].map(([at, value]) => [categories.get(at) ?? String(at + 1), value]),
  ];
}

function readSeries(ser: XmlElement, at: number): Series {
  return {
    name: points(child(ser, 'tx')).get(0) ?? `Series ${at + 1}`,
    categories: points(child(ser, 'cat') ?? child(ser, 'xVal')),
    values: points(child(ser, 'val') ?? child(ser, 'yVal')),
  };
}

/** Stored points by index; categories of several levels are joined, the outermost first. */
function points(parent: XmlElement | undefined): Map<number, string> {
  const found = new Map<number, string>();
  if (!parent) return found;
  const levels = descendants(parent, 'lvl');
  for (const level of levels.length > 0 ? levels : [parent]) {
    const asDate = isDateFormat(descendants(level, 'formatCode')[0]);
    for (const point of descendants(level, 'pt')) {
      const at = Number(attribute(point, 'idx') ?? 0);
      const value = child(point, 'v');
      if (!value) continue;
      const text = asDate ? dateOf(textOf(value)) : shortNumber(textOf(value));
      const inner = found.get(at);
      found.set(at, inner === undefined ? text : `${text} / ${inner}`);
    }
  }
  const plain = child(parent, 'v');
  if (found.size === 0 && plain) found.set(0, textOf(plain));
  return found;
}

/** With 15 digits, as Excel shows it: the file has 4.4000000000000004 for 4.4. */
function shortNumber(text: string): string {
  if (!/^-?\d+\.\d{10,}(e[+-]?\d+)?$/i.test(text)) return text;
  return String(Number(Number(text).toPrecision(15)));
}

function isDateFormat(format: XmlElement | undefined): boolean {
  const code = format ? textOf(format).replace(/"[^"]*"|\[[^\]]*\]/g, '') : '';
  return /[dy]/i.test(code) && !/general/i.test(code);
}

/** A day of the 1900 date system, which counts a 29 February 1900 that did not exist. */
function dateOf(serial: string): string {
  const days = Number(serial);
  if (!Number.isFinite(days) || days < 60 || days > 2_958_465) return serial;
  const time = Date.UTC(1899, 11, 30) + days * 86_400_000;
  return new Date(time).toISOString().slice(0, days % 1 === 0 ? 10 : 16);
}

function titleOf(owner: XmlElement | undefined): string {
  const title = child(owner, 'title');
  if (!title) return '';
  const texts = [...descendants(title, 't'), ...descendants(title, 'v')];
  return texts.map(textOf).join('').trim();
}
