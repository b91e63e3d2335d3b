import {
  batchResults,
  cancelBatch,
  createBatch,
  deleteBatch,
  getBatch,
  listBatches,
} from './batches-api.ts';
import type { ApiCall, Reply } from './call.ts';
import { deleteFile, downloadFile, getFile, listFiles } from './files-api.ts';
import { countTokens, createMessage } from './messages-api.ts';
import { getModel, listModels } from './models-api.ts';
import { receiveUpload } from './upload.ts';

export interface Route {
  method: string;
  /** Path; `{id}` matches one segment. */
  path: string;
  /** Its name in the journal and in faults. */
  operation: string;
  /** Whether it counts against the Files limit and needs the beta header in the beta dialect. */
  files?: true;
  handle: (call: ApiCall) => Promise<Reply>;
}

const files = true as const;
const messages = '/v1/messages';

const routes: readonly Route[] = [
  { method: 'POST', path: '/v1/files', operation: 'files.upload', files, handle: receiveUpload },
  { method: 'GET', path: '/v1/files', operation: 'files.list', files, handle: listFiles },
  { method: 'GET', path: '/v1/files/{id}', operation: 'files.get', files, handle: getFile },
  {
    method: 'DELETE',
    path: '/v1/files/{id}',
    operation: 'files.delete',
    files,
    handle: deleteFile,
  },
  {
    method: 'GET',
    path: '/v1/files/{id}/content',
    operation: 'files.content',
    files,
    handle: downloadFile,
  },
  { method: 'POST', path: messages, operation: 'messages.create', handle: createMessage },
  {
    method: 'POST',
    path: `${messages}/count_tokens`,
    operation: 'messages.count_tokens',
    handle: countTokens,
  },
  {
    method: 'POST',
    path: `${messages}/batches`,
    operation: 'batches.create',
    handle: createBatch,
  },
  { method: 'GET', path: `${messages}/batches`, operation: 'batches.list', handle: listBatches },
  { method: 'GET', path: `${messages}/batches/{id}`, operation: 'batches.get', handle: getBatch },
  {
    method: 'DELETE',
    path: `${messages}/batches/{id}`,
    operation: 'batches.delete',
    handle: deleteBatch,
  },
  {
    method: 'GET',
    path: `${messages}/batches/{id}/results`,
    operation: 'batches.results',
    handle: batchResults,
  },
  {
    method: 'POST',
    path: `${messages}/batches/{id}/cancel`,
    operation: 'batches.cancel',
    handle: cancelBatch,
  },
  { method: 'GET', path: '/v1/models', operation: 'models.list', handle: listModels },
  { method: 'GET', path: '/v1/models/{id}', operation: 'models.get', handle: getModel },
];

const patterns = routes.map((route) => ({
  route,
  pattern: new RegExp(`^${route.path.replace('{id}', '([^/]+)')}$`),
}));

/** The route of a request. When there is none, `allowed` lists the methods that the path has. */
export function findRoute(
  method: string,
  path: string,
): { route: Route | undefined; id: string; allowed: string[] } {
  const found = patterns
    .map(({ route, pattern }) => ({ route, match: pattern.exec(path) }))
    .filter(({ match }) => match !== null);
  const fit = found.find(({ route }) => route.method === method);
  return {
    route: fit?.route,
    id: decode(fit?.match?.[1] ?? ''),
    allowed: found.map(({ route }) => route.method),
  };
}

function decode(segment: string): string {
  try {
    return decodeURIComponent(segment);
  } catch {
    // Invalid percent-encoding: no id looks like that, so the raw segment will not be found.
    return segment;
  }
}
