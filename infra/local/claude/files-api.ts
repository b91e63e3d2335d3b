import type { Call, Caller, Reply } from './call.ts';
import { strike } from './call.ts';
import { invalid, notFound } from './errors.ts';
import type { StoredFile } from './file-store.ts';
import type { Dialect } from './options.ts';

/** Listing, reading, downloading and deleting files, in both dialects. */

/** A file as the API shows it. */
export function shapeOf(file: StoredFile, shape: Dialect): object {
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

/** Finds the file of the path, giving faults that name it their chance. Throws 404. */
async function fileOf(call: Call): Promise<StoredFile> {
  const file = call.world.files.get(call.id);
  if (!file) throw missing(call.id);
  call.entry.fileId = file.id;
  call.entry.filename = file.filename;

  await strike(call, file.filename);
  await loseFile(call, file.id);
  if (call.world.files.get(file.id) === undefined) throw missing(file.id);
  return file;
}

/** Does what a fault of kind `expire_file` or `vanish_file` asks for. */
export async function loseFile(call: Caller, id: string): Promise<void> {
  if (call.fault?.kind === 'expire_file') await call.world.files.expire(id);
  if (call.fault?.kind === 'vanish_file') await call.world.files.purge(id);
}

export function missing(id: string): Error {
  return notFound(`File not found: ${id}`);
}

export function expired(id: string): Error {
  return notFound(`The content of file ${id} has expired`, { error_code: 'file_expired' });
}

export async function getFile(call: Call): Promise<Reply> {
  return { json: shapeOf(await fileOf(call), call.shape) };
}

export async function deleteFile(call: Call): Promise<Reply> {
  const file = await fileOf(call);
  await call.world.files.remove(file.id);
  return { json: { id: file.id, type: 'file_deleted' } };
}

export async function downloadFile(call: Call): Promise<Reply> {
  const file = await fileOf(call);
  if (call.world.files.expired(file)) throw expired(file.id);
  if (!file.downloadable) {
    const message = `File ${file.id} is not downloadable: only files made by a tool are`;
    throw invalid(message, { error_code: 'file_not_downloadable' });
  }
  const body = { path: call.world.files.path(file.id), sizeBytes: file.sizeBytes };
  return { body, contentType: file.mimeType };
}

const maxLimit = 1_000;
const maxIds = 100;

export async function listFiles(call: Call): Promise<Reply> {
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

/** `limit` of the query, from 1 to 1,000. Throws 400. */
export function limitOf(query: URLSearchParams): number {
  const text = query.get('limit');
  if (text === null) return 20;
  const limit = Number(text);
  if (!/^\d+$/.test(text) || limit < 1 || limit > maxLimit) {
    throw invalid(`limit: must be a whole number from 1 to ${maxLimit}`);
  }
  return limit;
}

function listGa({ query, world }: Call): object {
  if (query.has('ids[]')) {
    if (query.has('page') || query.has('limit')) {
      throw invalid('ids: cannot be combined with page or limit');
    }
    const ids = new Set(query.getAll('ids[]'));
    if (ids.size > maxIds) throw invalid(`ids: at most ${maxIds} are allowed`);
    const found = [...ids].map((id) => world.files.get(id)).filter((file) => file !== undefined);
    found.sort((a, b) => b.seq - a.seq);
    return { data: found.map((file) => shapeOf(file, 'ga')), next_page: null };
  }

  const limit = limitOf(query);
  const found = world.files.olderThan(seqOf(query.get('page')), limit + 1);
  const page = found.slice(0, limit);
  const last = page.at(-1);
  return {
    data: page.map((file) => shapeOf(file, 'ga')),
    next_page: found.length > limit && last ? pageAfter(last.seq) : null,
  };
}

/** Page tokens hold a place in the order, so that deleting what was listed loses nothing. */
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

function listBeta({ query, world }: Call): object {
  const limit = limitOf(query);
  const [before, after] = [query.get('before_id'), query.get('after_id')];
  if (before !== null && after !== null) {
    throw invalid('before_id: cannot be combined with after_id');
  }
  const cursor = (name: string, id: string): number => {
    const file = world.files.get(id);
    if (!file) throw invalid(`${name}: no file has the id ${id}`);
    return file.seq;
  };
  const found =
    before === null
      ? world.files.olderThan(after === null ? Infinity : cursor('after_id', after), limit + 1)
      : world.files.newerThan(cursor('before_id', before), limit + 1);
  const page = before === null ? found.slice(0, limit) : found.slice(-limit);

  return {
    data: page.map((file) => shapeOf(file, 'beta')),
    has_more: found.length > limit,
    first_id: page.at(0)?.id ?? null,
    last_id: page.at(-1)?.id ?? null,
  };
}
