import type { CodeEntry } from './entry.ts';

/** Codes that conversions end with. The step name is `normalize` or `render`. */
export const formatCodes = {
  'normalize.empty': {
    outcome: 'failed',
    meaning: 'The file has no bytes, or nothing in it that could be read.',
    advice: 'Check that the upload to the bucket completed, then drop the file again.',
  },
  'normalize.unsupported': {
    outcome: 'skipped',
    meaning: 'The type of the file is none that Dropline converts.',
    advice: 'Save it as PDF, docx, CSV or plain text, or use a profile with container uploads.',
  },
  'normalize.legacy_office': {
    outcome: 'skipped',
    meaning: 'The file is of a Word or PowerPoint version before 2007 (.doc, .ppt).',
    advice:
      'Open it in Word, PowerPoint or LibreOffice, save it as docx, pptx or PDF, and drop that.',
  },
  'normalize.encrypted': {
    outcome: 'failed',
    meaning: 'The file is protected by a password or by rights management.',
    advice: 'Save a copy without the password and drop that.',
  },
  'normalize.corrupt': {
    outcome: 'failed',
    meaning: 'The file is damaged or incomplete and cannot be read.',
    advice:
      'Open the original, save it again, check that it uploads completely, and drop it again.',
  },
  'normalize.too_large': {
    outcome: 'failed',
    meaning: 'The file, or what it unpacks to, has more bytes than the limit allows.',
    advice: 'Split the file, or raise the limit (maxBytes, maxUnzippedBytes, maxXmlBytes).',
  },
  'normalize.too_many_entries': {
    outcome: 'failed',
    meaning: 'The archive holds more files than the limit allows.',
    advice: 'Split the archive, or raise the limit maxZipEntries.',
  },
  'normalize.zip_bomb': {
    outcome: 'failed',
    meaning: 'The archive is built so that it unpacks to far more than it should.',
    advice: 'Do not open it. If you trust the sender, ask for the files one by one.',
  },
  'normalize.zip_traversal': {
    outcome: 'failed',
    meaning: 'An entry of the archive has a name that points outside of the archive.',
    advice: 'Do not open it. If you trust the sender, ask for the files in a new archive.',
  },
  'normalize.xml_entities': {
    outcome: 'failed',
    meaning: 'The XML inside the file declares a document type or entities, as attacks do.',
    advice: 'Open the original in the program that made it, save it again, and drop that.',
  },
  'normalize.xml_depth': {
    outcome: 'failed',
    meaning: 'Elements inside the file are nested deeper than the limit allows.',
    advice: 'Simplify the document or save it as PDF; the limit is maxXmlDepth.',
  },
  'normalize.too_complex': {
    outcome: 'failed',
    meaning: 'A single table row of the document is too large to be converted.',
    advice: 'Split the row, or save the document as PDF and drop that.',
  },
  'normalize.line_too_long': {
    outcome: 'failed',
    meaning: 'A record of the table is longer than the limit; often a quote is never closed.',
    advice: 'Check the quotes in the file, or raise the limit maxLineChars.',
  },
  'normalize.nested_too_deep': {
    outcome: 'failed',
    meaning: 'The archive lies within more archives than are opened.',
    advice: 'Unpack the outer archive and drop the inner ones; the limit is maxNesting.',
  },
  'normalize.not_a_file': {
    outcome: 'failed',
    meaning: 'The path given to the command is no file.',
    advice: 'Name files; a shell pattern such as folder/* names those of a folder.',
  },
  'normalize.not_found': {
    outcome: 'failed',
    meaning: 'There is no file at the path given to the command.',
    advice: 'Check the path.',
  },
  'normalize.failed': {
    outcome: 'failed',
    meaning: 'The command failed for a reason that lies in the machine, not in the document.',
    advice: 'Look at the message; free disk space and permissions are the usual causes.',
  },
  'normalize.binary': {
    outcome: 'failed',
    meaning: 'The name says text, the content is binary data.',
    advice: 'Give the file the extension of its real type, or drop it as PDF.',
  },
  'normalize.unreadable': {
    outcome: 'failed',
    meaning: 'The converter of this format met something in the file that it cannot read.',
    advice: 'Open the original, save it again or save it as PDF, and drop that.',
  },
  'normalize.timeout': {
    outcome: 'failed',
    meaning: 'The conversion took longer than the limit and was stopped.',
    advice: 'Split the document, save it as PDF, or raise the limit maxSeconds.',
  },
  'normalize.out_of_memory': {
    outcome: 'failed',
    meaning: 'The conversion took more memory than the limit and was stopped.',
    advice: 'Split the document, save it as PDF, or raise the limit maxMemoryMb.',
  },
  'normalize.crashed': {
    outcome: 'failed',
    meaning: 'The conversion process ended unexpectedly on this document.',
    advice: 'Save the document as PDF and drop that; if it happens again, report the file.',
  },
  'normalize.too_many_pages': {
    outcome: 'failed',
    meaning: 'The PDF has more pages than the limit allows.',
    advice: 'Split the PDF, or raise the limit maxPages.',
  },
  'normalize.text_bomb': {
    outcome: 'failed',
    meaning: 'The workbook repeats a few long texts so often that they unfold to gigabytes.',
    advice: 'Do not open it. If you trust the sender, ask for the data as CSV.',
  },
  'normalize.pixel_bomb': {
    outcome: 'failed',
    meaning: 'The picture claims more pixels than are ever decoded.',
    advice: 'Save the picture smaller and drop it again, or raise the limit maxPixels.',
  },
} as const satisfies Record<string, CodeEntry>;

