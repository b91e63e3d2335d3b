import type { Block, Fidelity } from '../journey/record.ts';
import type { Format } from './identify/kinds.ts';
import type { Limits } from './limits.ts';

/** A file to convert. Converters read this path and write below `outDir`, and touch nothing else. */
export interface ConvertInput {
  /** Local path of the original bytes. */
  path: string;
  /** The file's name as the user gave it (last part of the key), for its extension only. */
  name: string;
  /** Content type the object was stored with; a hint, never trusted over the signature. */
  contentType?: string | undefined;
  sizeBytes: number;
  /** What the file was identified as; `convert` sets it before it calls a converter. */
  format?: Format | undefined;
  /** Containers (mails, archives) this file came out of; 0 or absent for a dropped file. */
  depth?: number | undefined;
  /** An existing empty directory for what the conversion makes. */
  outDir: string;
  limits: Limits;
}

/** A file inside the file: a mail's attachment, a zip's entry. Becomes a document of its own. */
export interface Part {
  /** Name inside the parent, sanitised, with `/` between folders, unique within the parent. */
  name: string;
  /** Local path below `outDir`. */
  path: string;
  sizeBytes: number;
  contentType?: string | undefined;
}

/**
 * What became of a file.
 * - `pass`: the original bytes go up as they are.
 * - `file`: the converted bytes at `path` go up instead.
 * - `render`: the original is a docx that text cannot carry; the render step makes it a PDF.
 * - `container`: only the files inside (`parts`) go on; the original has no content of its own.
 *
 * Unreadable or hostile input throws `RejectDocument`; an unsupported type throws `SkipDocument`.
 */
export type Conversion =
  | { outcome: 'pass'; mimeType: string; block: Block; fidelity: Fidelity; parts: Part[] }
  | {
      outcome: 'file';
      path: string;
      mimeType: string;
      block: Block;
      fidelity: Fidelity;
      parts: Part[];
    }
  | { outcome: 'render'; fidelity: Fidelity; parts: Part[] }
  | { outcome: 'container'; fidelity: Fidelity; parts: Part[] };

/** A converter of one format. Pure of AWS, network and environment. */
export type Converter = (input: ConvertInput) => Promise<Conversion>;
