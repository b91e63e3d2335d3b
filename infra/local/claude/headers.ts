import type { IncomingMessage } from 'node:http';
import type { ApiCall } from './call.ts';
import { ApiError, invalid } from './errors.ts';

/** Checks the headers that every request must have. */

const versions = ['2023-06-01', '2026-10-21'];
const filesBeta = 'files-api-2025-04-14';

/** Key as `x-api-key` (classic) or bearer token (SDK 1.0 and later). Throws 401. */
export function authenticate({ req, state }: ApiCall): void {
  const key = req.headers['x-api-key'];
  const bearer = /^Bearer (\S+)$/i.exec(req.headers.authorization ?? '')?.[1];
  const given = typeof key === 'string' && key.trim() !== '' ? key.trim() : bearer;

  if (given === undefined) throw new ApiError(401, 'x-api-key or authorization header is required');
  if (state.settings.apiKeys && !state.settings.apiKeys.has(given)) {
    throw new ApiError(401, 'invalid x-api-key');
  }
}

/** Sets the API version and the dialect of the shapes in `call`. Throws 400. */
export function checkVersion(call: ApiCall): void {
  const version = call.req.headers['anthropic-version'];
  if (typeof version !== 'string') throw invalid('anthropic-version: header is required');
  if (!versions.includes(version)) {
    throw invalid(`anthropic-version: "${version}" is not a valid version`);
  }
  call.version = version;
  if (hasFilesBeta(call.req)) call.shape = 'beta';
}

/** Throws 400 for a compressed body. */
export function checkEncoding({ req }: ApiCall): void {
  const encoding = req.headers['content-encoding'];
  if (encoding === undefined || encoding === 'identity') return;
  const details = { error_code: 'request_body_encoding_unsupported' };
  throw invalid(`content-encoding: ${encoding} is not supported`, details);
}

/** Throws 400 when a call about files lacks its header in the beta dialect. */
export function checkBeta({ req, state }: Pick<ApiCall, 'req' | 'state'>): void {
  if (state.settings.dialect === 'beta' && !hasFilesBeta(req)) {
    throw invalid(`anthropic-beta: the Files API needs the header value ${filesBeta}`);
  }
}

function hasFilesBeta(req: IncomingMessage): boolean {
  const header = req.headers['anthropic-beta'];
  const values = (Array.isArray(header) ? header.join(',') : (header ?? '')).split(',');
  return values.some((value) => value.trim() === filesBeta);
}
