import type { Block, Fidelity } from '../journey/record.ts';
import type { Format } from './identify/kinds.ts';
import type { Limits } from './limits.ts';

/** A file to convert. A converter reads `path`, writes below `outDir` and touches nothing else. */
export interface ConvertInput {
  /** Local path of the original bytes. */
  path: string;
  /** The file's name as the user gave it (last part of the key); only its extension is used. */
  name: string;
  /** Content type that the object was stored with; a hint, never trusted over the signature. */
  contentType?: string | undefined;
  sizeBytes: number;
  /** What the file was identified as; `convert` sets it before calling a converter. */
  format?: Format | undefined;
  /** How many containers (mails, archives) this file was inside; 0 or absent for a dropped file. */
  depth?: number | undefined;
  /** Whether the text of a PDF that passes is wanted too, for looking up quotes. */
  wantsText?: boolean | undefined;
  /** An existing, empty directory for the results. */
  outDir: string;
  limits: Limits;
}

/** A file inside the file, such as a mail's attachment or a zip's entry. Becomes its own document. */
export interface Part {
  /** Sanitised name, unique within the parent, with `/` between folders. */
  name: string;
  /** Local path below `outDir`. */
  path: string;
  sizeBytes: number;
  contentType?: string | undefined;
}

/**
 * What became of a file.
 * - `pass`: the original bytes are uploaded as they are. `textLayer` is the path of the text of a PDF, where it was
 *   wanted: a JSON list of its pages.
 * - `file`: the converted bytes at `path` are uploaded instead.
 * - `render`: the original is a docx that text cannot represent; the render step makes it a PDF.
 * - `container`: only the files inside (`parts`) are processed; the original has no content itself.
 *
 * Unreadable or hostile input throws `RejectDocument`; an unsupported type throws `SkipDocument`.
 */
export type Conversion =
  | ({ outcome: 'pass'; mimeType: string; block: Block; textLayer?: string } & Found)
  | ({ outcome: 'file'; path: string; mimeType: string; block: Block } & Found)
  | ({ outcome: 'render' } & Found)
  | ({ outcome: 'container' } & Found);

/** What was found in a file, whatever became of it. */
interface Found {
  fidelity: Fidelity;
  /** The files inside it, in the order they are in it: at most `maxParts` of them. */
  parts: Part[];
  /** Files inside it beyond `maxParts`, which were not unpacked. */
  partsBeyondLimit?: number;
}

/** A converter of one format. It uses no AWS client, no network and no environment variable. */
export type Converter = (input: ConvertInput) => Promise<Conversion>;
