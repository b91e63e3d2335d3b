import type { CodeEntry } from './entry.ts';

/** Codes that end a conversion. The step is `normalize` or `render`. */
export const formatCodes = {
  'normalize.empty': {
    outcome: 'failed',
    meaning: 'The file has no bytes, or holds nothing that can be read.',
    advice: 'Check that the upload to the bucket was complete, then drop the file again.',
  },
  'normalize.unsupported': {
    outcome: 'skipped',
    meaning: 'Dropline does not convert this file type.',
    advice: 'Save it as PDF, docx, CSV or plain text, or set `containerUploads` in its profile.',
  },
  'normalize.legacy_office': {
    outcome: 'skipped',
    meaning: 'The file was made by a version of Word or PowerPoint before 2007 (.doc, .ppt).',
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
      'Open the original, save it again, check that the upload is complete, and drop it again.',
  },
  'normalize.too_large': {
    outcome: 'failed',
    meaning: 'The file, or what it unpacks to, is larger than the limit.',
    advice: 'Split the file, or raise the limit (maxBytes, maxUnzippedBytes, maxXmlBytes).',
  },
  'normalize.too_many_entries': {
    outcome: 'failed',
    meaning: 'The archive holds more files than the limit allows.',
    advice: 'Split the archive, or raise the limit maxZipEntries.',
  },
  'normalize.zip_bomb': {
    outcome: 'failed',
    meaning: 'The archive is built to unpack to far more than it should.',
    advice: 'Do not open it. If you trust the sender, ask for the files one by one.',
  },
  'normalize.zip_traversal': {
    outcome: 'failed',
    meaning: 'An entry of the archive has a name that points outside the archive.',
    advice: 'Do not open it. If you trust the sender, ask for the files in a new archive.',
  },
  'normalize.xml_entities': {
    outcome: 'failed',
    meaning: 'The XML inside the file declares a document type or entities, as attacks do.',
    advice: 'Open the original in the program that made it, save it again, and drop that.',
  },
  'normalize.xml_depth': {
    outcome: 'failed',
    meaning: 'Elements inside the file are nested deeper than the limit.',
    advice: 'Simplify the document, save it as PDF, or raise the limit maxXmlDepth.',
  },
  'normalize.too_complex': {
    outcome: 'failed',
    meaning: 'One table row of the document is too large to convert.',
    advice: 'Split the row, or save the document as PDF and drop that.',
  },
  'normalize.line_too_long': {
    outcome: 'failed',
    meaning: 'A row of the table is longer than the limit, often because a quote is never closed.',
    advice: 'Check the quotes in the file, or raise the limit maxLineChars.',
  },
  'normalize.nested_too_deep': {
    outcome: 'failed',
    meaning: 'The archive is nested too deeply.',
    advice: 'Unpack the outer archive and drop the inner ones, or raise the limit maxNesting.',
  },
  'normalize.not_a_file': {
    outcome: 'failed',
    meaning: 'The path given to the command is not a file.',
    advice:
      'Give the paths of files; for all files in a folder, use a shell pattern such as folder/*.',
  },
  'normalize.not_found': {
    outcome: 'failed',
    meaning: 'There is no file at the path given to the command.',
    advice: 'Check the path.',
  },
  'normalize.failed': {
    outcome: 'failed',
    meaning: 'The command failed because of the machine, not the document.',
    advice: 'Read the message; the usual causes are a full disk and missing permissions.',
  },
  'normalize.binary': {
    outcome: 'failed',
    meaning: 'The file is named as text, but its content is binary.',
    advice: 'Give the file the extension of its real type, or save it as PDF and drop that.',
  },
  'normalize.unreadable': {
    outcome: 'failed',
    meaning: 'The converter found something in the file that it cannot read.',
    advice: 'Open the original, save it again or save it as PDF, and drop that.',
  },
  'normalize.timeout': {
    outcome: 'failed',
    meaning: 'The conversion took longer than the limit and was stopped.',
    advice: 'Split the document, save it as PDF, or raise the limit maxSeconds.',
  },
  'normalize.out_of_memory': {
    outcome: 'failed',
    meaning: 'The conversion used more memory than the limit and was stopped.',
    advice: 'Split the document, save it as PDF, or raise the limit maxMemoryMb.',
  },
  'normalize.crashed': {
    outcome: 'failed',
    meaning: 'The conversion process crashed on this document.',
    advice: 'Save the document as PDF and drop that; if it happens again, report the file.',
  },
  'normalize.too_many_pages': {
    outcome: 'failed',
    meaning: 'The PDF has more pages than the limit allows.',
    advice: 'Split the PDF, or raise the limit maxPages.',
  },
  'normalize.text_bomb': {
    outcome: 'failed',
    meaning: 'The workbook repeats a few long texts so often that they expand to gigabytes.',
    advice: 'Do not open it. If you trust the sender, ask for the data as CSV.',
  },
  'normalize.pixel_bomb': {
    outcome: 'failed',
    meaning: 'The picture claims more pixels than the limit.',
    advice: 'Save a smaller version of the picture and drop that, or raise the limit maxPixels.',
  },
} as const satisfies Record<string, CodeEntry>;

