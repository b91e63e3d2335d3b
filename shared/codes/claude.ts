import type { CodeEntry } from './entry.ts';

/** Codes of failed calls to the Claude API, as `outcomeOf` assigns them. */
export const claudeCodes = {
  'claude.unauthorized': {
    outcome: 'held',
    meaning: 'The Claude API rejected the API key (401).',
    advice: 'Put a valid key in the secret. Held documents resume automatically.',
  },
  'claude.billing': {
    outcome: 'held',
    meaning:
      'The Claude API cannot bill the organization (402), or its credit balance is too low (400).',
    advice: 'Check payment and credit in the Claude Console. Held documents resume automatically.',
  },
  'claude.forbidden': {
    outcome: 'held',
    meaning:
      'The API key lacks permission for this, or the organization is on hold or disabled (403, 400).',
    advice:
      'Check the workspace, the permissions of the key and the status of the organization in the Claude Console.',
  },
  'claude.spend_limit': {
    outcome: 'held',
    meaning: 'A spend limit of the organization or workspace is used up (429, 402, 400).',
    advice:
      'Raise the limit in the Claude Console, or wait until it starts over. Held documents resume automatically; `{"resume":true}` asks at once.',
  },
  'claude.storage_full': {
    outcome: 'held',
    meaning: "The organization's file storage is full.",
    advice: 'Delete files that are no longer needed. Held documents resume automatically.',
  },
  'claude.misconfigured': {
    outcome: 'held',
    meaning:
      'The configured address is not the Claude API, the API key is malformed, or the key belongs to several workspaces.',
    advice:
      'Check the base URL, the dialect and the secret that holds the key; use a key of one workspace.',
  },
  'claude.rate_limited': {
    outcome: 'waiting',
    meaning: 'The rate limit for requests or tokens is exceeded (429).',
    advice: 'Nothing to do. If it persists, lower the configured rate or request higher limits.',
  },
  'claude.overloaded': {
    outcome: 'waiting',
    meaning: 'The Claude API is overloaded (503, 529).',
    advice: "Nothing to do. If it persists, check the API's status page.",
  },
  'claude.server_error': {
    outcome: 'waiting',
    meaning:
      'The Claude API failed (5xx). A paid call that ends so may have been billed and counts as an attempt.',
    advice: "Nothing to do. If it persists, check the API's status page and report the request id.",
  },
  'claude.conflict': {
    outcome: 'waiting',
    meaning: 'Another operation was using the same resource (409).',
    advice: 'Nothing to do.',
  },
  'claude.unreachable': {
    outcome: 'waiting',
    meaning: 'Could not connect to the Claude API; nothing was sent.',
    advice: 'Check the network, DNS and certificates of the functions.',
  },
  'claude.reply_lost': {
    outcome: 'waiting',
    meaning: 'A request was sent, but the response was missing or incomplete.',
    advice: 'Nothing to do: this call is safe to repeat.',
  },
  'claude.interrupted': {
    outcome: 'retried',
    meaning: "The function's time or its lease ended during the call, before anything was sent.",
    advice: 'Nothing to do. If it persists, give the function a longer timeout.',
  },
  'claude.unexpected_reply': {
    outcome: 'retried',
    brakes: true,
    meaning: 'This version of Dropline does not understand the response of the Claude API.',
    advice: 'Check that the configured dialect matches the address; look for a newer version.',
  },
  'claude.not_found': {
    outcome: 'retried',
    brakes: true,
    meaning: 'The Claude API does not have the requested resource (404).',
    advice:
      'Nothing to do: the reconciler corrects the record. If uploads end so, check the base URL and the dialect.',
  },
  'claude.invalid_request': {
    outcome: 'failed',
    meaning: 'The Claude API rejected the request (400).',
    advice: 'Report the message and the request id; retrying does not help.',
  },
  'claude.refused_parameter': {
    outcome: 'failed',
    brakes: true,
    meaning: 'The Claude API refused a parameter, a header or a field of the request (400).',
    advice:
      'The message names it: correct the model, its effort, maxTokens or the schema in dropline.config.json, or the dialect, then retry the failed documents.',
  },
  'upload.too_large': {
    outcome: 'failed',
    meaning: 'The file exceeds the limit of the Files API (500 MB).',
    advice: 'Split or shrink the file and drop it again.',
  },
  'upload.invalid_request': {
    outcome: 'failed',
    meaning: 'The Files API rejected the file because of its type, name or content.',
    advice: 'The message says why. If the file is at fault, drop it in another format.',
  },
  'upload.size_mismatch': {
    outcome: 'retried',
    meaning:
      'The bytes read from the bucket do not match the size of the object; no file was created.',
    advice: 'Nothing to do, unless the object is modified in place: replace the object instead.',
  },
  'upload.reply_lost': {
    outcome: 'waiting',
    meaning: 'The file was sent, but no response arrived; the file may exist.',
    advice: 'Nothing to do: the next attempt looks for the file before it uploads again.',
  },
  'summarize.too_long': {
    outcome: 'failed',
    meaning: "The document does not fit in the model's context window.",
    advice:
      'Name a model with a larger context window in the profile and drop the document again, or split it.',
  },
  'summarize.too_large': {
    outcome: 'failed',
    meaning: 'The request exceeds the size limit of the Messages API (413).',
    advice: 'Split the document and drop the parts.',
  },
  'summarize.invalid_request': {
    outcome: 'failed',
    meaning: 'The Messages API rejected the request or the document in it.',
    advice:
      'The message says why: often an encrypted or damaged PDF, or more pages than the model of the profile takes.',
  },
  'summarize.model_not_found': {
    outcome: 'failed',
    brakes: true,
    meaning: 'The model of the profile does not exist or is not available to this key.',
    advice:
      'Correct the model in dropline.config.json or the setting `model` and deploy. Held documents then resume by themselves; for the failed ones run the reconciler with `{"retry":["summarize.model_not_found"]}`.',
  },
  'summarize.file_gone': {
    outcome: 'retried',
    meaning: 'The remote file was deleted or has expired.',
    advice: 'Nothing to do: the document is uploaded again.',
  },
  'summarize.reply_lost': {
    outcome: 'retried',
    meaning: 'The request was sent, but no response arrived; the call may have been billed.',
    advice: 'Nothing to do. `usage.calls` of the record counts such calls.',
  },
  'summarize.unexpected_reply': {
    outcome: 'failed',
    brakes: true,
    meaning: 'This version of Dropline does not understand the response, which was billed.',
    advice: 'Look for a newer version before redriving: each attempt is billed.',
  },
} as const satisfies Record<string, CodeEntry>;

export type ClaudeCode = keyof typeof claudeCodes;
