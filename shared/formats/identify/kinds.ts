/** The types that a dropped file can be identified as; `shared/convert/registry.ts` converts them. */
export const formats = [
  'pdf',
  'jpeg',
  'png',
  'gif',
  'webp',
  'text',
  'csv',
  'tsv',
  'html',
  'eml',
  'docx',
  'xlsx',
  'xls',
  'ods',
  'pptx',
  'odt',
  'odp',
  'rtf',
  'epub',
  'zip',
] as const;

export type Format = (typeof formats)[number];

interface Kind {
  /** Content types it is declared with; the first is the right one. */
  mimeTypes: readonly string[];
  /** Extensions in lower case, without the dot. */
  extensions: readonly string[];
}

const ooxml = 'application/vnd.openxmlformats-officedocument';
const odf = 'application/vnd.oasis.opendocument';

/** The extensions and content types of each format. */
export const kinds: Record<Format, Kind> = {
  pdf: { mimeTypes: ['application/pdf'], extensions: ['pdf'] },
  jpeg: { mimeTypes: ['image/jpeg', 'image/jpg'], extensions: ['jpg', 'jpeg', 'jfif', 'jpe'] },
  png: { mimeTypes: ['image/png', 'image/apng'], extensions: ['png', 'apng'] },
  gif: { mimeTypes: ['image/gif'], extensions: ['gif'] },
  webp: { mimeTypes: ['image/webp'], extensions: ['webp'] },
  text: {
    mimeTypes: [
      'text/plain',
      'text/markdown',
      'application/json',
      'application/x-ndjson',
      'application/xml',
      'text/xml',
      'application/yaml',
      'text/yaml',
      'application/javascript',
      'text/javascript',
      'text/css',
      'application/toml',
      'application/sql',
      'application/x-sh',
      'image/svg+xml',
      'text/calendar',
      'text/vcard',
      'text/vtt',
    ],
    extensions: (
      'txt text md markdown mdx rst adoc asciidoc log json jsonl ndjson json5 geojson xml xsd xsl xslt ' +
      'yaml yml toml ini cfg conf properties env tex bib srt vtt ics vcf diff patch svg rss atom wsdl ' +
      'js mjs cjs jsx ts mts cts tsx css scss less vue svelte py pyi ipynb rb php pl pm r jl java kt kts scala ' +
      'groovy gradle clj c h cc cpp cxx hpp hh cs fs vb go rs swift m mm dart lua hs erl ex exs elm ml sql ' +
      'graphql gql proto sh bash zsh fish bat cmd ps1 psm1 dockerfile makefile cmake tf tfvars nix asm s v ' +
      'vhd f90 f95 for pas awk sed gitignore editorconfig lock out err asc nfo'
    ).split(' '),
  },
  csv: {
    mimeTypes: ['text/csv', 'application/csv', 'text/x-csv', 'application/x-csv'],
    extensions: ['csv'],
  },
  tsv: { mimeTypes: ['text/tab-separated-values', 'text/tsv'], extensions: ['tsv', 'tab'] },
  html: {
    mimeTypes: ['text/html', 'application/xhtml+xml'],
    extensions: ['html', 'htm', 'xhtml', 'xht', 'shtml'],
  },
  eml: {
    mimeTypes: ['message/rfc822', 'multipart/related', 'application/x-mimearchive'],
    extensions: ['eml', 'mht', 'mhtml'],
  },
  docx: {
    mimeTypes: [
      `${ooxml}.wordprocessingml.document`,
      `${ooxml}.wordprocessingml.template`,
      'application/vnd.ms-word.document.macroenabled.12',
      'application/vnd.ms-word.template.macroenabled.12',
    ],
    extensions: ['docx', 'docm', 'dotx', 'dotm'],
  },
  xlsx: {
    mimeTypes: [
      `${ooxml}.spreadsheetml.sheet`,
      `${ooxml}.spreadsheetml.template`,
      'application/vnd.ms-excel.sheet.macroenabled.12',
      'application/vnd.ms-excel.template.macroenabled.12',
      'application/vnd.ms-excel.sheet.binary.macroenabled.12',
    ],
    extensions: ['xlsx', 'xlsm', 'xltx', 'xltm', 'xlsb'],
  },
  xls: {
    mimeTypes: ['application/vnd.ms-excel', 'application/x-msexcel'],
    extensions: ['xls', 'xlt'],
  },
  ods: {
    mimeTypes: [`${odf}.spreadsheet`, `${odf}.spreadsheet-template`],
    extensions: ['ods', 'ots'],
  },
  pptx: {
    mimeTypes: [
      `${ooxml}.presentationml.presentation`,
      `${ooxml}.presentationml.slideshow`,
      `${ooxml}.presentationml.template`,
      'application/vnd.ms-powerpoint.presentation.macroenabled.12',
      'application/vnd.ms-powerpoint.slideshow.macroenabled.12',
      'application/vnd.ms-powerpoint.template.macroenabled.12',
    ],
    extensions: ['pptx', 'pptm', 'ppsx', 'ppsm', 'potx', 'potm'],
  },
  odt: { mimeTypes: [`${odf}.text`, `${odf}.text-template`], extensions: ['odt', 'ott'] },
  odp: {
    mimeTypes: [`${odf}.presentation`, `${odf}.presentation-template`],
    extensions: ['odp', 'otp'],
  },
  rtf: { mimeTypes: ['application/rtf', 'text/rtf'], extensions: ['rtf'] },
  epub: { mimeTypes: ['application/epub+zip'], extensions: ['epub'] },
  zip: {
    mimeTypes: ['application/zip', 'application/x-zip-compressed', 'application/x-zip'],
    extensions: ['zip'],
  },
};

/** Formats without a binary signature. */
export const textFormats: readonly Format[] = ['text', 'csv', 'tsv', 'html', 'eml'];

/** The extension of a file name, in lower case and without the dot; '' if it has none. */
export function extensionOf(name: string): string {
  const last = name.slice(name.lastIndexOf('/') + 1);
  const dot = last.lastIndexOf('.');
  return dot < 0 ? '' : last.slice(dot + 1).toLowerCase();
}

const byExtension = new Map<string, Format>(
  formats.flatMap((format) => kinds[format].extensions.map((e) => [e, format] as const)),
);
const byMimeType = new Map<string, Format>(
  formats.flatMap((format) => kinds[format].mimeTypes.map((type) => [type, format] as const)),
);

/** The format that a name claims by its extension or, for `Makefile` and the like, as a whole. */
export function formatOfName(name: string): Format | undefined {
  const last = name.slice(name.lastIndexOf('/') + 1).toLowerCase();
  return (
    byExtension.get(extensionOf(name)) ?? (last.includes('.') ? undefined : byExtension.get(last))
  );
}

/** The format of a content type; undefined for `application/octet-stream` and unknown types. */
export function formatOfContentType(contentType: string | undefined): Format | undefined {
  const type = contentType?.split(';', 1)[0]?.trim().toLowerCase();
  if (!type) return undefined;
  return byMimeType.get(type) ?? (type.startsWith('text/') ? 'text' : undefined);
}
