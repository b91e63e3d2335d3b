import type { ApiCall, Reply } from './call.ts';
import { invalid, storageFull, tooLarge } from './errors.ts';
import { shapeOf } from './files-api.ts';
import { boundaryOf, type PartHead, type PartSink, readMultipart } from './multipart.ts';
import type { PendingFile } from './pending-file.ts';
import { bodyOf } from './request-body.ts';
import { strike } from './strike.ts';

/** `POST /v1/files`: streams the file to disk; it exists only once the complete body was valid. */

/** Maximum size of everything in the body except the file's bytes. */
const frameBytes = 64 * 1024;
const expiryRange = { min: 3_600, max: 7_776_000 };
// biome-ignore lint/suspicious/noControlCharactersInRegex: U+0000 to U+001F are forbidden in names
const forbidden = /[<>:"|?*\\/\u0000-\u001f]/;

/**
 * Throws 400 when the API would reject the name. The SDK's comments say that GA reduces a name to its
 * last path component and invents one for an empty name; the documentation says that such names are
 * rejected. The emulator is strict: a client that satisfies the documentation works with both.
 */
function checkFilename(name: string): void {
  const length = [...name].length;
  if (length < 1 || length > 255) throw invalid('file: the filename must have 1 to 255 characters');
  if (forbidden.test(name)) {
    throw invalid(
      'file: the filename has a forbidden character: one of <>:"|?*\\/ or U+0000-U+001F',
    );
  }
}

export async function receiveUpload(call: ApiCall): Promise<Reply> {
  const { state, req, entry } = call;
  const boundary = boundaryOf(req.headers['content-type']);
  const limit = state.settings.maxFileBytes;
  if (Number(req.headers['content-length'] ?? 0) > limit + frameBytes) throw fileTooLarge(limit);

  const pending = state.files.begin();
  try {
    const { head, expiresInSeconds } = await readForm(call, boundary, pending);
    const filename = head.filename ?? '';
    let id = state.newId('file');
    // A seeded source of ids starts over when the emulator restarts.
    while (state.files.has(id)) id = state.newId('file');

    const mimeType = head.contentType ?? 'application/octet-stream';
    const meta = { id, filename, mimeType, downloadable: false, expiresInSeconds };
    const file = await state.files.add(pending, meta);
    entry.fileId = file.id;
    entry.mimeType = file.mimeType;
    entry.sizeBytes = file.sizeBytes;
    entry.sha256 = file.sha256;
    return { json: shapeOf(file, call.shape) };
  } finally {
    await pending.discard();
  }
}

function fileTooLarge(limit: number): Error {
  return tooLarge(`File exceeds the maximum size of ${limit} bytes`);
}

async function readForm(
  call: ApiCall,
  boundary: string,
  pending: PendingFile,
): Promise<{ head: PartHead; expiresInSeconds: number | undefined }> {
  const { state } = call;
  const room = state.settings.storageBytes - state.files.usedBytes();
  const seen = new Set<string>();
  let head: PartHead | undefined;
  let expiry: string | undefined;

  const fileSink: PartSink = {
    write(chunk) {
      if (pending.sizeBytes + chunk.length > state.settings.maxFileBytes) {
        throw fileTooLarge(state.settings.maxFileBytes);
      }
      if (pending.sizeBytes + chunk.length > room) throw storageFull(call.shape);
      return pending.write(chunk);
    },
    end() {},
  };

  await readMultipart(bodyOf(call), boundary, async (part) => {
    if (seen.has(part.name)) throw invalid(`${part.name}: given more than once`);
    seen.add(part.name);

    if (part.name === 'file') {
      if (part.filename === undefined) throw invalid('file: must be a file, with a filename');
      checkFilename(part.filename);
      head = part;
      call.entry.filename = part.filename;
      await strike(call, part.filename);
      return fileSink;
    }
    if (part.name === 'expires_in_seconds' && call.shape === 'ga') {
      if (part.filename !== undefined) throw invalid('expires_in_seconds: must not be a file');
      return textSink(part.name, (text) => {
        expiry = text;
      });
    }
    throw invalid(`${part.name}: Extra inputs are not permitted`);
  });

  if (!head) throw invalid('file: Field required');
  return { head, expiresInSeconds: expiry === undefined ? undefined : secondsOf(expiry) };
}

function textSink(name: string, done: (text: string) => void): PartSink {
  const chunks: Buffer[] = [];
  let size = 0;
  return {
    write(chunk) {
      size += chunk.length;
      if (size > 1024) throw invalid(`${name}: too long`);
      chunks.push(chunk);
    },
    end() {
      done(Buffer.concat(chunks).toString('utf8'));
    },
  };
}

function secondsOf(text: string): number {
  const { min, max } = expiryRange;
  const seconds = Number(text);
  if (!/^\d+$/.test(text) || seconds < min || seconds > max) {
    throw invalid(`expires_in_seconds: must be a whole number from ${min} to ${max}`);
  }
  return seconds;
}
