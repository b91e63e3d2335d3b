import type { DocumentRecord } from './record.ts';

/**
 * How a group of documents is treated: those below a key prefix, or those that ask for it by name. Made of
 * `dropline.config.json` (shared/config/); what a profile leaves out follows from its model or has a default.
 */
export interface Profile {
  name: string;
  /** Hash of the profile's content: another one says that the profile has changed. */
  hash: string;
  /** Keys that begin so have this profile; without one it is only had by name. */
  prefix?: string | undefined;
  model: string;
  /**
   * `now`: one call a document; `batch`: in Message Batches, at half the price; `auto`: in batches while many wait; `off`: the
   * file is uploaded and not summarised.
   */
  mode: 'now' | 'batch' | 'auto' | 'off';
  /** How many messages must wait for `auto` to leave questions to batches; 100 when left out. */
  batchAbove?: number | undefined;
  /** The lowest that the model takes when left out; `none` keeps the model from thinking. */
  effort?: 'none' | 'low' | 'medium' | 'high' | 'xhigh' | 'max' | undefined;
  /** Most output tokens of one call, thinking included; by the model when left out. */
  maxTokens?: number | undefined;
  /** What the people who read the summary want to know, for Claude. */
  prompt?: string | undefined;
  /** `free`: the answer is what the prompt asks for, without the parts of a summary. */
  layout?: 'summary' | 'free' | undefined;
  /** Sent with each document as its context. */
  context?: string | undefined;
  /** Whether the file's name is sent as the title of the document. */
  title?: boolean | undefined;
  /** Whether passages are cited; true when left out. Images have none. */
  citations?: boolean | undefined;
  /** BCP 47 tag of the language to write in; that of the document when left out. */
  language?: string | undefined;
  /** Most key points; three to seven when left out. */
  keyPoints?: number | undefined;
  /** JSON Schema of the fields that are asked for, checked (shared/fields/schema.ts). */
  schema?: Readonly<Record<string, unknown>> | undefined;
  /** False: fields are all that is asked for; a summary is when left out. */
  summary?: boolean | undefined;
  /** What is asked about datasets, with the code execution tool; without it, tables are converted to text. */
  code?: CodeAsked | undefined;
  /** Days after which the remote file expires; never when left out. */
  expiryDays?: number | undefined;
  /** The most in USD that the answer about one document may cost; 1 when left out. */
  maxUsdPerDocument?: number | undefined;
  /** Whether a model whose price is not known may be asked although there is a budget, which then does not count it. */
  allowUnknownPrice?: boolean | undefined;
  /**
   * Whether a type that Dropline does not convert is uploaded anyway, for apps that pass the file
   * to Claude's code execution tool (`container_upload` blocks). Such a file is not summarised.
   */
  containerUploads: boolean;
}

/** How datasets are asked about: files that go up as they are, for the code execution tool. */
export interface CodeAsked {
  /** What is asked about each. */
  prompt: string;
  /** File name extensions, without the dot, that go up as they are, beside csv, tsv and xlsx. */
  types?: readonly string[] | undefined;
  /** Skills that are loaded into the container. */
  skills?: readonly { id: string; version?: string | undefined }[] | undefined;
}

const tables = ['csv', 'tsv', 'xlsx'];

/** Whether a file goes up as it is and is asked about with the code execution tool. */
export function isDataset(key: string, { code, mode }: Profile): boolean {
  if (!code || mode === 'off') return false;
  const extension = /\.([^./]+)$/.exec(key)?.[1]?.toLowerCase();
  return extension !== undefined && [...tables, ...(code.types ?? [])].includes(extension);
}

/** What decides which profile a document has. */
export interface Profiled {
  key: string;
  /** The name that the object asks for, by its metadata or tag; parts take that of their container. */
  profileAsked?: string | undefined;
}

/** The profile of a document, or `undefined` when it asks for one that does not exist. */
export type ProfileFor = (document: Profiled) => Profile | undefined;

/** Whether a document is summarised once it is uploaded; else it is `ready` then. */
export function isSummarized(
  { block }: Pick<DocumentRecord, 'block'>,
  { mode, code }: Profile,
): boolean {
  return mode !== 'off' && (block !== 'container_upload' || code !== undefined);
}

/** The kinds of answers that a document can have. */
export type AnswerKind = 'summary' | 'fields';

/** What a profile asks about a document, in the order in which it is asked: a question each. */
export function askedBy({ summary = true, schema }: Pick<Profile, 'summary' | 'schema'>) {
  return [...(summary ? ['summary' as const] : []), ...(schema ? ['fields' as const] : [])];
}

/** Whether quotes will have to be looked up in the document. */
export const asksForFields = (profile: Profile): boolean =>
  profile.mode !== 'off' && askedBy(profile).includes('fields');

/** What a record says about its profile. */
export const recordedProfile = ({ name, hash }: Profile) => ({ profile: name, profileHash: hash });
