import type { CodeEntry } from './entry.ts';

/** Codes that rendering ends with. */
export const printCodes = {
  'render.unavailable': {
    outcome: 'failed',
    meaning: 'No renderer is there: no browser, or no LibreOffice, that could print the document.',
    advice:
      'Install Chrome or Chromium (or LibreOffice) or name its path in the settings; or save the document as PDF and drop that.',
  },
  'render.blank': {
    outcome: 'failed',
    meaning: 'The printed pages lack the text that the document holds.',
    advice:
      'Check that the fonts of the install are there; or save the document as PDF and drop that.',
  },
  'render.timeout': {
    outcome: 'failed',
    meaning: 'Printing the document took longer than the limit and was stopped.',
    advice: 'Split the document, save it as PDF and drop that, or raise the limit maxSeconds.',
  },
  'render.crashed': {
    outcome: 'failed',
    meaning: 'The renderer ended unexpectedly on this document.',
    advice: 'Save the document as PDF and drop that; if it happens again, report the file.',
  },
  'render.unreadable': {
    outcome: 'failed',
    meaning: 'The renderer could not read the document.',
    advice: 'Open it in Word, save it again or as PDF, and drop that.',
  },
} as const satisfies Record<string, CodeEntry>;

/** What a rendering's warning means: the PDF was made, a person should know. */
export const printWarnings = {
  'render.images_lost': 'Pictures are not in the PDF, such as EMF and WMF drawings or linked ones.',
  'render.charts_as_tables': 'Charts are shown as tables of their values, not drawn.',
  'render.charts_lost': 'Charts that keep no values in the file are not in the PDF.',
  'render.diagrams_as_lists': 'Diagrams (SmartArt) are shown as lists of their texts, not drawn.',
  'render.shapes_lost': 'Drawn shapes without text, such as lines and arrows, are not in the PDF.',
  'render.text_boxes_moved': 'Text boxes stand behind the paragraph they are anchored in.',
  'render.embedded_not_read': 'Embedded files were not read, only their preview is shown.',
  'render.import_lost': 'Imported documents inside the document could not be read.',
  'render.deletions_left_out': 'Text struck in tracked changes was left out.',
  'render.hidden_text': 'Hidden text was left out, as in print.',
  'render.text_appended': 'Text that could not be shown in its place stands at the end of the PDF.',
  'render.request_refused': 'The document wanted something loaded from elsewhere; it was not.',
} as const satisfies Record<string, string>;
