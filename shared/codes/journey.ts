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
  'normalize.archived': {
    outcome: 'failed',
    meaning: 'The object is in an archive storage class (such as S3 Glacier) and cannot be read.',
    advice:
      'Restore the object or copy it to another storage class, then run the reconciler with `{"retry":["normalize.archived"]}`.',
  },
  'normalize.forbidden': {
    outcome: 'failed',
    meaning: 'S3 does not let Dropline read the object.',
    advice:
      'Check the bucket policy and, if the object is encrypted with a KMS key, that the normalize function may use the key; the record has the answer of S3. Then run the reconciler with `{"retry":["normalize.forbidden"]}`. An object encrypted with your own key (SSE-C) must be stored again without it.',
  },
  'normalize.busy': {
    outcome: 'waiting',
    meaning:
      'A slow conversion was in the way; the document was given back to the queue for another worker.',
    advice: 'Nothing to do.',
  },
  'normalize.announcing': {
    outcome: 'waiting',
    meaning:
      'The files inside the document are too many for one run of the function; the next one continues.',
    advice: 'Nothing to do.',
  },
  'normalize.too_many_parts': {
    outcome: 'failed',
    meaning:
      'None of the files inside this one became a document: the dropped file that it came from had used up the limit.',
    advice: 'Drop it by itself, or raise the limit maxParts and drop the outer file again.',
  },
  'normalize.internal': {
    outcome: 'retried',
    meaning: 'An unexpected error; it was tried five times.',
    advice: 'See the logs of the normalize function; drop the file again once the cause is fixed.',
  },
  'normalize.dead_letter': {
    outcome: 'failed',
    meaning: 'The worker was killed on every delivery of this document.',
    advice:
      'See the logs of the normalize function, then redrive its dead-letter queue, or retry this code.',
  },
  'render.internal': {
    outcome: 'retried',
    meaning: 'An unexpected error; it was tried five times.',
    advice: 'See the logs of the render function; drop the file again once the cause is fixed.',
  },
  'render.dead_letter': {
    outcome: 'failed',
    meaning: 'The worker was killed on every delivery of this document.',
    advice:
      'See the logs of the render function, then redrive its dead-letter queue, or retry this code.',
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
  'upload.archived': {
    outcome: 'failed',
    meaning:
      'The object is in an archive storage class (such as S3 Glacier) and cannot be read for the upload.',
    advice:
      'Restore the object or copy it to another storage class, then run the reconciler with `{"retry":["upload.archived"]}`.',
  },
  'upload.forbidden': {
    outcome: 'failed',
    meaning: 'S3 does not let Dropline read the object for the upload.',
    advice:
      'Check the bucket policy and, if the object is encrypted with a KMS key, that the upload function may use the key; the record has the answer of S3. Then run the reconciler with `{"retry":["upload.forbidden"]}`. An object encrypted with your own key (SSE-C) must be stored again without it.',
  },
  'upload.internal': {
    outcome: 'retried',
    meaning: 'An unexpected error; it was tried five times.',
    advice: 'See the logs of the upload function; drop the file again once the cause is fixed.',
  },
  'upload.dead_letter': {
    outcome: 'failed',
    meaning: 'The worker was killed on every delivery of this document.',
    advice:
      'See the logs of the upload function, then redrive its dead-letter queue, or retry this code.',
  },
  'upload.keeps_failing': {
    outcome: 'failed',
    meaning:
      'The Claude API failed for this file twenty times, while the uploads of other files succeeded.',
    advice: 'Report the request id, or drop the file in another format.',
  },
  'summarize.too_expensive': {
    outcome: 'failed',
    meaning: 'The answer may cost more than the profile allows for one document; nothing was paid.',
    advice:
      'The message has the estimate. Raise maxUsdPerDocument in the profile (1 USD where it says nothing), or name a cheaper model, deploy, and run the reconciler with `{"retry":["summarize.too_expensive"]}`.',
  },
  'summarize.budget_exhausted': {
    outcome: 'held',
    meaning: 'What is left of the budget does not pay for the answer.',
    advice:
      'Nothing to do: the document resumes on a new UTC day or month, within 15 minutes. To go on now, raise dailyUsd or monthlyUsd in dropline.config.json and deploy, or start again.',
  },
  'summarize.budget_price_unknown': {
    outcome: 'held',
    meaning: 'There is a budget, and the price of the model is not known.',
    advice:
      'Add the model to prices in dropline.config.json, or set allowUnknownPrice in the profile, and deploy. Held documents resume automatically.',
  },
  'summarize.keeps_failing': {
    outcome: 'failed',
    meaning:
      'The Claude API failed for this document twenty times, while those of others succeeded.',
    advice: 'Report the request id, or drop the file in another format.',
  },
  'summarize.refused': {
    outcome: 'failed',
    meaning:
      'Claude declined to summarise the document; `error.category` says on what grounds, where it is known.',
    advice:
      'Read the document yourself. Dropping it again asks again only if its profile asks something else by then, such as another model; a reconcile run with `{"retry":["summarize.refused"]}` asks in any case. Both are paid for.',
  },
  'summarize.max_tokens': {
    outcome: 'failed',
    meaning:
      'The summary was cut off at the most output tokens that the profile allows, thinking included.',
    advice:
      'Raise `maxTokens` in the profile or lower its `effort`, then run the reconciler with `{"retry":["summarize.max_tokens"]}`, which asks again and is paid for.',
  },
  'summarize.invalid_fields': {
    outcome: 'failed',
    meaning:
      'The answer did not follow the schema of the profile, and neither did that to a second call. Both were billed.',
    advice:
      'The message says what was wrong. Say in the descriptions of the schema what is meant, or make fields optional; then run the reconciler with `{"retry":["summarize.invalid_fields"]}`, which asks again and is paid for.',
  },
  'summarize.paused_too_often': {
    outcome: 'failed',
    meaning:
      'Claude paused its work on a dataset again and again without an answer. Every call was billed.',
    advice:
      'Ask for less in `code.prompt` of the profile, or drop a smaller file; then run the reconciler with `{"retry":["summarize.paused_too_often"]}`, which asks again and is paid for.',
  },
  'summarize.unexpected_stop': {
    outcome: 'failed',
    meaning: 'Claude stopped for an unexpected reason.',
    advice:
      'Reconcile with `{"retry":["summarize.unexpected_stop"]}`, which asks again and is paid for; if it persists, file an issue.',
  },
  'summarize.internal': {
    outcome: 'retried',
    meaning: 'An unexpected error; it was tried five times.',
    advice: 'See the logs of the summarize function; drop the file again once the cause is fixed.',
  },
  'summarize.dead_letter': {
    outcome: 'failed',
    meaning: 'The worker was killed on every delivery of this document.',
    advice:
      'See the logs of the summarize function, then redrive its dead-letter queue, or retry this code.',
  },
  'profile.unknown': {
    outcome: 'failed',
    meaning:
      'The object asks, by its metadata or tag `dropline-profile`, for a profile that does not exist.',
    advice:
      'Add a profile of that name to dropline.config.json, or correct the tag; then run the reconciler with `{"retry":["profile.unknown"]}`. Metadata can only be corrected by dropping the file again.',
  },
  'claude.no_key': {
    outcome: 'held',
    meaning: 'The secret holds no Claude API key yet.',
    advice:
      'Put the key into the secret named in the stack outputs; held documents resume automatically.',
  },
} as const satisfies Record<string, CodeEntry>;

/** Warnings about files that Claude made, found in `fidelity.warnings` of a record that is `ready`. */
export const fileWarnings = {
  'files.gone': 'A file that Claude made was gone before it could be fetched:',
  'files.not_downloadable':
    'The API does not hand out a file that the answer names, because no tool made it:',
  'files.too_large':
    'A file that Claude made is too large to be stored; it is at Claude until the document is removed:',
  'files.too_many': 'Claude made more files than are stored:',
} as const satisfies Record<string, string>;

/** The journey's own warnings, found in `fidelity.warnings` of a record that is `ready`. */
export const journeyWarnings = {
  ...fileWarnings,
  'summarize.layout': 'Claude did not use the requested layout; its whole answer is the summary.',
  'summarize.price_unknown':
    'The model is not in the price table: `costUsd` does not include the cost of the summary.',
} as const satisfies Record<string, string>;
