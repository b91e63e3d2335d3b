import { join } from 'node:path';
import { RejectDocument } from '../../journey/errors.ts';
import type { Warning } from '../../journey/record.ts';
import { chunksOf } from '../text/chunks.ts';
import { createDecoder, detectEncoding } from '../text/encoding.ts';
import { TextSink } from '../text/sink.ts';
import { TextCleaner, textWarnings } from '../text/text.ts';
import { countedWere } from '../text/wording.ts';
import type { Conversion, ConvertInput } from '../types.ts';
import type { StyleSheet } from './css/style-sheet.ts';
import { ReversedLists } from './lists.ts';
import { HtmlText } from './reader.ts';
import { isXhtml, StyleCollector } from './style-collector.ts';

/**
 * A web page to Markdown-like text: headings, lists, tables, links and code are kept; scripts, styles
 * and hidden elements are not.
 * @throws RejectDocument `normalize.empty`, `normalize.xml_depth`, `normalize.too_large`
 */
export async function convertHtml(input: ConvertInput): Promise<Conversion> {
  const encoding = await detectEncoding(input.path, input.contentType);
  const decoder = createDecoder(encoding.label);
  const cleaner = new TextCleaner(encoding.isClean);
  const page = await beforehand(input.path, encoding);
  const html = new HtmlText(input.limits.maxXmlDepth, page);
  const path = join(input.outDir, 'page.txt');
  const sink = await TextSink.open(path, input.limits.maxOutputBytes);
  try {
    for await (const chunk of chunksOf(input.path, encoding.bomBytes)) {
      html.write(cleaner.clean(decoder.push(chunk)));
      await sink.write(html.take());
    }
    html.write(cleaner.clean(decoder.end(), true));
    html.end();
    await sink.write(`${html.take()}\n`);
    await sink.flush();
  } finally {
    await sink.close();
  }
  if (!sink.hasInk) {
    throw new RejectDocument({
      code: 'normalize.empty',
      message: 'The page holds no text; a script may fill it in a browser.',
    });
  }
  return {
    outcome: 'file',
    path,
    mimeType: 'text/plain',
    block: 'document',
    fidelity: {
      route: 'html→text',
      encoding: encoding.label,
      imagesFound: html.images,
      imagesKept: 0,
      warnings: [
        ...textWarnings(encoding, cleaner.cleaned),
        ...htmlWarnings({ images: html.images, hidden: html.hidden.count }),
      ],
    },
    parts: [],
  };
}

/**
 * What has to be known of a page before it is read: its own style sheets, because one at the end applies to the beginning; how
 * long its reversed lists are, which begin with that number; and whether it is XHTML.
 */
async function beforehand(
  path: string,
  { label, bomBytes }: { label: string; bomBytes: number },
): Promise<{ styles: StyleSheet; reversed: number[]; isXhtml: boolean }> {
  const decoder = createDecoder(label);
  let collector: StyleCollector | undefined;
  let isX = false;
  let before = '';
  let hasReversed = false;
  const read = (text: string): void => {
    if (!collector) {
      isX = isXhtml(text);
      collector = new StyleCollector(isX);
    }
    collector.push(text);
    hasReversed ||= /<ol\b[^>]*\breversed\b/i.test(before + text);
    before = text.slice(-1_000);
  };
  for await (const chunk of chunksOf(path, bomBytes)) read(decoder.push(chunk));
  read(decoder.end());
  const styles = (collector ?? new StyleCollector()).end();
  const reversed = hasReversed ? await reversedLists(path, label, bomBytes) : [];
  return { styles, reversed, isXhtml: isX };
}

async function reversedLists(path: string, label: string, bomBytes: number): Promise<number[]> {
  const decoder = createDecoder(label);
  const lists = new ReversedLists();
  for await (const chunk of chunksOf(path, bomBytes)) lists.write(decoder.push(chunk));
  lists.write(decoder.end());
  return lists.end();
}

/** Warnings about what the text of a page leaves out: pictures, and hidden words. */
export function htmlWarnings({ images, hidden }: { images: number; hidden: number }): Warning[] {
  const warnings: Warning[] = [];
  if (images > 0) {
    warnings.push({
      code: 'normalize.image_lost',
      message: `${countedWere(images, 'picture')} left out; alternative texts were kept.`,
    });
  }
  if (hidden > 0) {
    warnings.push({
      code: 'normalize.hidden_content',
      message: `${countedWere(hidden, 'word')} left out that a reader of the page does not see.`,
    });
  }
  return warnings;
}
