import { beforeEach, describe, expect, test } from 'vitest';
import { AuthenticationFailed, ClaudeConnectionError } from '../../shared/claude/errors.ts';
import { markedFilename } from '../../shared/claude/filename.ts';
import { readError } from '../../shared/claude/read-error.ts';
import { StopLane } from '../../shared/journey/errors.ts';
import { newContentId } from '../../shared/ledger/content-id.ts';
import { contentKey } from '../../shared/ledger/keys.ts';
import { release } from '../../shared/steps/release.ts';
import { releasePast } from '../../shared/steps/release-past.ts';
import { changed, impliedBy } from '../ledger/support.ts';
import { deployment, workshop } from './support.ts';

const contentSha256 = 'ab'.repeat(32);
const filename = markedFilename('a.txt', contentSha256, deployment, 'txt');
const facts = { contentSha256, sizeBytes: 10, filename, mimeType: 'text/plain' };
const message = { documentId: 'doc', order: '1', contentSha256 };
const leaseMs = 60_000;

let shop: Awaited<ReturnType<typeof workshop>>;
beforeEach(async () => {
  shop = await workshop();
});

const content = () => shop.tools.contents.get(contentSha256);

/** Live content with one file; the version that refers to it is to be released. */
async function live() {
  const { contents } = shop.tools;
  await contents.join(contentSha256, 'doc', '1');
  await contents.claim(facts, undefined, 'first', leaseMs);
  const file = shop.remote.add(filename, 10);
  await contents.setLive(contentSha256, 'first', { fileId: file.id });
  return file.id;
}

describe('the last reference', () => {
  test('takes the remote file and the content item with it', async () => {
    const fileId = await live();

    expect(await release(message, shop.tools)).toEqual({ next: 'done' });

    expect(shop.remote.calls).toEqual([`delete ${fileId}`]);
    expect(await content()).toBeUndefined();
    expect(shop.logged).toEqual([
      { level: 'info', message: 'remote file deleted', fields: { contentSha256, fileId } },
    ]);
  });

  test('leaves the remote file when the retention setting keeps it', async () => {
    await live();

    expect(await release(message, { ...shop.tools, keepRemoteFiles: true })).toEqual({
      next: 'done',
    });

    expect(shop.remote.calls).toEqual([]);
    expect(await content()).toMatchObject({ state: 'live' });
    expect(await shop.tools.contents.isReferenced(contentSha256)).toBe(false);
  });

  test('to unknown content needs no call', async () => {
    expect(await release(message, shop.tools)).toEqual({ next: 'done' });
    expect(shop.remote.calls).toEqual([]);
  });

  test('takes the stray file of a dead uploader, and looks for one only then', async () => {
    const { contents } = shop.tools;
    await contents.claim(facts, undefined, 'dead', leaseMs);
    shop.clock.now += leaseMs;
    const stray = shop.remote.add(filename, 10);

    await release(message, shop.tools);

    expect(shop.remote.calls).toEqual(['list', `delete ${stray.id}`]);
    expect(await content()).toBeUndefined();
  });

  test('also takes the file that was doomed before', async () => {
    const doomed = await live();
    const { contents } = shop.tools;
    const seen = await content();
    if (!seen) throw new Error('no content');
    const taken = await contents.beginDelete(seen, 'deleter', leaseMs);
    await contents.claim(facts, taken, 'newcomer', leaseMs);
    shop.clock.now += leaseMs;

    await release(message, shop.tools);

    expect(shop.remote.files).toEqual([]);
    expect(shop.remote.calls).toEqual(['list', `delete ${doomed}`]);
  });
});

