import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { ClaudeConnectionError } from '../../shared/claude/errors.ts';
import { markedFilename } from '../../shared/claude/filename.ts';
import { readError } from '../../shared/claude/read-error.ts';
import { Defer, StopLane } from '../../shared/journey/errors.ts';
import type { Profile } from '../../shared/journey/profiles.ts';
import type { ContentItem } from '../../shared/ledger/contents.ts';
import type { DocumentItem } from '../../shared/ledger/document-item.ts';
import { contentKey, documentKey } from '../../shared/ledger/keys.ts';
import { liveFile, upload } from '../../shared/steps/upload.ts';
import { changed, error, impliedBy } from '../ledger/support.ts';
import { sha256Of } from '../world/digest.ts';
import { deployment, workshop } from './support.ts';

const text = 'Sales rose.';
const contentSha256 = sha256Of(text);
const filename = markedFilename('a.txt', contentSha256, deployment, 'txt');
const sizeBytes = text.length;
const mimeType = 'text/plain';
const source = { bucket: 'inbox', key: 'a.txt', sizeBytes, filename };
const facts = { contentSha256, sizeBytes, filename, mimeType };
const content = { contentSha256, mimeType, source };
const { usage } = impliedBy.uploaded;
const leaseMs = 60_000;

let shop: Awaited<ReturnType<typeof workshop>>;
beforeEach(async () => {
  shop = await workshop();
  shop.buckets.put('inbox', 'a.txt', Buffer.from(text));
});

const item = () => shop.tools.contents.get(contentSha256);
const claimedBy = (owner: string, seen?: ContentItem) =>
  shop.tools.contents.claim(facts, seen, owner, leaseMs);
const failure = (work: Promise<unknown>) => work.catch((error: unknown) => error);

/** A live content with one file. */
async function live(expiresAt?: string): Promise<string> {
  await claimedBy('first');
  const { id } = shop.remote.add(filename, sizeBytes, expiresAt);
  await shop.tools.contents.setLive(contentSha256, 'first', { fileId: id, expiresAt });
  return id;
}

/** A document that waits to be uploaded. */
async function normalized(sequencer = '01'): Promise<DocumentItem> {
  const { documents } = shop.tools;
  const { document } = await documents.receive(changed(sequencer), 'default');
  const changes = { contentSha256, mimeType, source, block: 'document' } as const;
  const moved = await documents.move(document, 'normalized', changes);
  if (!moved) throw new Error('not moved');
  return moved;
}
const messageOf = ({ documentId, order }: DocumentItem) =>
  ({ step: 'upload', documentId, order, contentSha256 }) as const;
const gone = (sequencer: string) => changed(sequencer, { kind: 'removed' });
const record = ({ documentId }: DocumentItem) => shop.tools.documents.get(documentId);

