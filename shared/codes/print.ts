import type { CodeEntry } from './entry.ts';

/** Codes that end rendering. */
export const printCodes = {
  'render.unavailable': {
    outcome: 'failed',
    meaning:
      'No renderer is available: neither a browser nor LibreOffice could be started, or it makes PDFs of an unknown layout.',
    advice:
      'Install Chrome or Chromium (or LibreOffice), or set its path in the settings; or save the document as PDF and drop that.',
  },
  'render.blank': {
    outcome: 'failed',
    meaning: 'The printed pages do not contain the text of the document.',
    advice: 'Check that the fonts are installed; or save the document as PDF and drop that.',
  },
  'render.timeout': {
    outcome: 'failed',
    meaning: 'Printing the document took longer than the limit and was stopped.',
    advice: 'Split the document, save it as PDF and drop that, or raise the limit maxSeconds.',
  },
  'render.crashed': {
    outcome: 'failed',
    meaning: 'The renderer exited unexpectedly on this document.',
    advice: 'Save the document as PDF and drop that; if it happens again, report the file.',
  },
  'render.unreadable': {
    outcome: 'failed',
    meaning: 'The renderer could not read the document.',
    advice: 'Open it in Word, save it again or as PDF, and drop that.',
  },
} as const satisfies Record<string, CodeEntry>;

/** What each warning of rendering means: the PDF was made, but a person should know. */
export const printWarnings = {
  'render.images_lost':
    'Some pictures are not in the PDF, such as EMF and WMF drawings or linked pictures.',
  'render.charts_as_tables': 'Charts are shown as tables of their values, not drawn.',
  'render.charts_lost': 'Charts whose values are not stored in the file are not in the PDF.',
  'render.diagrams_as_lists': 'Diagrams (SmartArt) are shown as lists of their text, not drawn.',
  'render.shapes_lost': 'Drawn shapes without text, such as lines and arrows, are not in the PDF.',
  'render.text_boxes_moved': 'Text boxes follow the paragraph they are anchored in.',
  'render.embedded_not_read': 'Embedded files were not read; only their preview is shown.',
  'render.import_lost': 'Documents imported into the document could not be read.',
  'render.deletions_left_out': 'Text deleted in tracked changes was left out.',
  'render.hidden_text': 'Words that Word does not show were left out; the message counts them.',
  'render.text_appended': 'Text that could not be shown in place is at the end of the PDF.',
  'render.request_refused': 'The document asked for something from elsewhere; it was not loaded.',
} as const satisfies Record<string, string>;
