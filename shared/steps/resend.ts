import type { ObjectChange, StepMessage } from '../journey/messages.ts';
import { type QueuedStep, queuedSteps, steps } from '../journey/steps.ts';
import { contentNameOf } from '../ledger/content-id.ts';
import type { DocumentItem } from '../ledger/document-item.ts';
import { isOpen } from '../ledger/version.ts';
import type { StepTools } from './tools.ts';

/** The event that made this version, as it would be announced again: the ledger knows it by its sequencer. */
export function changeOf(document: DocumentItem): ObjectChange {
  const { bucket, key, versionId, etag, sequencer, sizeBytes, original, parent, depth } = document;
  const { profileAsked } = document;
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
    ...(profileAsked ? { profileAsked } : {}),
  };
}

/** The step that an open document waits for; `undefined` if it waits for none. */
export function waitsFor(document: DocumentItem): QueuedStep | undefined {
  if (!isOpen(document.status)) return undefined;
  if (document.status === 'received' && document.rendering) return 'render';
  return queuedSteps.find((step) => steps[step].worksOn === document.status);
}

/** The message that names an open document to its step; `undefined` where an announcement does. */
export function messageOf(document: DocumentItem): StepMessage | undefined {
  const { documentId, order } = document;
  switch (document.status) {
    case 'received':
      return document.rendering ? { step: 'render', documentId, order } : undefined;
    case 'normalized':
      return { step: 'upload', documentId, order, ...contentNameOf(document) };
    case 'uploaded':
      return { step: 'summarize', documentId, order, ...contentNameOf(document) };
    default:
      return undefined;
  }
}

/** Puts an open document back into the queue of the step that it waits for. Every step accepts it twice. */
export async function resend(document: DocumentItem, tools: StepTools): Promise<void> {
  const message = messageOf(document);
  if (message) await tools.send(message);
  else if (document.status === 'received') await tools.announce(changeOf(document));
}
