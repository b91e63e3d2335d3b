import type { ObjectChange } from '../journey/messages.ts';
import type { Step } from '../journey/record.ts';
import type { DocumentItem } from '../ledger/document-item.ts';
import type { StepTools } from './tools.ts';

/** A step with a queue. */
export type QueuedStep = Exclude<Step, 'remove'>;

/** The status of the documents that a step works on. */
export const worksOn: Record<QueuedStep, 'received' | 'normalized' | 'uploaded'> = {
  normalize: 'received',
  render: 'received',
  upload: 'normalized',
  summarize: 'uploaded',
};

/** The event that made this version, as it would be announced again: the ledger knows it by its sequencer. */
export function changeOf(document: DocumentItem): ObjectChange {
  const { bucket, key, versionId, etag, sequencer, sizeBytes, original, parent, depth } = document;
  return {
    kind: document.status === 'removed' ? 'removed' : 'created',
    bucket,
    key,
    versionId,
    etag,
    sequencer,
    sizeBytes,
    original,
    parent,
    depth,
  };
}

/** The step that an open document waits for; `undefined` where it waits for none. */
export function waitsFor({ status, rendering }: DocumentItem): QueuedStep | undefined {
  switch (status) {
    case 'received':
      return rendering ? 'render' : 'normalize';
    case 'normalized':
      return 'upload';
    case 'uploaded':
      return 'summarize';
    default:
      return undefined;
  }
}

/** Puts an open document back into the queue of the step it waits for. Every step takes it twice. */
export async function resend(document: DocumentItem, tools: StepTools): Promise<void> {
  const { documentId, order, contentSha256 } = document;
  const step = waitsFor(document);
  switch (step) {
    case 'normalize':
      return tools.announce(changeOf(document));
    case 'upload':
      return tools.send({ step, documentId, order, contentSha256: contentSha256 ?? '' });
    case 'render':
    case 'summarize':
      return tools.send({ step, documentId, order });
    case undefined:
      return;
  }
}
