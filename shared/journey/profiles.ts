import { createHash } from 'node:crypto';
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

/**
 * Hash of what a summary depends on besides the content: two versions with equal content and equal
 * fingerprint have the same summary, so the second need not be paid for.
 */
export function fingerprintOf(profile: Profile, prompt: string, title: string): string {
  return createHash('sha256')
    .update(JSON.stringify([profile.model, profile.mode, profile.maxTokens, prompt, title]))
    .digest('hex')
    .slice(0, 32);
}

/** Whether a document is summarised once it is uploaded; otherwise it is `ready` then. */
export function isSummarized({ block }: Pick<DocumentRecord, 'block'>, { mode }: Profile): boolean {
  return mode !== 'off' && block !== 'container_upload';
}