describe('what was asked about the content', () => {
  const keptMs = 7 * 86_400_000;
  const ref = { contentId: contentSha256, question: 'q' };
  const replyKey = `answers/${contentSha256}/q/0.json`;
  const askedBy = { documentId: 'doc', order: '1', model: 'm', profile: 'default', prefix: '' };
  const billed = { model: 'm', inputTokens: 1, outputTokens: 1, cacheReadTokens: 0, at: 'now' };
  const claim = async () => {
    const claimed = await shop.tools.answers.claim(ref, askedBy, 'asker', leaseMs);
    return claimed ?? expect.unreachable('it was free');
  };
  /** Live content with an answer whose reply is in the results bucket. */
  const answered = async () => {
    const fileId = await live();
    await shop.tools.answers.settle(ref, await claim(), { replyKey }, billed);
    shop.buckets.put('results', replyKey, Buffer.from('{}'));
    return fileId;
  };
  const left = async () => ({
    state: (await content())?.state,
    answer: (await shop.tools.answers.get(ref))?.state,
    reply: await shop.buckets.getText({ bucket: 'results', key: replyKey }),
    files: shop.remote.files.length,
  });
  const nothing = { state: undefined, answer: undefined, reply: undefined, files: 0 };
  const keeping = (more: object = {}) => ({ ...shop.tools, keepPastMs: keptMs, ...more });

  test('goes with the content where nothing is kept', async () => {
    await answered();

    expect(await release(message, { ...shop.tools, keepPastMs: 0 })).toEqual({ next: 'done' });

    expect(await left()).toEqual(nothing);
  });

  test('is kept for a while when the document was overwritten; the file is not', async () => {
    await answered();

    expect(await release(message, keeping())).toEqual({ next: 'done' });

    expect(await left()).toEqual({ state: 'past', answer: 'answered', reply: '{}', files: 0 });
    const keptUntil = new Date(shop.clock.now + keptMs).toISOString();
    expect(await content()).toMatchObject({ keptUntil });
  });

  test('is not kept when there is nothing: then the item goes, too', async () => {
    await live();

    await release(message, keeping());

    expect(await left()).toEqual(nothing);
  });

  test('goes at once when the document was removed', async () => {
    await answered();

    expect(await release({ ...message, purge: true }, keeping())).toEqual({ next: 'done' });

    expect(await left()).toEqual(nothing);
  });

  test('goes when the document is removed after it was overwritten', async () => {
    await answered();
    await release(message, keeping());

    expect(await release({ ...message, purge: true }, keeping())).toEqual({ next: 'done' });

    expect(await left()).toEqual(nothing);
    expect(shop.remote.calls).toHaveLength(1);
  });

  test('is kept as long as before when the release is delivered again', async () => {
    await answered();
    await release(message, keeping());
    const before = await content();
    shop.clock.now += 1_000;

    expect(await release(message, keeping())).toEqual({ next: 'done' });

    expect(await content()).toEqual(before);
  });

  test('stays while another version refers to the content, even when this one was removed', async () => {
    await answered();
    await shop.tools.contents.join(contentSha256, 'other', '1');

    await release({ ...message, purge: true }, keeping());

    expect(await left()).toEqual({ state: 'live', answer: 'answered', reply: '{}', files: 1 });
  });

  test('stays beside a file that the retention setting keeps, unless the document was removed', async () => {
    await answered();
    const tools = keeping({ keepRemoteFiles: true });

    expect(await release(message, tools)).toEqual({ next: 'done' });
    expect(await left()).toEqual({ state: 'live', answer: 'answered', reply: '{}', files: 1 });

    expect(await release({ ...message, purge: true }, tools)).toEqual({ next: 'done' });
    expect(await left()).toEqual({ ...nothing, state: 'live', files: 1 });
  });

  test('is found and deleted after the content has gone', async () => {
    await claim();
    await shop.tools.answers.giveBack(ref, 'asker', true);
    shop.buckets.put('results', replyKey, Buffer.from('{}'));

    expect(await release(message, keeping())).toEqual({ next: 'done' });

    expect(await left()).toEqual(nothing);
  });

  test('goes without the replies about other content', async () => {
    await answered();
    const other = `answers/${contentSha256}.12345678/q/0.json`;
    shop.buckets.put('results', other, Buffer.from('{}'));

    await release({ ...message, purge: true }, keeping());

    expect(await shop.buckets.getText({ bucket: 'results', key: other })).toBe('{}');
  });

  describe('while Claude is being asked', () => {
    test('is revoked, and deleted once the call has ended', async () => {
      await live();
      const claimed = await claim();
      shop.clock.now += 20_000;

      const purge = { ...message, purge: true };
      expect(await release(purge, keeping())).toEqual({ next: 'defer', delayMs: 40_000 });

      expect(await shop.tools.answers.get(ref)).toMatchObject({ revoked: true });
      expect(await shop.tools.answers.settle(ref, claimed, { replyKey }, billed)).toBeUndefined();
      // The next delivery need not wait for the deleter's lease.
      await shop.tools.answers.end(ref, 'asker');
      expect(await release(purge, keeping())).toEqual({ next: 'done' });
      expect(await left()).toEqual(nothing);
    });

    test('by a worker that died, is deleted after its lease, and its call recorded', async () => {
      await live();
      await claim();
      const purge = { ...message, purge: true };
      await release(purge, keeping());
      shop.clock.now += leaseMs + 1;

      expect(await release(purge, keeping())).toEqual({ next: 'done' });

      expect(await left()).toEqual(nothing);
      expect(await shop.costs()).toMatchObject([
        { outcome: 'unknown', model: 'm', profile: 'default' },
      ]);
    });

    test('is kept for a while with the rest when the document was overwritten', async () => {
      await live();
      const claimed = await claim();

      expect(await release(message, keeping())).toEqual({ next: 'done' });

      expect(await content()).toMatchObject({ state: 'past' });
      expect(await shop.tools.answers.settle(ref, claimed, { replyKey }, billed)).toMatchObject({
        state: 'answered',
      });
    });
  });
});