describe('the live file of content', () => {
  test('is made by one upload', async () => {
    const file = await liveFile(content, shop.tools);

    expect(file).toEqual({ fileId: 'file_1', expiresAt: undefined });
    expect(shop.remote.calls).toEqual(['upload']);
    expect(shop.remote.given).toMatchObject({ filename, mimeType, sizeBytes, ownsChunks: true });
    expect(await item()).toMatchObject({ ...facts, state: 'live', fileId: 'file_1', claims: 1 });
    expect(shop.logged).toEqual([
      {
        level: 'info',
        message: 'uploaded',
        fields: { contentSha256, fileId: 'file_1', sizeBytes, claims: 1 },
      },
    ]);
  });

  test('is used as it is', async () => {
    const fileId = await live();

    expect(await liveFile(content, shop.tools)).toEqual({ fileId, expiresAt: undefined });

    expect(shop.remote.calls).toEqual([]);
  });

  test('is used as it is where a function of 0.1 wrote it, under its hash whatever its type', async () => {
    const mimeType = 'application/octet-stream';
    const kept = { state: 'live', revision: 1, claims: 1, fileId: 'file_old' };
    await shop.table.put({ ...contentKey(contentSha256), ...facts, mimeType, ...kept });

    const file = await liveFile({ ...content, mimeType }, shop.tools);

    expect(file.fileId).toBe('file_old');
    expect(shop.remote.calls).toEqual([]);
  });

  test('is used until its margin before expiry, then uploaded again', async () => {
    const expiresAt = new Date(shop.clock.now + 3_600_000).toISOString();
    const fileId = await live(expiresAt);

    expect(await liveFile(content, shop.tools)).toEqual({ fileId, expiresAt });
    shop.clock.now += 1;
    expect((await liveFile(content, shop.tools)).fileId).not.toBe(fileId);

    // No worker died: there is nothing to look for.
    expect(shop.remote.calls).toEqual(['upload']);
  });

  test('is used once when it expires sooner than its margin from the start', async () => {
    shop.remote.expiresAt = new Date(shop.clock.now + 1_000).toISOString();

    const file = await liveFile(content, shop.tools);

    expect(file).toEqual({ fileId: 'file_1', expiresAt: shop.remote.expiresAt });
    expect(shop.remote.calls).toEqual(['upload']);
  });

  test('is waited for while another worker uploads it, at most five seconds at a time', async () => {
    await claimedBy('another');

    const early = await failure(liveFile(content, shop.tools));
    shop.clock.now += leaseMs - 1;
    const late = await failure(liveFile(content, shop.tools));

    expect(early).toBeInstanceOf(Defer);
    expect(early).toMatchObject({
      code: 'upload.under_way',
      message: 'Another worker is uploading or deleting the same content.',
      delayMs: 5_000,
    });
    expect(late).toMatchObject({ delayMs: 1 });
    expect(shop.remote.calls).toEqual([]);
  });

  test('is waited for while a deleter looks for the one that a dead worker may have made', async () => {
    const dead = await claimedBy('dead');
    if (!dead) throw new Error('not claimed');
    shop.remote.add(filename, sizeBytes);
    shop.clock.now += leaseMs;
    await shop.tools.contents.beginDelete(dead, 'deleter', leaseMs);

    const thrown = await failure(liveFile(content, shop.tools));

    expect(thrown).toMatchObject({ code: 'upload.under_way', delayMs: 5_000 });
    expect(shop.remote.calls).toEqual([]);
    // The deleter died, too.
    shop.clock.now += leaseMs;
    expect((await liveFile(content, shop.tools)).fileId).toBe('file_1');
  });

  test('is adopted when the previous worker died after making it', async () => {
    await claimedBy('dead');
    const { id } = shop.remote.add(filename, sizeBytes);
    shop.clock.now += leaseMs;

    expect((await liveFile(content, shop.tools)).fileId).toBe(id);

    expect(shop.remote.calls).toEqual(['list']);
    expect(await item()).toMatchObject({ state: 'live', fileId: id });
  });

  test.each([
    ['another size', filename, sizeBytes + 1],
    ['another mark', markedFilename('a.txt', 'f'.repeat(64), deployment, 'txt'), sizeBytes],
    [
      'the mark of another deployment',
      markedFilename('a.txt', contentSha256, '0'.repeat(8), 'txt'),
      sizeBytes,
    ],
    ['no mark', 'a.txt', sizeBytes],
  ])('is never a file with %s', async (_, name, size) => {
    await claimedBy('dead');
    const { id } = shop.remote.add(name, size);
    shop.clock.now += leaseMs;

    expect((await liveFile(content, shop.tools)).fileId).not.toBe(id);

    expect(shop.remote.calls).toEqual(['list', 'upload']);
  });

  test('is uploaded without a search after a failure that made none', async () => {
    shop.remote.uploadFails = { error: readError(529, {}, '{}', 0) };
    await failure(liveFile(content, shop.tools));
    expect(await item()).toMatchObject({ state: 'free' });

    shop.remote.uploadFails = undefined;
    await liveFile(content, shop.tools);

    expect(shop.remote.calls).toEqual(['upload', 'upload']);
  });

  test('is searched for after a lost reply', async () => {
    const error = new ClaudeConnectionError('m', { sent: 'maybe' });
    shop.remote.uploadFails = { error, made: true };
    const thrown = await failure(liveFile(content, shop.tools));
    expect(thrown).toMatchObject({ code: 'upload.reply_lost' });

    shop.remote.uploadFails = undefined;
    await liveFile(content, shop.tools);

    expect(shop.remote.calls).toEqual(['upload', 'list']);
    expect(shop.remote.files).toHaveLength(1);
  });

  test('is searched for again when the search itself failed', async () => {
    await claimedBy('dead');
    const { id } = shop.remote.add(filename, sizeBytes);
    shop.clock.now += leaseMs;
    const { iterateFiles } = shop.tools.claude;
    shop.tools.claude.iterateFiles = () => {
      throw readError(529, {}, '{}', 0);
    };
    await failure(liveFile(content, shop.tools));
    shop.tools.claude.iterateFiles = iterateFiles;

    expect((await liveFile(content, shop.tools)).fileId).toBe(id);

    expect(shop.remote.calls).toEqual(['list']);
  });

  test('is not searched for again once the search found none', async () => {
    await claimedBy('dead');
    shop.clock.now += leaseMs;
    shop.remote.uploadFails = { error: readError(529, {}, '{}', 0) };

    await failure(liveFile(content, shop.tools));

    expect(await item()).toMatchObject({ state: 'free' });
  });

  test('is that of the first worker when two claim at once', async () => {
    const { contents } = shop.tools;
    const claim = contents.claim.bind(contents);
    let other: string | undefined;
    contents.claim = async (...args) => {
      contents.claim = claim;
      other = await live();
      return claim(...args);
    };

    expect((await liveFile(content, shop.tools)).fileId).toBe(other);

    expect(shop.remote.calls).toEqual([]);
  });

  test('replaces one that was about to be deleted, which is then deleted', async () => {
    const doomed = await live();
    const seen = await item();
    if (!seen) throw new Error('no content');
    await shop.tools.contents.beginDelete(seen, 'deleter', leaseMs);

    const { fileId } = await liveFile(content, shop.tools);

    expect(shop.remote.calls).toEqual(['upload', `delete ${doomed}`]);
    expect(shop.remote.files.map((file) => file.id)).toEqual([fileId]);
  });

  test('is valid even when the one before could not be deleted', async () => {
    const doomed = await live();
    const seen = await item();
    if (!seen) throw new Error('no content');
    await shop.tools.contents.beginDelete(seen, 'deleter', leaseMs);
    shop.remote.deleteFails = new Error('no route');

    const { fileId } = await liveFile(content, shop.tools);

    expect(await item()).toMatchObject({ state: 'live', fileId });
    expect(shop.logged).toContainEqual({
      level: 'warn',
      message: 'doomed file not deleted',
      fields: { fileId: doomed, error: 'Error: no route' },
    });
  });

  test('is never the doomed one, although that carries the mark', async () => {
    const doomed = await live();
    const seen = await item();
    if (!seen) throw new Error('no content');
    await claimedBy('dead', await shop.tools.contents.beginDelete(seen, 'deleter', leaseMs));
    shop.clock.now += leaseMs;

    const { fileId } = await liveFile(content, shop.tools);

    expect(fileId).not.toBe(doomed);
    expect(shop.remote.calls).toEqual(['list', 'upload', `delete ${doomed}`]);
  });
});

