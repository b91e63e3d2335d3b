import type { CodeEntry } from './entry.ts';

/** Codes that failed calls to the Claude API end with; `outcomeOf` gives them. */
export const claudeCodes = {
  'claude.unauthorized': {
    outcome: 'held',
    meaning: 'The Claude API does not accept the API key (401).',
    advice: 'Put a valid key into the secret. Held documents go on by themselves.',
  },
  'claude.billing': {
    outcome: 'held',
    meaning: 'The Claude API cannot bill the organization (402).',
    advice: 'Check payment and credit in the Claude Console. Held documents go on by themselves.',
  },
  'claude.forbidden': {
    outcome: 'held',
    meaning: 'The API key may not do this, or the organization is on hold (403).',
    advice:
      'Check the workspace, the rights of the key and the state of the organization in the Claude Console.',
  },
  'claude.spend_limit': {
    outcome: 'held',
    meaning: 'The spend limit of the organization or workspace is used up.',
    advice: 'Raise the limit in the Claude Console or wait for the next month.',
  },
  'claude.storage_full': {
    outcome: 'held',
    meaning: "The organization's storage for files is full.",
    advice: 'Delete files that are no longer needed, or set an expiry in the profile.',
  },
  'claude.misconfigured': {
    outcome: 'held',
    meaning: 'What answers at the configured address is not the Claude API, or the key is no key.',
    advice: 'Check the base URL, the dialect and the secret that holds the key.',
  },
  'claude.rate_limited': {
    outcome: 'retried',
    meaning: 'Too many requests or tokens at the moment (429).',
    advice: 'Nothing to do. If it lasts, lower the configured rate or ask for higher limits.',
  },
  'claude.overloaded': {
    outcome: 'waiting',
    meaning: 'The Claude API has no capacity at the moment (503, 529).',
    advice: "Nothing to do. If it lasts, look at the API's status page.",
  },
  'claude.server_error': {
    outcome: 'retried',
    meaning: 'The Claude API failed on its side (5xx).',
    advice: "Nothing to do. If it lasts, look at the API's status page and report the request id.",
  },
  'claude.conflict': {
    outcome: 'retried',
    meaning: 'Another operation was working on the same thing (409).',
    advice: 'Nothing to do.',
  },
  'claude.unreachable': {
    outcome: 'waiting',
    meaning: 'No connection to the Claude API came about; nothing was sent.',
    advice: 'Check the network, name resolution and certificates of the functions.',
  },
  'claude.reply_lost': {
    outcome: 'retried',
    meaning: 'A request was sent, but its answer did not come or not wholly.',
    advice: 'Nothing to do: repeating this call does no harm.',
  },
  'claude.interrupted': {
    outcome: 'retried',
    meaning: "The function's time or its claim ended during the call, before anything was sent.",
    advice: 'Nothing to do. If it lasts, give the function more time.',
  },
  'claude.unexpected_reply': {
    outcome: 'retried',
    meaning: 'The Claude API answered in a form that this version of Dropline does not know.',
    advice: 'Check that the configured dialect fits the address; look for a newer version.',
  },
  'claude.not_found': {
    outcome: 'retried',
    meaning: 'The Claude API does not have what was asked for (404).',
    advice: 'Nothing to do: the reconciler brings the record in line with what is there.',
  },
  'claude.invalid_request': {
    outcome: 'failed',
    meaning: 'The Claude API does not accept the request (400).',
    advice: 'Report the message and the request id; repeating the call will not help.',
  },
  'upload.too_large': {
    outcome: 'failed',
    meaning: 'The file is above what the Files API takes (500 MB).',
    advice: 'Split or shrink the file and drop it again.',
  },
  'upload.invalid_request': {
    outcome: 'failed',
    meaning: 'The Files API does not accept the file: its type, name or content.',
    advice: "The message says why. Drop the file in another format if it is the file's fault.",
  },
  'upload.size_mismatch': {
    outcome: 'retried',
    meaning: 'Fewer or more bytes came from the bucket than the object has; no file was made.',
    advice: 'Nothing to do, unless the object is written to in place: write it anew instead.',
  },
  'upload.reply_lost': {
    outcome: 'retried',
    meaning: 'The file was sent, but the answer did not come; the file may exist.',
    advice: 'Nothing to do: the next attempt looks for the file before it uploads again.',
  },
  'summarize.too_long': {
    outcome: 'failed',
    meaning: "The document does not fit into the model's context.",
    advice: 'Use a model with a larger context in the profile, or split the document.',
  },
  'summarize.too_large': {
    outcome: 'failed',
    meaning: 'The request is above what the Messages API takes (413).',
    advice: 'Shorten the prompt of the profile or split the document.',
  },
  'summarize.invalid_request': {
    outcome: 'failed',
    meaning: 'The Messages API does not accept the request or the document in it.',
    advice:
      'The message says why: often an encrypted or damaged PDF, too many pages, or a setting of the profile.',
  },
  'summarize.model_not_found': {
    outcome: 'failed',
    meaning: 'The model of the profile does not exist or is not open to this key.',
    advice: 'Correct the model in the profile or the settings, then redrive the document.',
  },
  'summarize.file_gone': {
    outcome: 'retried',
    meaning: 'The remote file was deleted or has expired.',
    advice: 'Nothing to do: the document is uploaded again.',
  },
  'summarize.reply_lost': {
    outcome: 'retried',
    meaning: 'The request was sent, but its answer did not come; the call may have been paid.',
    advice: 'Nothing to do. `usage.calls` of the record counts such calls.',
  },
  'summarize.unexpected_reply': {
    outcome: 'failed',
    meaning: 'The paid answer is not in a form that this version of Dropline knows.',
    advice: 'Look for a newer version before redriving: each attempt is paid for.',
  },
} as const satisfies Record<string, CodeEntry>;

export type ClaudeCode = keyof typeof claudeCodes;