test('content of a type that Claude does not read itself is released by its id', async () => {
  const { contents } = shop.tools;
  const contentId = newContentId(contentSha256, 'text/csv');
  const dataset = { ...facts, contentId, mimeType: 'text/csv' };
  await live();
  await contents.join(contentId, 'doc', '1');
  await contents.claim(dataset, undefined, 'first', leaseMs);
  const { id } = shop.remote.add(filename, 10, undefined, 'text/csv');
  await contents.setLive(contentId, 'first', { fileId: id });

  expect(await release({ ...message, contentId }, shop.tools)).toEqual({ next: 'done' });

  expect(shop.remote.calls).toEqual([`delete ${id}`]);
  expect(await contents.get(contentId)).toBeUndefined();
  expect(await content()).toMatchObject({ state: 'live' });
  expect(await contents.isReferenced(contentSha256)).toBe(true);
});

test('content that a function of 0.1 wrote, under its hash whatever its type, goes with its document', async () => {
  const { contents, documents } = shop.tools;
  const dataset = { ...facts, mimeType: 'application/octet-stream' };
  const { id } = shop.remote.add(filename, 10, undefined, dataset.mimeType);
  const kept = { state: 'live', revision: 1, claims: 1, fileId: id };
  await shop.table.put({ ...contentKey(contentSha256), ...dataset, ...kept });
  const { document } = await documents.receive(changed('01'), 'default');
  await contents.join(contentSha256, document.documentId, document.order);
  const content = { contentSha256, mimeType: dataset.mimeType };
  await documents.move(document, 'normalized', { ...impliedBy.normalized, ...content });
  const removal = await documents.receive(changed('02', { kind: 'removed' }), 'default');

  await releasePast(removal.document, shop.tools);
  for (const sent of [...shop.sent]) if (sent.step === 'release') await release(sent, shop.tools);

  expect(await contents.isReferenced(contentSha256)).toBe(false);
  expect(shop.remote.files).toEqual([]);
});

test('a reference that is not the last leaves everything as it is', async () => {
  await live();
  await shop.tools.contents.join(contentSha256, 'other', '1');
  const before = await content();

  expect(await release(message, shop.tools)).toEqual({ next: 'done' });

  expect(shop.remote.calls).toEqual([]);
  // Nor was it taken for a moment, which other workers would have to wait for.
  expect(await content()).toEqual(before);
});

test('a newcomer that joins while the content is taken keeps its file', async () => {
  const fileId = await live();
  const { contents } = shop.tools;
  const begin = contents.beginDelete.bind(contents);
  contents.beginDelete = async (...args) => {
    const taken = await begin(...args);
    await contents.join(contentSha256, 'newcomer', '1');
    return taken;
  };

  expect(await release(message, shop.tools)).toEqual({ next: 'done' });

  expect(shop.remote.calls).toEqual([]);
  const kept = await content();
  expect(kept).toMatchObject({ state: 'live', fileId });
  expect(kept).not.toHaveProperty('owner');
});

test('a newcomer does not get a file that a dead deleter may have deleted', async () => {
  const fileId = await live();
  const { contents } = shop.tools;
  const seen = await content();
  if (!seen) throw new Error('no content');
  await contents.beginDelete(seen, 'dead', leaseMs);
  shop.clock.now += leaseMs;
  const begin = contents.beginDelete.bind(contents);
  contents.beginDelete = async (...args) => {
    const taken = await begin(...args);
    await contents.join(contentSha256, 'newcomer', '1');
    return taken;
  };

  expect(await release(message, shop.tools)).toEqual({ next: 'done' });

  const freed = await content();
  expect(freed).toMatchObject({ state: 'free', doomedFileId: fileId });
  expect(freed).not.toHaveProperty('fileId');
});