describe('a file that replaces another', () => {
  /** A document that is on a file, with a reference to the content. */
  async function onFile(key: string, fileId: string): Promise<DocumentItem> {
    const { documents, contents } = shop.tools;
    const { document } = await documents.receive(changed('01', { key }), 'default');
    const { documentId, order } = document;
    await contents.join(contentSha256, documentId, order);
    const facts = { contentSha256, mimeType, source, block: 'document' } as const;
    const moved = await documents.move(document, 'normalized', facts);
    const uploaded = await documents.move(moved ?? document, 'uploaded', { fileId, usage });
    return uploaded ?? expect.unreachable('it moved');
  }
  const evicted = async () => {
    const fileId = await live();
    await shop.tools.contents.evict(contentSha256, fileId);
    return fileId;
  };

  test('is passed on to the other documents with this content, page by page', async () => {
    const old = await evicted();
    const others = await Promise.all(['b.txt', 'c.txt', 'd.txt'].map((key) => onFile(key, old)));
    const query = shop.table.query.bind(shop.table);
    shop.table.query = (input) => query({ ...input, limit: 2 });
    const expiresAt = new Date(shop.clock.now + 7_200_000).toISOString();
    shop.remote.expiresAt = expiresAt;

    const { fileId } = await liveFile(content, shop.tools);

    expect(fileId).not.toBe(old);
    for (const other of others) {
      expect(await record(other)).toMatchObject({
        status: 'uploaded',
        fileId,
        fileExpiresAt: expiresAt,
        revision: other.revision + 1,
      });
    }
  });

  test('leaves documents alone that are on it, on none, or of another version', async () => {
    const old = await evicted();
    const current = await onFile('b.txt', 'file_2');
    const replaced = await onFile('c.txt', old);
    await shop.tools.documents.receive(changed('02', { key: 'c.txt' }), 'default');
    const { document: without } = await shop.tools.documents.receive(
      changed('01', { key: 'd.txt' }),
      'default',
    );
    await shop.tools.contents.join(contentSha256, without.documentId, without.order);
    await shop.tools.contents.join(contentSha256, 'unknown', '01');
    const before = await Promise.all([current, replaced, without].map(record));

    const { fileId } = await liveFile(content, shop.tools);

    expect(fileId).toBe('file_2');
    expect(await Promise.all([current, replaced, without].map(record))).toEqual(before);
  });

  test('is not passed on when it is the first: nothing is read', async () => {
    const other = await onFile('b.txt', 'file_0');
    shop.tools.contents.references = () => Promise.reject(new Error('a read'));

    await liveFile(content, shop.tools);

    expect((await record(other))?.fileId).toBe('file_0');
  });
});

