import type { CodeEntry } from './entry.ts';

/** Codes of the journey's own rules; those of conversions and of the Claude API stand with them. */
export const journeyCodes = {
  'normalize.folder': {
    outcome: 'skipped',
    meaning: 'The object is the empty marker that some tools make for a folder.',
    advice: 'Nothing to do.',
  },
  'normalize.container': {
    outcome: 'skipped',
    meaning: 'The file only holds others; each of them is a document of its own.',
    advice: 'Look at the documents whose `parent` is this one.',
  },
  'normalize.object_gone': {
    outcome: 'failed',
    meaning: 'The object was removed from the bucket before it could be read.',
    advice:
      'Drop the file again if it is still wanted; the removal will mark the record `removed`.',
  },
  'normalize.object_changed': {
    outcome: 'failed',
    meaning: 'The object was overwritten before it could be read.',
    advice: 'Nothing to do: the event of the newer content replaces this record.',
  },
  'normalize.internal': {
    outcome: 'retried',
    meaning: 'Something failed that Dropline does not know; it was tried five times.',
    advice: 'See the logs of the normalize function; drop the file again when that is mended.',
  },
  'normalize.dead_letter': {
    outcome: 'failed',
    meaning: 'The worker was killed at every delivery of this document.',
    advice: 'See the logs of the normalize function, then redrive its dead-letter queue.',
  },
  'render.internal': {
    outcome: 'retried',
    meaning: 'Something failed that Dropline does not know; it was tried five times.',
    advice: 'See the logs of the render function; drop the file again when that is mended.',
  },
  'render.dead_letter': {
    outcome: 'failed',
    meaning: 'The worker was killed at every delivery of this document.',
    advice: 'See the logs of the render function, then redrive its dead-letter queue.',
  },
  'upload.source_lost': {
    outcome: 'failed',
    meaning: 'The bytes to upload were removed or overwritten before they could be sent.',
    advice: 'Drop the file again if it is still wanted.',
  },
  'upload.source_changed': {
    outcome: 'failed',
    meaning: 'The bytes in the bucket are not those that were normalized.',
    advice: 'Drop the file again.',
  },
  'upload.internal': {
    outcome: 'retried',
    meaning: 'Something failed that Dropline does not know; it was tried five times.',
    advice: 'See the logs of the upload function; drop the file again when that is mended.',
  },
  'upload.dead_letter': {
    outcome: 'failed',
    meaning: 'The worker was killed at every delivery of this document.',
    advice: 'See the logs of the upload function, then redrive its dead-letter queue.',
  },
  'upload.keeps_failing': {
    outcome: 'failed',
    meaning:
      'The Claude API failed for this file twenty times, while the uploads of other files succeeded.',
    advice: 'Report the request id, or drop the file in another format.',
  },
  'summarize.keeps_failing': {
    outcome: 'failed',
    meaning:
      'The Claude API failed for this document twenty times, while those of others succeeded.',
    advice: 'Report the request id, or drop the file in another format.',
  },
  'summarize.refused': {
    outcome: 'failed',
    meaning: 'Claude declined to summarise the document.',
    advice:
      'Read the document yourself; a profile with mode `off` keeps its file without a summary.',
  },
  'summarize.max_tokens': {
    outcome: 'failed',
    meaning: 'The summary was cut off at the limit of output tokens.',
    advice: 'Raise the token limit of the profile and drop the file again.',
  },
  'summarize.unexpected_stop': {
    outcome: 'failed',
    meaning: 'Claude stopped for a reason that a summary does not have.',
    advice: 'Drop the file again; if it stays, file an issue with the request id.',
  },
  'summarize.internal': {
    outcome: 'retried',
    meaning: 'Something failed that Dropline does not know; it was tried five times.',
    advice: 'See the logs of the summarize function; drop the file again when that is mended.',
  },
  'summarize.dead_letter': {
    outcome: 'failed',
    meaning: 'The worker was killed at every delivery of this document.',
    advice: 'See the logs of the summarize function, then redrive its dead-letter queue.',
  },
  'claude.no_key': {
    outcome: 'held',
    meaning: 'The secret holds no Claude API key yet.',
    advice:
      'Put the key into the secret named in the stack outputs; held documents resume automatically.',
  },
} as const satisfies Record<string, CodeEntry>;

/** Warnings of the journey's own: they stand in `fidelity.warnings` of a record that is `ready`. */
export const journeyWarnings = {
  'summarize.layout':
    'Claude did not keep the layout that was asked for; its whole answer is the summary.',
  'summarize.price_unknown':
    'The price table does not have the model: the cost of the summary is missing in `costUsd`.',
} as const satisfies Record<string, string>;