/** What a conversion's warnings mean. The document was processed; a person should know. */
export const formatWarnings = {
  'normalize.type_mismatch': 'The content is not of the type that the name or content type says.',
  'normalize.polyglot': 'The file can be read as two types at once, which attacks make use of.',
  'normalize.encoding_guessed': 'The character encoding was guessed; some characters may be wrong.',
  'normalize.undecodable': 'Bytes that are invalid in the encoding were replaced by U+FFFD.',
  'normalize.mixed_encodings':
    'The text is UTF-8 with bytes of another encoding, which were read as windows-1252.',
  'normalize.control_characters': 'Control characters (such as NUL) were left out.',
  'normalize.stray_quotes':
    'Quotes of a table do not enclose cells: some are never closed, or they are ordinary characters.',
  'normalize.ragged_rows':
    'Some rows of a table have more or fewer cells than the others; all cells were kept.',
  'normalize.rows_dropped': 'Rows beyond the limit were left out.',
  'normalize.entries_left_out': 'Some files of an archive could not be unpacked.',
  'normalize.parts_left_out':
    'The dropped file holds more files than the limit maxParts allows; those beyond it did not become documents.',
  'normalize.attachments_dropped': 'Attachments of a mail were left out.',
  'normalize.hidden_content':
    'Words of a page or mail that a reader would not see were left out; the message counts them.',
  'normalize.beyond_text':
    'The document holds pictures, charts, equations or the like, so it is uploaded as PDF.',
  'normalize.no_text': 'The file opens, but there is nothing in it to read.',
  'normalize.tracked_changes':
    'The document has tracked changes; it was read as if all of them had been accepted.',
  'normalize.hidden_text':
    'Hidden text was left out, or hidden sheets, rows, columns, cells or slides were kept and marked; the message counts them.',
  'normalize.image_lost': 'Pictures of the file were not kept.',
  'normalize.embedded_object': 'Files embedded in the document were not read.',
  'normalize.imported_part':
    'The document imports another file when Word opens it; that file was not read.',
  'normalize.external_reference':
    'The file refers to pictures, templates or data outside it; nothing was fetched.',
  'normalize.damaged':
    'The file is damaged, but could be repaired on reading; something may be missing.',
  'normalize.scan': 'The PDF has no text layer: Claude reads its pages as pictures.',
  'normalize.active_content': 'The PDF holds scripts or actions; none of them was run.',
  'normalize.animation': 'The picture is an animation; Claude sees only its first frame.',
  'normalize.image_scaled': 'The picture was larger than Claude accepts and was scaled down.',
  'normalize.formulas_uncalculated':
    'Formulas have no stored result; the formulas themselves were kept.',
  'normalize.sheet_unread': 'Sheets without cells (charts, dialogs, macros) were not read.',
  'normalize.chart_lost': 'Charts were not kept; the cells they show were.',
  'normalize.content_dropped': 'Parts of the document were too large to read and were left out.',
  'normalize.macros': 'The file holds macros; they were neither run nor kept.',
} as const satisfies Record<string, string>;