describe('a claim that was lost during the upload', () => {
  test('to a worker whose file is live gives way: its own file is deleted', async () => {
    let theirs: string | undefined;
    shop.remote.during = async () => {
      shop.clock.now += leaseMs;
      await claimedBy('another', await item());
      theirs = shop.remote.add(filename, sizeBytes).id;
      await shop.tools.contents.setLive(contentSha256, 'another', { fileId: theirs });
    };

    const { fileId } = await liveFile(content, shop.tools);

    expect(fileId).toBe(theirs);
    expect(shop.remote.files.map((file) => file.id)).toEqual([theirs]);
    expect(shop.remote.calls).toEqual(['upload', 'delete file_2']);
  });

  test('to a worker that adopted this very file leaves the file alone', async () => {
    const { contents } = shop.tools;
    const setLive = contents.setLive.bind(contents);
    contents.setLive = async (sha256, _owner, file) => {
      contents.setLive = setLive;
      shop.clock.now += leaseMs;
      await claimedBy('another', await item());
      await setLive(sha256, 'another', file);
      return false;
    };

    expect((await liveFile(content, shop.tools)).fileId).toBe('file_1');

    expect(shop.remote.calls).toEqual(['upload']);
  });

  test('to a worker that is still uploading leaves the file for it to find', async () => {
    shop.remote.during = async () => {
      shop.clock.now += leaseMs;
      await claimedBy('another', await item());
    };

    const thrown = await failure(liveFile(content, shop.tools));

    expect(thrown).toMatchObject({ code: 'upload.under_way' });
    expect(shop.remote.calls).toEqual(['upload']);
    expect(shop.remote.files).toHaveLength(1);
  });
});

