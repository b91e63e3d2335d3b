import { HiddenWords, hiddenTextWarnings } from '../../formats/safety/visibility.ts';
import { counted } from '../../formats/text/wording.ts';
import type { Warning } from '../../journey/record.ts';

/** What a docx contains, counted over all its stories (body, headers, footers, notes, comments). */
export interface Findings {
  /** Pictures shown in the document whose bytes are in the file. */
  pictures: number;
  /** Pictures that are only linked, or whose part is missing: these cannot be kept. */
  absentPictures: number;
  charts: number;
  diagrams: number;
  equations: number;
  shapes: number;
  textBoxes: number;
  ink: number;
  ruby: number;
  /** OLE objects and packages embedded in the document. */
  embedded: number;
  /** Foreign files (HTML, RTF) that Word would import on opening. */
  imported: number;
  insertions: number;
  deletions: number;
  /** Text that is left out because Word does not show it. */
  hidden: HiddenWords;
  /** Footnotes and endnotes that nothing in the document refers to. */
  looseNotes: number;
}

export function noFindings(): Findings {
  return {
    pictures: 0,
    absentPictures: 0,
    charts: 0,
    diagrams: 0,
    equations: 0,
    shapes: 0,
    textBoxes: 0,
    ink: 0,
    ruby: 0,
    embedded: 0,
    imported: 0,
    insertions: 0,
    deletions: 0,
    hidden: new HiddenWords(),
    looseNotes: 0,
  };
}

/** What text cannot carry, as words with counts; empty when text is enough. */
export function beyondText(found: Findings): string[] {
  const kinds: [count: number, noun: string, plural?: string][] = [
    [found.pictures, 'picture'],
    [found.charts, 'chart'],
    [found.diagrams, 'diagram'],
    [found.equations, 'equation'],
    [found.textBoxes, 'text box', 'text boxes'],
    [found.shapes, 'shape'],
    [found.ink, 'ink drawing'],
    [found.ruby, 'phonetic guide'],
  ];
  return kinds.filter(([count]) => count > 0).map((kind) => counted(...kind));
}

/** Warnings that apply to both routes. */
export function findingWarnings(found: Findings): Warning[] {
  const warnings: Warning[] = [];
  const warn = (count: number, code: string, message: (words: string) => string, noun: string) => {
    if (count > 0) warnings.push({ code, message: message(counted(count, noun)) });
  };
  if (found.insertions + found.deletions > 0) {
    warnings.push({
      code: 'normalize.tracked_changes',
      message: `The document has tracked changes: ${found.insertions} insertions were accepted, ${found.deletions} deletions left out.`,
    });
  }
  warnings.push(...hiddenTextWarnings(found.hidden.count));
  warn(
    found.looseNotes,
    'normalize.hidden_text',
    (words) => `${words} without a reference, which Word does not show, kept and marked.`,
    'note',
  );
  warn(
    found.absentPictures,
    'normalize.image_lost',
    (words) => `${words} lost: linked from elsewhere, or missing from the file.`,
    'picture',
  );
  warn(
    found.embedded,
    'normalize.embedded_object',
    (words) => `${words} (files inside the document) not read.`,
    'embedded object',
  );
  warn(
    found.imported,
    'normalize.imported_part',
    (words) => `${words} that Word would import on opening not read.`,
    'foreign part',
  );
  return warnings;
}
