import { type MarkdownBlock, type MarkdownCell, tableBlocks } from './markdown-blocks.ts';
import { readXml } from './xml.ts';

interface Series {
  name: string;
  labels: Map<number, string>;
  values: Map<number, string>;
}

/** Points kept of a series, and series of a chart; a larger chart cannot be read as one. */
const maxPoints = 2_000;
const maxSeries = 255;

/**
 * The data that a chart was drawn from, as cached in the chart part (ECMA-376 part 1, 21.2): its
 * titles, and a table with a column for each series.
 * @throws RejectDocument `normalize.corrupt`
 */
export function chartBlocks(bytes: Buffer, partName: string): MarkdownBlock[] {
  const titles: string[] = [];
  const allSeries: Series[] = [];
  let series: Series | undefined;
  let place: 'name' | 'labels' | 'values' | undefined;
  let index = 0;
  let value: string | undefined;
  let title: string | undefined;

  readXml(bytes, partName, {
    open(name, attributes) {
      if (name === 'c:ser') {
        series = { name: '', labels: new Map(), values: new Map() };
        if (allSeries.length < maxSeries) allSeries.push(series);
      } else if (name === 'c:tx' && series) place = 'name';
      else if (name === 'c:cat' || name === 'c:xVal') place = 'labels';
      else if (name === 'c:val' || name === 'c:yVal') place = 'values';
      else if (name === 'c:pt') index = Number(attributes.idx) || 0;
      else if (name === 'c:v') value = '';
      else if (name === 'c:title') title = '';
      else if (name === 'a:t' && title !== undefined) value = '';
    },
    close(name) {
      if (name === 'c:ser') series = undefined;
      else if (name === 'c:v' && series && value !== undefined) {
        if (place === 'name') series.name += value;
        else if (place && index < maxPoints) series[place].set(index, value.trim());
        value = undefined;
      } else if (name === 'a:t' && title !== undefined) {
        title += value ?? '';
        value = undefined;
      } else if (name === 'c:title') {
        if (title?.trim()) titles.push(title.trim());
        title = undefined;
      } else if (name === 'c:tx' || name === 'c:cat' || name === 'c:val') place = undefined;
    },
    text(text) {
      if (value !== undefined) value += text;
    },
  });

  const heading = titles.length > 0 ? `Chart: ${titles.join('; ')}` : 'Chart';
  return [{ text: heading, isListItem: false }, ...tableBlocks({ rows: rowsOf(allSeries) })];
}

function rowsOf(allSeries: Series[]): MarkdownCell[][] {
  const labels = new Map<number, string>();
  const points = new Set<number>();
  for (const series of allSeries) {
    for (const [at, label] of series.labels) labels.set(at, label);
    for (const at of [...series.labels.keys(), ...series.values.keys()]) points.add(at);
  }
  if (points.size === 0) return [];
  const header = ['', ...allSeries.map(({ name }) => name)].map(cell);
  const rows = [...points]
    .sort((a, b) => a - b)
    .map((at) =>
      [labels.get(at) ?? '', ...allSeries.map(({ values }) => values.get(at) ?? '')].map(cell),
    );
  return [header, ...rows];
}

function cell(text: string): MarkdownCell {
  return { blocks: text === '' ? [] : [{ text, isListItem: false }], span: 1, continues: false };
}