describe('content that was released during its upload', () => {
  test('is uploaded again', async () => {
    shop.remote.during = async () => {
      shop.remote.during = async () => {};
      const seen = await item();
      if (!seen) throw new Error('no content');
      await shop.tools.contents.forget(seen);
    };

    const { fileId } = await liveFile(content, shop.tools);

    // The first file belongs to no content any more: the reconciler deletes it.
    expect(fileId).toBe('file_2');
    expect(await item()).toMatchObject({ state: 'live', fileId });
    expect(shop.remote.calls).toEqual(['upload', 'upload']);
  });
});

describe('a long upload', () => {
  beforeEach(() => {
    vi.useFakeTimers({ toFake: ['setInterval', 'clearInterval'] });
  });
  afterEach(() => {
    vi.useRealTimers();
  });
  /** Lets `ms` pass, with the renewals that fall due and all they do. */
  const pass = async (ms: number) => {
    shop.clock.now += ms;
    await vi.advanceTimersByTimeAsync(ms);
    await new Promise((resolve) => setImmediate(resolve));
  };

  test('renews its claim three times per lease, and stops when it ends', async () => {
    const until: (number | undefined)[] = [];
    shop.remote.during = async () => {
      for (let n = 0; n < 4; n += 1) {
        await pass(leaseMs / 3);
        until.push(((await item())?.leaseUntil ?? 0) - shop.clock.now);
      }
    };

    await liveFile(content, shop.tools);

    expect(until).toEqual([leaseMs, leaseMs, leaseMs, leaseMs]);
    expect(vi.getTimerCount()).toBe(0);
  });

  test('is aborted when its claim turns out to be lost', async () => {
    let reason: unknown;
    shop.remote.during = async (signal) => {
      shop.clock.now += leaseMs;
      await claimedBy('another', await item());
      expect(signal?.aborted).toBe(false);
      await pass(leaseMs / 3);
      reason = signal?.reason;
      throw new ClaudeConnectionError('ended', { sent: 'maybe' });
    };

    const thrown = await failure(liveFile(content, shop.tools));

    expect(reason).toMatchObject({ message: 'the claim was lost' });
    expect(thrown).toMatchObject({ code: 'upload.reply_lost' });
    expect(await item()).toMatchObject({ state: 'uploading', owner: 'another' });
    expect(vi.getTimerCount()).toBe(0);
  });

  test('continues when the ledger cannot be reached', async () => {
    shop.tools.contents.renew = () => Promise.reject(new Error('no route'));
    shop.remote.during = async (signal) => {
      await pass(leaseMs / 3);
      expect(signal?.aborted).toBe(false);
    };

    await liveFile(content, shop.tools);

    expect(shop.logged).toContainEqual({
      level: 'warn',
      message: 'lease not renewed',
      fields: { contentId: contentSha256, error: 'Error: no route' },
    });
    expect(await item()).toMatchObject({ state: 'live' });
  });
});

test('closes the S3 object when the upload has ended', async () => {
  let signal: AbortSignal | undefined;
  const open = shop.tools.objects.open.bind(shop.tools.objects);
  shop.tools.objects.open = (address, given) => {
    signal = given;
    return open(address, given);
  };
  shop.remote.during = async () => expect(signal?.aborted).toBe(false);

  await liveFile(content, shop.tools);

  expect(signal?.aborted).toBe(true);
});

