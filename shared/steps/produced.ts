import { createWriteStream, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Transform } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { ClaudeConnectionError, InvalidRequest, isFileGone, NotFound } from '../claude/errors.ts';
import { outcomeOf } from '../claude/outcome.ts';
import { fileWarnings } from '../codes/index.ts';
import { displayName } from '../journey/display-name.ts';
import { RejectDocument } from '../journey/errors.ts';
import { hashFile } from '../journey/hash.ts';
import type { Produced, RepliedAnswer } from '../ledger/answer-item.ts';
import { deleteMade } from './made.ts';
import type { Answered } from './questions.ts';
import type { AnswerTools, Claude } from './tools.ts';

/** Fetches the files that Claude made for an answer into the results bucket, and deletes them at Claude. */

/** Files of one answer that are stored. */
const maxFiles = 20;
/** Bytes of one file that is stored; it passes through the disk of the function, which five documents share. */
const maxFileBytes = 50 * 1024 * 1024;
/** Bytes of all of them together. */
const maxAllBytes = 200 * 1024 * 1024;

type Tools = AnswerTools & { claude: Claude };
type Stored = Produced['stored'][number];
type Warning = Produced['warnings'][number];

/**
 * Order of writes, and what a crash after each leaves: (1) the files are stored, each under its id: stored again at worst;
 * (2) the answer tells where they are; (3) they are deleted at Claude: `made` names them still; (4) `made` is removed. Of an
 * answer that was refused they are only deleted.
 * @throws what waits or is tried again while Claude or S3 do not answer; the answer itself is kept
 */
export async function collectFiles(one: Answered, tools: Tools): Promise<Answered> {
  const { ref } = one;
  const { made = [] } = one.answer;
  if (made.length === 0) return one;
  await tools.circuits.check('claude');
  try {
    const answer = await withFiles(one, made, tools);
    if (!answer) return one;
    const left = new Set(answer.left);
    for (const id of made) if (!left.has(id)) await deleteMade(id, tools.claude);
    await tools.answers.forgetMade(ref, answer);
    return { ...one, answer };
  } catch (thrown) {
    const { error } = outcomeOf(thrown, 'reconcile');
    if (!(error instanceof RejectDocument)) throw error;
    // The answer is paid for: what is wrong with its files does not fail it.
    tools.log.warn('files that Claude made were refused', { ...ref, error: String(thrown) });
    return one;
  }
}

/** @returns the answer with its files, or `undefined` when it is gone: whoever removed it has deleted them */
async function withFiles(
  { ref, answer }: Answered,
  made: readonly string[],
  tools: Tools,
): Promise<RepliedAnswer | undefined> {
  if (answer.state === 'refused' || answer.files) return answer;
  const { files, left } = await storeAll(ref, answer, made, tools);
  const told = await tools.answers.keepFiles(ref, answer, files, left);
  if (told) return told;
  const present = await tools.answers.get(ref);
  return present?.state === 'answered' && present.life === answer.life ? present : undefined;
}

async function storeAll(
  { contentId, question }: Answered['ref'],
  { life, generation }: RepliedAnswer,
  made: readonly string[],
  tools: Tools,
): Promise<{ files: Produced; left: string[] }> {
  const files: Produced = { stored: [], warnings: [] };
  const left: string[] = [];
  let bytes = 0;
  for (const id of made) {
    if (files.stored.length >= maxFiles) {
      left.push(id);
      continue;
    }
    const base = `answers/${contentId}/${question}/files-${life}-${generation}/${id}`;
    const result = await store(id, base, maxAllBytes - bytes, tools);
    if ('code' in result) {
      files.warnings.push(result);
      if (result.code === 'files.too_large') left.push(id);
    } else {
      files.stored.push(result);
      bytes += result.sizeBytes;
    }
  }
  if (left.length > 0 && files.stored.length >= maxFiles) {
    const message = `${left.length} of ${made.length} files were not stored. They are at Claude until the document is removed: ${left.slice(0, 5).join(', ')}`;
    files.warnings.push({ code: 'files.too_many', message });
  }
  return { files, left };
}

/** Stores one file, or says why not. */
async function store(
  id: string,
  base: string,
  leftBytes: number,
  tools: Tools,
): Promise<Stored | Warning> {
  const { claude } = tools;
  try {
    const about = await claude.getFile(id);
    const name = shownName(about.filename);
    if (about.downloadable === false) return warning('files.not_downloadable', id);
    const limit = Math.min(maxFileBytes, leftBytes);
    if (about.sizeBytes > limit) return warning('files.too_large', `${name} (${id})`);
    const { body } = await claude.downloadFile(id);
    const key = `${base}/${safeName(about.filename)}`;
    const sizeBytes = await throughDisk(body, about.sizeBytes, (path, sha256) =>
      tools.objects.putFile(
        { bucket: tools.resultsBucket, key },
        { path, sizeBytes: about.sizeBytes, sha256, contentType: servedAs(about.mimeType) },
      ),
    );
    return { name, mimeType: shownType(about.mimeType), sizeBytes, key };
  } catch (error) {
    if (error instanceof NotFound || isFileGone(error)) return warning('files.gone', id);
    if (error instanceof InvalidRequest && error.errorCode === 'file_not_downloadable') {
      return warning('files.not_downloadable', id);
    }
    throw error;
  }
}

/** Writes a download to the disk, counted, and hands it on. A body that is not as long as it was said to be was cut. */
async function throughDisk(
  body: NodeJS.ReadableStream,
  announced: number,
  put: (path: string, sha256: string) => Promise<void>,
): Promise<number> {
  const dir = mkdtempSync(join(tmpdir(), 'dropline-made-'));
  try {
    const path = join(dir, 'made');
    let bytes = 0;
    const meter = new Transform({
      transform(chunk: Buffer, _encoding, done) {
        bytes += chunk.length;
        done(bytes > announced ? wrongLength() : null, chunk);
      },
    });
    await pipeline(body, meter, createWriteStream(path));
    if (bytes !== announced) throw wrongLength();
    await put(path, await hashFile(path));
    return bytes;
  } finally {
    rmSync(dir, { recursive: true, force: true });
  }
}

const wrongLength = () =>
  new ClaudeConnectionError('The download is not as long as the file.', { sent: 'maybe' });

const warning = (code: keyof typeof fileWarnings, about: string): Warning => ({
  code,
  message: `${fileWarnings[code]} ${about}`,
});

/** A name as people see it: Claude's text, and so that of whoever wrote the dataset. */
const shownName = (name: string): string =>
  Array.from(displayName(name)).slice(0, 255).join('') || 'unnamed';

/** The last part of a key: letters, digits and `._-`, without a dot in front. The id above it keeps equal names apart. */
const safeName = (name: string): string =>
  (name.split(/[\\/]/).at(-1) ?? '')
    .replace(/[^A-Za-z0-9._-]+/g, '_')
    .replace(/^[._-]+/, '')
    .slice(-100) || 'file';

const shownType = (type: string): string =>
  /^[\w.+-]+\/[\w.+-]+$/.test(type) ? type : 'application/octet-stream';

/** Types that a browser shows without running anything; others are only ever downloaded. */
const shown = /^(image\/(png|jpeg|gif|webp)|application\/(pdf|json)|text\/(csv|plain))$/;
const servedAs = (type: string): string => (shown.test(type) ? type : 'application/octet-stream');
