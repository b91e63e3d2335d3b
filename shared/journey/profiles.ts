import type { DocumentRecord } from './record.ts';

/** How documents below a key prefix are summarised. */
export interface Profile {
  name: string;
  model: string;
  /** `now`: one call a document; `off`: the file is uploaded and not summarised. */
  mode: 'now' | 'off';
  /** Maximum number of output tokens. */
  maxTokens: number;
  /**
   * Whether a type that Dropline does not convert is uploaded anyway, for apps that pass the file
   * to Claude's code execution tool (`container_upload` blocks). Such a file is not summarised.
   */
  containerUploads: boolean;
}

/** The profile of every document without a profile of its own. */
export function defaultProfile(model: string): Profile {
  return { name: 'default', model, mode: 'now', maxTokens: 4_096, containerUploads: false };
}

/** Whether a document is summarised once it is uploaded; else it is `ready` then. */
export function isSummarized({ block }: Pick<DocumentRecord, 'block'>, { mode }: Profile): boolean {
  return mode !== 'off' && block !== 'container_upload';
}