describe('a document', () => {
  test('gets its file and is sent on to be summarized', async () => {
    const document = await normalized();

    expect(await upload(messageOf(document), shop.tools)).toEqual({ next: 'done' });

    expect(await record(document)).toMatchObject({
      status: 'uploaded',
      fileId: 'file_1',
      attempts: { upload: 1 },
      usage,
    });
    expect(shop.sent).toEqual([
      {
        step: 'summarize',
        documentId: document.documentId,
        order: document.order,
        contentSha256,
      },
    ]);
    expect(await shop.tools.contents.isReferenced(contentSha256)).toBe(true);
  });

  test('records when its file expires, keeps its cost so far, and drops its last error', async () => {
    const expiresAt = new Date(shop.clock.now + 7_200_000).toISOString();
    await live(expiresAt);
    const document = await normalized();
    const usage = { inputTokens: 1, outputTokens: 2, cacheReadTokens: 3, costUsd: 4, calls: 5 };
    const error = { code: 'upload.reply_lost', message: 'm', step: 'upload', advice: '' } as const;
    await shop.tools.documents.move(document, 'normalized', { usage });
    await shop.tools.documents.attemptFailed(document, 'upload', error);

    await upload(messageOf(document), shop.tools);

    const now = await record(document);
    expect(now).toMatchObject({ fileExpiresAt: expiresAt, usage, attempts: { upload: 2 } });
    expect(now?.error).toBeUndefined();
  });

  test.each([
    ['its profile asks for no summary', { mode: 'off' }, 'document'],
    ['it is for code execution only', { mode: 'now' }, 'container_upload'],
  ] as const)('is ready with its file where %s', async (_, profile, block) => {
    const document = await normalized();
    await shop.tools.documents.move(document, 'normalized', { block });
    const keys: string[] = [];
    shop.tools.profileFor = ({ key }) => {
      keys.push(key);
      return profile as Profile;
    };

    await upload(messageOf(document), shop.tools);

    expect(await record(document)).toMatchObject({ status: 'ready', fileId: 'file_1' });
    expect(shop.sent).toEqual([]);
    expect(keys).toEqual(['a.txt']);
  });

  test.each(['claude', 'upload'] as const)(
    'makes no call while the lane %s is stopped',
    async (lane) => {
      const document = await normalized();
      const code = lane === 'claude' ? 'claude.unauthorized' : 'claude.storage_full';
      await shop.tools.circuits.open(new StopLane({ code, message: 'm' }), 1_000);

      expect(await upload(messageOf(document), shop.tools)).toEqual({ next: 'done' });

      expect(shop.remote.calls).toEqual([]);
      expect(await record(document)).toMatchObject({ status: 'held', error: { code } });
    },
  );

  test('that was uploaded before is sent on again, and releases what past versions held', async () => {
    const first = await normalized();
    await upload(messageOf(first), shop.tools);
    const second = await normalized('02');
    shop.sent.length = 0;
    // The worker died between the document and the message to summarize.
    await shop.tools.documents.move(second, 'uploaded', { fileId: 'file_1', usage });

    expect(await upload(messageOf(second), shop.tools)).toEqual({ next: 'done' });

    const { documentId, order } = second;
    expect(shop.sent).toEqual([
      { step: 'summarize', documentId, order, contentSha256 },
      { step: 'release', documentId, order: first.order, contentSha256 },
    ]);
    expect((await record(second))?.releases).toBeUndefined();
    expect(shop.remote.calls).toEqual(['upload']);
  });

  test.each(['ready', 'failed'] as const)(
    'that has ended %s releases what past versions held, and does nothing else',
    async (status) => {
      const { documents } = shop.tools;
      const first = await normalized();
      const second = await normalized('02');
      const error = { code: 'x.y', message: 'm', step: 'upload', advice: '' } as const;
      if (status === 'failed') await documents.setAside(second, 'failed', error);
      else {
        const uploaded = await documents.move(second, 'uploaded', { fileId: 'file_1', usage });
        if (!uploaded) throw new Error('not moved');
        await documents.move(uploaded, 'ready');
      }

      expect(await upload(messageOf(second), shop.tools)).toEqual({ next: 'done' });

      const { documentId } = second;
      expect(shop.sent).toEqual([
        { step: 'release', documentId, order: first.order, contentSha256 },
      ]);
      expect(await record(second)).toMatchObject({ status });
      expect(shop.remote.calls).toEqual([]);
    },
  );

  test('that was resumed from the dead-letter queue is uploaded', async () => {
    const document = await normalized();
    const error = { code: 'upload.dead_letter', message: 'm', step: 'upload', advice: '' } as const;
    await shop.tools.documents.setAside(document, 'failed', error);

    await upload(messageOf(document), shop.tools);

    expect(await record(document)).toMatchObject({ status: 'uploaded' });
  });

  test.each(['received', 'held'] as const)('that is %s is left alone', async (status) => {
    const { documents } = shop.tools;
    const { document } = await documents.receive(changed('01'), 'default');
    const error = { code: 'x.y', message: 'm', step: 'upload', advice: '' } as const;
    if (status === 'held') await documents.setAside(document, 'held', error);
    const before = await record(document);

    expect(await upload(messageOf(document), shop.tools)).toEqual({ next: 'done' });

    expect(await record(document)).toEqual(before);
    expect([shop.remote.calls, shop.sent]).toEqual([[], []]);
  });

  test('that a newer event replaced leaves the content to the newer version, which has none yet', async () => {
    const document = await normalized();
    await shop.tools.contents.join(contentSha256, document.documentId, document.order);
    await live();
    const { document: newer } = await shop.tools.documents.receive(changed('02'), 'default');
    const held = await shop.tools.documents.setAside(newer, 'held', error);

    expect(await upload(messageOf(document), shop.tools)).toEqual({ next: 'done' });
    expect(held?.status).toBe('held');
    expect(shop.remote.files).toHaveLength(1);
    expect(await shop.tools.contents.isReferenced(contentSha256)).toBe(true);
  });

  test.each([
    ['ended', async () => void (await shop.tools.documents.receive(gone('02'), 'default'))],
    [
      'has released it',
      async () => {
        const { document } = await shop.tools.documents.receive(changed('02'), 'default');
        await shop.tools.documents.clearReleases(document);
      },
    ],
  ])(
    'that was replaced by a newer version which %s releases the content, and with it the file',
    async (_, replace) => {
      const document = await normalized();
      await shop.tools.contents.join(contentSha256, document.documentId, document.order);
      await live();
      await replace();

      expect(await upload(messageOf(document), shop.tools)).toEqual({ next: 'done' });

      expect(shop.remote.files).toEqual([]);
      expect(await item()).toBeUndefined();
    },
  );

  test('that a newer event replaced during its upload releases the file it made', async () => {
    const document = await normalized();
    shop.remote.during = async () => {
      await shop.tools.documents.receive(gone('02'), 'default');
    };

    expect(await upload(messageOf(document), shop.tools)).toEqual({ next: 'done' });

    expect(shop.remote.files).toEqual([]);
    expect(await record(document)).toMatchObject({ status: 'removed' });
    expect(shop.sent).toEqual([]);
  });

  test('that was removed while it failed releases the content that it joined', async () => {
    const document = await normalized();
    shop.remote.uploadFails = { error: readError(413, {}, '{}', 0) };
    shop.remote.during = async () => {
      await shop.tools.documents.receive(gone('02'), 'default');
    };

    expect(await upload(messageOf(document), shop.tools)).toEqual({ next: 'done' });

    expect(await shop.tools.contents.isReferenced(contentSha256)).toBe(false);
    expect(await item()).toBeUndefined();
  });

  test('that was removed while its attempt failed leaves the rest to the next delivery', async () => {
    const document = await normalized();
    shop.remote.uploadFails = { error: readError(500, {}, '{}', 0) };
    shop.remote.during = async () => {
      await shop.tools.documents.receive(gone('02'), 'default');
    };

    expect(await upload(messageOf(document), shop.tools)).toMatchObject({ next: 'defer' });

    expect(await shop.tools.contents.isReferenced(contentSha256)).toBe(true);
    expect(await upload(messageOf(document), shop.tools)).toEqual({ next: 'done' });
    expect(await shop.tools.contents.isReferenced(contentSha256)).toBe(false);
  });

  test('that failed for good keeps its reference', async () => {
    const document = await normalized();
    shop.remote.uploadFails = { error: readError(413, {}, '{}', 0) };

    expect(await upload(messageOf(document), shop.tools)).toEqual({ next: 'done' });

    expect(await record(document)).toMatchObject({ status: 'failed' });
    expect(await shop.tools.contents.isReferenced(contentSha256)).toBe(true);
  });

  test('is read once, and forgets how often the API was down', async () => {
    const document = await normalized();
    await shop.tools.documents.waitsForService(document, error);
    const { get } = shop.tools.documents;
    let reads = 0;
    shop.tools.documents.get = async (id) => {
      reads += 1;
      return get.call(shop.tools.documents, id);
    };

    await upload(messageOf(document), shop.tools);

    expect(reads).toBe(1);
    expect(await record(document)).not.toHaveProperty('outages');
  });

  test.each([
    ['was removed', true],
    ['was overwritten', false],
  ])('that %s during its upload leaves what was asked about it accordingly', async (_, removed) => {
    const document = await normalized();
    const ref = { contentId: contentSha256, question: 'q' };
    const askedBy = { documentId: 'd', order: '1', model: 'm', profile: 'default', prefix: '' };
    await shop.tools.answers.claim(ref, askedBy, 'asker', 1_000);
    await shop.tools.answers.giveBack(ref, 'asker', true);
    shop.tools.keepPastMs = 1_000;
    shop.remote.during = async () => {
      const { document: newer } = await shop.tools.documents.receive(
        removed ? gone('02') : changed('02'),
        'default',
      );
      if (!removed) await shop.tools.documents.clearReleases(newer);
    };

    await upload(messageOf(document), shop.tools);

    expect(await shop.tools.answers.get(ref)).toEqual(
      removed ? undefined : expect.objectContaining({ state: 'asking' }),
    );
    expect((await item())?.state).toBe(removed ? undefined : 'past');
  });

  test('that the ledger does not know releases the content', async () => {
    const message = { step: 'upload', documentId: 'unknown', order: '1', contentSha256 } as const;
    await shop.tools.contents.join(contentSha256, 'unknown', '1');

    expect(await upload(message, shop.tools)).toEqual({ next: 'done' });

    expect(await shop.tools.contents.isReferenced(contentSha256)).toBe(false);
  });

  test('that vanished from the ledger during its upload releases the file it made', async () => {
    const document = await normalized();
    shop.remote.during = async () => {
      await shop.table.delete(documentKey(document.documentId));
    };

    expect(await upload(messageOf(document), shop.tools)).toEqual({ next: 'done' });

    expect(shop.remote.files).toEqual([]);
  });

  test('that another worker moved on during its upload keeps the file', async () => {
    const document = await normalized();
    shop.remote.during = async () => {
      await shop.tools.documents.move(document, 'uploaded', { fileId: 'file_1', usage });
    };

    await upload(messageOf(document), shop.tools);

    expect(shop.remote.files).toHaveLength(1);
    expect(shop.sent).toEqual([]);
    expect(await shop.tools.contents.isReferenced(contentSha256)).toBe(true);
  });

  test.each(['contentSha256', 'mimeType', 'block', 'source'])(
    'that lacks its %s in the ledger is refused before any call or write',
    async (attribute) => {
      const document = await normalized();
      const key = documentKey(document.documentId);
      const before = await shop.table.update(key, { remove: [attribute] });

      const thrown = await failure(upload(messageOf(document), shop.tools));

      expect(thrown).toMatchObject({ issues: [{ path: [attribute] }] });
      expect([shop.remote.calls, shop.sent]).toEqual([[], []]);
      expect(await shop.table.get(key)).toEqual(before);
      expect(await shop.tools.contents.isReferenced(contentSha256)).toBe(false);
    },
  );
});
