import type { FilesDialect } from '../../../shared/claude/options.ts';
import type { ApiCall, Reply } from './call.ts';
import { fileExpired, fileMissing, invalid } from './errors.ts';
import type { StoredFile } from './file-store.ts';
import { cursorsOf, limitOf } from './paging.ts';
import { loseFile, strike } from './strike.ts';

/** Listing, reading, downloading and deleting files, in both dialects. */

/** A file as the API shows it. */
export function shapeOf(file: StoredFile, shape: FilesDialect): object {
  const expiresAt = file.expiresAt === null ? null : new Date(file.expiresAt).toISOString();
  return {
    id: file.id,
    type: 'file',
    filename: file.filename,
    mime_type: file.mimeType,
    size_bytes: file.sizeBytes,
    created_at: new Date(file.createdAt).toISOString(),
    downloadable: file.downloadable,
    ...(shape === 'ga' ? { expires_at: expiresAt } : {}),
  };
}

/** The file of the path, once the faults for its name have been applied. Throws 404. */
async function fileOf(call: ApiCall): Promise<StoredFile> {
  const file = call.state.files.get(call.id);
  if (!file) throw fileMissing(call.id);
  call.entry.fileId = file.id;
  call.entry.filename = file.filename;

  await strike(call, file.filename);
  await loseFile(call, file.id);
  if (call.state.files.get(file.id) === undefined) throw fileMissing(file.id);
  return file;
}

export async function getFile(call: ApiCall): Promise<Reply> {
  return { json: shapeOf(await fileOf(call), call.shape) };
}

export async function deleteFile(call: ApiCall): Promise<Reply> {
  const file = await fileOf(call);
  await call.state.files.remove(file.id);
  return { json: { id: file.id, type: 'file_deleted' } };
}

export async function downloadFile(call: ApiCall): Promise<Reply> {
  const file = await fileOf(call);
  if (call.state.files.expired(file)) throw fileExpired(file.id);
  if (!file.downloadable) {
    const message = `File ${file.id} is not downloadable: only files made by a tool are`;
    throw invalid(message, { error_code: 'file_not_downloadable' });
  }
  const body = { path: call.state.files.path(file.id), sizeBytes: file.sizeBytes };
  return { body, contentType: file.mimeType };
}

const maxIds = 100;

export async function listFiles(call: ApiCall): Promise<Reply> {
  const known =
    call.shape === 'ga' ? ['page', 'limit', 'ids[]'] : ['before_id', 'after_id', 'limit'];
  for (const name of new Set(call.query.keys())) {
    if (name === 'beta') continue;
    if (!known.includes(name)) throw invalid(`${name}: Extra inputs are not permitted`);
    if (name !== 'ids[]' && call.query.getAll(name).length > 1) {
      throw invalid(`${name}: given more than once`);
    }
  }
  return { json: call.shape === 'ga' ? listGa(call) : listBeta(call) };
}

function listGa({ query, state }: ApiCall): object {
  if (query.has('ids[]')) {
    if (query.has('page') || query.has('limit')) {
      throw invalid('ids: cannot be combined with page or limit');
    }
    const ids = new Set(query.getAll('ids[]'));
    if (ids.size > maxIds) throw invalid(`ids: at most ${maxIds} are allowed`);
    const found = [...ids].map((id) => state.files.get(id)).filter((file) => file !== undefined);
    found.sort((a, b) => b.seq - a.seq);
    return { data: found.map((file) => shapeOf(file, 'ga')), next_page: null };
  }

  const limit = limitOf(query);
  const found = state.files.olderThan(seqOf(query.get('page')), limit + 1);
  const page = found.slice(0, limit);
  const last = page.at(-1);
  return {
    data: page.map((file) => shapeOf(file, 'ga')),
    next_page: found.length > limit && last ? pageAfter(last.seq) : null,
  };
}

/** Page tokens hold a position in the order, so that deleting listed files skips none. */
function pageAfter(seq: number): string {
  return `page_${Buffer.from(`older:${seq}`).toString('base64url')}`;
}

function seqOf(page: string | null): number {
  if (page === null) return Infinity;
  const text = Buffer.from(page.replace(/^page_/, ''), 'base64url').toString('latin1');
  const seq = /^older:(\d{1,15})$/.exec(text)?.[1];
  if (seq === undefined || page !== pageAfter(Number(seq)))
    throw invalid('page: not a valid token');
  return Number(seq);
}

function listBeta({ query, state }: ApiCall): object {
  const limit = limitOf(query);
  const { before, after } = cursorsOf(query);
  const cursor = (name: string, id: string): number => {
    const file = state.files.get(id);
    if (!file) throw invalid(`${name}: no file has the id ${id}`);
    return file.seq;
  };
  const found =
    before === null
      ? state.files.olderThan(after === null ? Infinity : cursor('after_id', after), limit + 1)
      : state.files.newerThan(cursor('before_id', before), limit + 1);
  const page = before === null ? found.slice(0, limit) : found.slice(-limit);

  return {
    data: page.map((file) => shapeOf(file, 'beta')),
    has_more: found.length > limit,
    first_id: page.at(0)?.id ?? null,
    last_id: page.at(-1)?.id ?? null,
  };
}