test('content that another worker took first is looked at again', async () => {
  await live();
  const { contents } = shop.tools;
  const begin = contents.beginDelete.bind(contents);
  contents.beginDelete = async (seen, ...args) => {
    contents.beginDelete = begin;
    await begin(seen, 'another', 5_000);
    return begin(seen, ...args);
  };

  expect(await release(message, shop.tools)).toEqual({ next: 'defer', delayMs: 5_000 });

  expect(shop.remote.calls).toEqual([]);
});

describe('content that is being deleted', () => {
  test("is waited for until its deleter's lease runs out", async () => {
    await live();
    const seen = await content();
    if (!seen) throw new Error('no content');
    await shop.tools.contents.beginDelete(seen, 'another', leaseMs);
    shop.clock.now += 20_000;

    expect(await release(message, shop.tools)).toEqual({ next: 'defer', delayMs: 40_000 });
    shop.clock.now += 39_999;
    expect(await release(message, shop.tools)).toEqual({ next: 'defer', delayMs: 1 });
    expect(shop.remote.calls).toEqual([]);

    shop.clock.now += 1;
    expect(await release(message, shop.tools)).toEqual({ next: 'done' });
    expect(shop.remote.files).toEqual([]);
  });

  test('belongs to its deleter for 15 minutes', async () => {
    await live();
    let leaseUntil: number | undefined;
    const { deleteFile } = shop.tools.claude;
    shop.tools.claude.deleteFile = async (id) => {
      leaseUntil = (await content())?.leaseUntil;
      return deleteFile(id);
    };

    await release(message, shop.tools);

    expect(leaseUntil).toBe(shop.clock.now + 900_000);
  });
});

test('content that is being uploaded is left to its uploader', async () => {
  await shop.tools.contents.claim(facts, undefined, 'uploader', leaseMs);
  shop.clock.now += leaseMs - 1;

  expect(await release(message, shop.tools)).toEqual({ next: 'done' });

  expect(shop.remote.calls).toEqual([]);
  expect(await content()).toMatchObject({ state: 'uploading', owner: 'uploader' });
});

describe('when the file cannot be deleted', () => {
  const apiError = (status: number, headers: Record<string, string> = {}) =>
    readError(status, headers, '{}', 0);

  test.each([
    ['429 with a wait', () => apiError(429, { 'retry-after': '7' }), 'defer', 7_000],
    ['500 with a wait', () => apiError(500, { 'retry-after': '90' }), 'defer', 90_000],
    ['529 with a long wait', () => apiError(529, { 'retry-after': '90' }), 'defer', 90_000],
    ['529', () => apiError(529), 'defer', 60_000],
    ['no connection', () => new ClaudeConnectionError('m', { sent: 'no' }), 'defer', 60_000],
    ['a lost reply', () => new ClaudeConnectionError('m', { sent: 'maybe' }), 'defer', 60_000],
    ['400', () => apiError(400), 'retry', 30_000],
    ['an error of our own', () => new Error('m'), 'retry', 30_000],
  ])('after %s, the next attempt need not wait for the lease', async (_, error, next, delayMs) => {
    await live();
    shop.remote.deleteFails = error();

    expect(await release(message, shop.tools)).toEqual({ next, delayMs });
    expect(await content()).toMatchObject({ state: 'deleting' });
    expect(await shop.tools.circuits.get('claude')).toBeUndefined();

    shop.remote.deleteFails = undefined;
    expect(await release(message, shop.tools)).toEqual({ next: 'done' });
    expect(shop.remote.files).toEqual([]);
  });

  test('because a person has to act, the lane is stopped and the message waits', async () => {
    await live();
    shop.remote.deleteFails = apiError(401);
    expect(shop.remote.deleteFails).toBeInstanceOf(AuthenticationFailed);

    expect(await release(message, shop.tools)).toEqual({ next: 'defer', delayMs: 600_000 });

    expect(await shop.tools.circuits.get('claude')).toMatchObject({
      state: 'open',
      code: 'claude.unauthorized',
      retryAt: shop.clock.now + 600_000,
    });
  });

  test('because the lane is stopped, nothing is tried and the stop is not prolonged', async () => {
    await live();
    const stop = new StopLane({ code: 'claude.unauthorized', message: 'm' });
    await shop.tools.circuits.open(stop, 1_000);
    const before = await shop.tools.circuits.get('claude');
    shop.clock.now += 2_000;

    expect(await release(message, shop.tools)).toEqual({ next: 'defer', delayMs: 600_000 });

    expect(shop.remote.calls).toEqual([]);
    expect(await shop.tools.circuits.get('claude')).toEqual(before);
  });
});
