import type { printWarnings } from '../codes/print.ts';
import type { Warning } from '../journey/record.ts';
import type { Facts } from '../word/to-pdf/index.ts';
import type { Printed } from './print-docx.ts';

type Code = keyof typeof printWarnings;

/** What a person should know about a printed docx, with counts. */
export function warningsOf(facts: Facts, printed: Printed): Warning[] {
  const warnings: Warning[] = [];
  const warn = (code: Code, count: number, message: string) => {
    if (count > 0) warnings.push({ code, message });
  };
  const lost = facts.imagesLost + printed.imagesBroken;
  const reasons = [...facts.lostBecause].map(([why, count]) => `${count} ${why}`);
  if (printed.imagesBroken > 0) reasons.push(`${printed.imagesBroken} damaged`);
  warn(
    'render.images_lost',
    lost,
    `${lost} of ${facts.imagesFound} pictures are not in the PDF: ${reasons.join(', ')}.`,
  );
  warn(
    'render.charts_as_tables',
    facts.charts,
    `${number(facts.charts, 'chart is', 'charts are')} shown as tables of their values.`,
  );
  warn(
    'render.charts_lost',
    facts.chartsUnread,
    `${number(facts.chartsUnread, 'chart is', 'charts are')} not in the PDF: the file does not store the values.`,
  );
  warn(
    'render.diagrams_as_lists',
    facts.diagrams,
    `${number(facts.diagrams, 'diagram is', 'diagrams are')} shown as a list of text.`,
  );
  warn(
    'render.shapes_lost',
    facts.shapes,
    `${number(facts.shapes, 'shape', 'shapes')} without text left out.`,
  );
  warn(
    'render.text_boxes_moved',
    facts.textBoxes,
    `${number(facts.textBoxes, 'text box', 'text boxes')} moved below the anchoring paragraph.`,
  );
  warn(
    'render.embedded_not_read',
    facts.embedded,
    `${number(facts.embedded, 'embedded file was', 'embedded files were')} not read.`,
  );
  warn(
    'render.import_lost',
    facts.chunksUnread,
    `${number(facts.chunksUnread, 'imported document', 'imported documents')} could not be read.`,
  );
  warn(
    'render.deletions_left_out',
    facts.deletions,
    `${number(facts.deletions, 'tracked deletion', 'tracked deletions')} left out.`,
  );
  warn(
    'render.hidden_text',
    facts.hiddenWords,
    `${number(facts.hiddenWords, 'hidden word', 'hidden words')} left out.`,
  );
  warn(
    'render.text_appended',
    printed.appended,
    `${number(printed.appended, 'paragraph', 'paragraphs')} could not be shown in place; see the end of the PDF.`,
  );
  warn(
    'render.request_refused',
    printed.refused.length,
    `${number(printed.refused.length, 'request', 'requests')} from the document for something elsewhere refused.`,
  );
  return warnings;
}

function number(count: number, one: string, more: string): string {
  return `${count} ${count === 1 ? one : more}`;
}
