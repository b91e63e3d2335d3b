import type { CodeEntry } from './entry.ts';

/** Codes of the journey's own rules. Those of conversions and of the Claude API have files of their own. */
export const journeyCodes = {
  'normalize.folder': {
    outcome: 'skipped',
    meaning: 'The object is the empty marker that some tools make for a folder.',
    advice: 'Nothing to do.',
  },
  'normalize.container': {
    outcome: 'skipped',
    meaning: 'The file only contains other files; each of them is a document of its own.',
    advice: 'See the documents whose `parent` is this one.',
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
    advice: 'Nothing to do: the event for the newer content replaces this record.',
  },
  'normalize.internal': {
    outcome: 'retried',
    meaning: 'An unexpected error; it was tried five times.',
    advice: 'See the logs of the normalize function; drop the file again once the cause is fixed.',
  },
  'normalize.dead_letter': {
    outcome: 'failed',
    meaning: 'The worker was killed on every delivery of this document.',
    advice: 'See the logs of the normalize function, then redrive its dead-letter queue.',
  },
  'render.internal': {
    outcome: 'retried',
    meaning: 'An unexpected error; it was tried five times.',
    advice: 'See the logs of the render function; drop the file again once the cause is fixed.',
  },
  'render.dead_letter': {
    outcome: 'failed',
    meaning: 'The worker was killed on every delivery of this document.',
    advice: 'See the logs of the render function, then redrive its dead-letter queue.',
  },
  'upload.source_lost': {
    outcome: 'failed',
    meaning: 'The bytes to upload were removed or overwritten before they could be sent.',
    advice: 'Drop the file again if it is still wanted.',
  },
  'upload.source_changed': {
    outcome: 'failed',
    meaning: 'The bytes in the bucket differ from those that were normalized.',
    advice: 'Drop the file again.',
  },
  'upload.internal': {
    outcome: 'retried',
    meaning: 'An unexpected error; it was tried five times.',
    advice: 'See the logs of the upload function; drop the file again once the cause is fixed.',
  },
  'upload.dead_letter': {
    outcome: 'failed',
    meaning: 'The worker was killed on every delivery of this document.',
    advice: 'See the logs of the upload function, then redrive its dead-letter queue.',
  },
  'summarize.refused': {
    outcome: 'failed',
    meaning: 'Claude declined to summarise the document.',
    advice:
      'Read the document yourself. A profile with mode `off` keeps its file without a summary.',
  },
  'summarize.max_tokens': {
    outcome: 'failed',
    meaning: 'The summary was cut off at the limit of output tokens.',
    advice: 'Raise the token limit of the profile and drop the file again.',
  },
  'summarize.unexpected_stop': {
    outcome: 'failed',
    meaning: 'Claude stopped for an unexpected reason.',
    advice: 'Drop the file again; if it persists, file an issue with the request id.',
  },
  'summarize.internal': {
    outcome: 'retried',
    meaning: 'An unexpected error; it was tried five times.',
    advice: 'See the logs of the summarize function; drop the file again once the cause is fixed.',
  },
  'summarize.dead_letter': {
    outcome: 'failed',
    meaning: 'The worker was killed on every delivery of this document.',
    advice: 'See the logs of the summarize function, then redrive its dead-letter queue.',
  },
  'claude.no_key': {
    outcome: 'held',
    meaning: 'The secret holds no Claude API key yet.',
    advice:
      'Put the key into the secret named in the stack outputs; held documents resume automatically.',
  },
} as const satisfies Record<string, CodeEntry>;

/** The journey's own warnings, found in `fidelity.warnings` of a record that is `ready`. */
export const journeyWarnings = {
  'summarize.layout': 'Claude did not use the requested layout; its whole answer is the summary.',
  'summarize.price_unknown':
    'The model is not in the price table: `costUsd` does not include the cost of the summary.',
} as const satisfies Record<string, string>;