/** What a conversion's warning means: the document went on, a person should know. */
export const formatWarnings = {
  'normalize.type_mismatch': 'The content is of another type than the name or content type says.',
  'normalize.polyglot': 'The file is readable as two types at once, which attacks make use of.',
  'normalize.encoding_guessed': 'The character encoding was guessed; some characters may be wrong.',
  'normalize.undecodable': 'Bytes that are no characters in the encoding were replaced by U+FFFD.',
  'normalize.mixed_encodings':
    'UTF-8 text holds bytes of another encoding; they were read as windows-1252.',
  'normalize.control_characters': 'NULs or control characters were left out.',
  'normalize.stray_quotes': 'Lines of a table open a quote that is never closed.',
  'normalize.ragged_rows': 'Rows of a table have more or fewer cells than usual; all are kept.',
  'normalize.rows_dropped': 'Rows beyond the limit were left out.',
  'normalize.entries_left_out': 'Files of an archive could not be unpacked.',
  'normalize.attachments_dropped': 'Attachments of a mail were left out.',
  'normalize.hidden_content': 'Content that a reader would not see was left out.',
  'normalize.beyond_text':
    'The document holds pictures, charts, equations or the like, so it goes on as PDF.',
  'normalize.no_text': 'The file opens but holds nothing to read.',
  'normalize.tracked_changes':
    'The document has tracked changes; it was read as if all of them were accepted.',
  'normalize.hidden_text': 'The file has text or sheets that its own program does not show.',
  'normalize.image_lost': 'Pictures of the file were not kept.',
  'normalize.embedded_object': 'Files embedded in the document were not read.',
  'normalize.imported_part': 'A foreign part that Word would import on opening was not read.',
  'normalize.external_reference':
    'The file refers to pictures, templates or data elsewhere; nothing was fetched.',
  'normalize.damaged':
    'The file is damaged in a place that readers repair; something may be missing.',
  'normalize.scan': 'The PDF has no text layer: Claude reads its pages as pictures.',
  'normalize.active_content': 'The PDF holds scripts or actions; nothing of it was run.',
  'normalize.animation': 'The picture is an animation of which Claude sees the first frame.',
  'normalize.image_scaled': 'The picture was larger than Claude takes and was scaled down.',
  'normalize.formulas_uncalculated':
    'Formulas have no stored result; they stand in the text themselves.',
  'normalize.sheet_unread': 'Sheets without cells (charts, dialogs, macros) were not read.',
  'normalize.chart_lost': 'Charts were not kept; the cells they draw on were.',
  'normalize.content_dropped': 'Parts of the document were too large for its reader.',
  'normalize.macros': 'The file holds macros; they were neither run nor kept.',
} as const satisfies Record<string, string>;
