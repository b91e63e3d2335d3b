import { Readable } from 'node:stream';
import { describe, expect, onTestFinished, test } from 'vitest';
import {
  type Emulator,
  type EmulatorOptions,
  startEmulator,
} from '../../infra/local/claude/index.ts';
import type { ClaudeClient, ClaudeOptions, UploadFile } from '../../shared/claude/client.ts';
import * as errors from '../../shared/claude/errors.ts';
import { markedFilename } from '../../shared/claude/filename.ts';
import { clientOf, rejection } from './api-server.ts';

/** The client against the emulator, which the official SDK's tests check too. */
interface Pair {
  emulator: Emulator;
  client: ClaudeClient;
  waits: number[];
}

async function pair(
  dialect: 'ga' | 'beta',
  options: EmulatorOptions = {},
  clientOptions: Partial<ClaudeOptions> = {},
): Promise<Pair> {
  const emulator = await startEmulator({ dialect, filesPerMinute: Infinity, ...options });
  onTestFinished(() => emulator.close());
  return { emulator, ...clientOf(emulator, { dialect, ...clientOptions }) };
}

function textFile(text: string, filename = 'notes.txt'): UploadFile {
  const bytes = Buffer.from(text);
  return {
    filename,
    mimeType: 'text/plain',
    sizeBytes: bytes.length,
    body: Readable.from([bytes]),
  };
}

/** A file of many chunks, larger than the buffers between client and server. */
function largeFile(chunks = 400): UploadFile {
  const chunk = Buffer.alloc(64 * 1024, 'x');
  return {
    filename: 'large.txt',
    mimeType: 'text/plain',
    sizeBytes: chunks * chunk.length,
    body: Readable.from(Array.from({ length: chunks }, () => chunk)),
  };
}

async function collect<T>(items: AsyncIterable<T>): Promise<T[]> {
  const all: T[] = [];
  for await (const item of items) all.push(item);
  return all;
}

const question = (fileId: string) => ({
  model: 'claude-haiku-5-5',
  max_tokens: 500,
  messages: [
    {
      role: 'user' as const,
      content: [
        {
          type: 'document' as const,
          source: { type: 'file' as const, file_id: fileId },
          citations: { enabled: true },
        },
        { type: 'text' as const, text: 'Summarise the document.' },
      ],
    },
  ],
});

describe.each(['ga', 'beta'] as const)('in the %s dialect', (dialect) => {
  test('a file is uploaded, found, listed and deleted', async () => {
    const { emulator, client } = await pair(dialect);
    const name = markedFilename('Übersicht 年度.docx', 'ab'.repeat(32), 'd0d0d0d0', 'txt');

    const made = await client.uploadFile(textFile('Grüße aus Köln', name));
    const found = await client.getFile(made.id);
    const listed = await collect(client.iterateFiles());
    const first = await client.deleteFile(made.id);
    const second = await client.deleteFile(made.id);

    expect(made).toMatchObject({ filename: name, mimeType: 'text/plain', sizeBytes: 17 });
    expect(found).toEqual(made);
    expect(listed).toEqual([made]);
    expect([first, second]).toEqual(['deleted', 'gone']);
    expect(emulator.files()).toEqual([]);
  });

  test('all pages of a list are read, newest first', async () => {
    const { client } = await pair(dialect);
    const made: string[] = [];
    for (let index = 0; index < 5; index++) {
      const { id } = await client.uploadFile(textFile(`${index}`));
      made.unshift(id);
    }

    const listed = await collect(client.iterateFiles({ limit: 2 }));

    expect(listed.map(({ id }) => id)).toEqual(made);
  });

  test('a message about a file has citations and usage', async () => {
    const { client } = await pair(dialect);
    const { id } = await client.uploadFile(
      textFile('The lease begins on 1 May 2026. The rent is 900 euros a month.'),
    );

    const message = await client.createMessage(question(id));
    const count = await client.countTokens({
      model: 'claude-haiku-5-5',
      messages: question(id).messages,
    });

    expect(message.stop_reason).toBe('end_turn');
    expect(message.usage.input_tokens).toBeGreaterThan(0);
    expect(message.content.some((block) => block.type === 'text' && block.citations)).toBe(true);
    expect(count).toBeGreaterThan(0);
  });

  test('a large file is uploaded completely over a slow connection', async () => {
    const { emulator, client } = await pair(dialect);
    emulator.addFault({ kind: 'slow_upload', delayMs: 1, operation: 'files.upload' });

    const made = await client.uploadFile(largeFile(100));

    expect(made.sizeBytes).toBe(100 * 64 * 1024);
  });

  test('a lost reply leaves one file, and the error says that it may exist', async () => {
    const { emulator, client } = await pair(dialect);
    emulator.addFault({ kind: 'lost_reply', operation: 'files.upload' });

    const error = await rejection(client.uploadFile(textFile('once')));

    expect(error).toBeInstanceOf(errors.ClaudeConnectionError);
    expect(error).toMatchObject({ sent: 'maybe' });
    expect(emulator.files()).toHaveLength(1);
  });

  test.each([
    ['cut while sending', { kind: 'cut_upload', afterBytes: 100_000 }, 0],
    ['cut before anything', { kind: 'cut_before' }, 0],
    ['cut in its reply', { kind: 'cut_body' }, 1],
  ] as const)('an upload that is %s is one attempt', async (_, fault, files) => {
    const { emulator, client } = await pair(dialect);
    emulator.addFault({ ...fault, operation: 'files.upload' });

    const error = await rejection(client.uploadFile(largeFile()));

    expect(error).toBeInstanceOf(errors.ClaudeConnectionError);
    expect(error).toMatchObject({ sent: 'maybe' });
    expect(emulator.files()).toHaveLength(files);
  });

  test('a reply of incomplete JSON is an unexpected reply', async () => {
    const { emulator, client } = await pair(dialect);
    emulator.addFault({ kind: 'malformed', operation: 'files.upload' });

    const error = await rejection(client.uploadFile(textFile('made')));

    expect(error).toBeInstanceOf(errors.ClaudeReplyError);
  });

  test('a call that hangs ends at its timeout', async () => {
    const { emulator, client } = await pair(dialect);
    emulator.addFault({ kind: 'hang', operation: 'files.upload' });

    const error = await rejection(client.uploadFile({ ...textFile('late'), timeoutMs: 50 }));

    expect(error).toBeInstanceOf(errors.ClaudeTimeoutError);
    expect(emulator.files()).toEqual([]);
  });

  test('a file above the limit is rejected as too large while it is sent', async () => {
    const { emulator, client } = await pair(dialect, { maxFileBytes: 100_000 });

    const error = await rejection(client.uploadFile(largeFile()));

    expect(error).toBeInstanceOf(errors.TooLarge);
    expect(emulator.files()).toEqual([]);
  });

  test('a wrong key is rejected while the file is sent', async () => {
    const { client } = await pair(dialect, { apiKeys: ['right'] });

    const error = await rejection(client.uploadFile(largeFile()));

    expect(error).toBeInstanceOf(errors.AuthenticationFailed);
  });

  test('full storage and a used-up spend limit need a person', async () => {
    const { emulator, client } = await pair(dialect);
    emulator.addFault({ kind: 'storage_full' });
    emulator.addFault({ kind: 'spend_cap', operation: 'files.list' });

    const full = await rejection(client.uploadFile(textFile('more')));
    const spent = await rejection(client.listFiles());

    expect(full).toBeInstanceOf(errors.StorageFull);
    expect(spent).toBeInstanceOf(errors.SpendLimitReached);
  });

  test('a 429 is retried after its wait, for calls that create nothing', async () => {
    const { emulator, client, waits } = await pair(dialect);
    emulator.addFault({
      kind: 'error',
      status: 429,
      retryAfter: 3,
      operation: 'files.*',
      count: 2,
    });

    const listed = await client.listFiles();
    emulator.addFault({ kind: 'error', status: 429, retryAfter: 4, operation: 'files.upload' });
    const error = await rejection(client.uploadFile(textFile('x')));

    expect(listed.files).toEqual([]);
    expect(waits).toEqual([3_000, 3_000]);
    expect(error).toMatchObject({ name: 'RateLimited', retryAfterMs: 4_000 });
  });

  test("the emulator's own rate limit is reported with its wait", async () => {
    const { client } = await pair(
      dialect,
      { filesPerMinute: 60, filesBurst: 1, now: () => 0 },
      { maxRetries: 0 },
    );

    await client.listFiles();
    const error = await rejection(client.listFiles());

    expect(error).toBeInstanceOf(errors.RateLimited);
    expect(error).toMatchObject({ retryAfterMs: 1_000 });
  });

  test('a message about a vanished file reports that the file is gone', async () => {
    const { emulator, client } = await pair(dialect);
    const { id } = await client.uploadFile(textFile('short-lived'));
    await emulator.vanishFile(id);

    const error = await rejection(client.createMessage(question(id)));

    expect(errors.isFileGone(error)).toBe(true);
  });

  test('a message for an unknown model does not report that the file is gone', async () => {
    const { client } = await pair(dialect);
    const { id } = await client.uploadFile(textFile('text'));

    const error = await rejection(client.createMessage({ ...question(id), model: 'claude-none' }));

    expect(errors.isModelNotFound(error)).toBe(true);
    expect(errors.isFileGone(error)).toBe(false);
  });

  test('a message whose reply is lost is not retried', async () => {
    const { emulator, client } = await pair(dialect);
    const { id } = await client.uploadFile(textFile('text'));
    emulator.addFault({ kind: 'lost_reply', operation: 'messages.create' });

    const error = await rejection(client.createMessage(question(id)));

    expect(error).toMatchObject({ sent: 'maybe' });
    expect(emulator.journal({ operation: 'messages.create' })).toHaveLength(1);
  });

  test('a file made by a tool can be downloaded, an uploaded one cannot', async () => {
    const { emulator, client } = await pair(dialect);
    const tool = await emulator.addFile({
      filename: 'out.csv',
      content: 'a,b',
      mimeType: 'text/csv',
    });
    const { id } = await client.uploadFile(textFile('mine'));

    const { body } = await client.downloadFile(tool.id);
    const content = Buffer.concat(await collect<Buffer>(body));
    const error = await rejection(client.downloadFile(id));

    expect(content.toString()).toBe('a,b');
    expect(error).toBeInstanceOf(errors.InvalidRequest);
  });

  test('a batch runs from its creation to its results', async () => {
    const { emulator, client } = await pair(dialect);
    const { id } = await client.uploadFile(textFile('The meeting is on Monday.'));

    const begun = await client.batches.create([{ custom_id: 'doc-1', params: question(id) }]);
    await emulator.endBatches();
    const ended = await client.batches.get(begun.id);
    const results = await collect(client.batches.results(begun.id));
    const { batches } = await client.batches.list();

    expect([begun.status, ended.status]).toEqual(['in_progress', 'ended']);
    expect(results).toMatchObject([{ customId: 'doc-1', type: 'succeeded' }]);
    expect(batches.map((batch) => batch.id)).toEqual([begun.id]);
  });
});

describe('in the ga dialect only', () => {
  test('files are looked up by ids', async () => {
    const { emulator, client } = await pair('ga');
    const one = await client.uploadFile(textFile('1'));
    const two = await client.uploadFile(textFile('2'));
    await client.deleteFile(two.id);

    const found = await client.listFilesByIds([one.id, two.id, 'file_none']);

    expect(found).toEqual([one]);
    expect(emulator.journal({ operation: 'files.list' })).toHaveLength(1);
  });

  test('a file with an expiry loses its content when it expires', async () => {
    const { emulator, client } = await pair('ga');

    const made = await client.uploadFile({ ...textFile('soon gone'), expiresInSeconds: 3_600 });
    await emulator.expireFile(made.id);
    const error = await rejection(client.createMessage(question(made.id)));

    const lifetime = Date.parse(made.expiresAt ?? '') - Date.parse(made.createdAt);
    expect(lifetime).toBe(3_600_000);
    expect(errors.isFileGone(error)).toBe(true);
  });
});

test('a ga client fails with a clear error against a beta server', async () => {
  const { emulator } = await pair('beta');
  const { client } = clientOf(emulator, { dialect: 'ga' });

  const error = await rejection(client.listFiles());

  expect(error).toBeInstanceOf(errors.ClaudeError);
});

test('the limits of a model are read', async () => {
  const { client } = await pair('ga');

  const model = await client.getModel('claude-haiku-5-5');

  expect(model).toMatchObject({ id: 'claude-haiku-5-5', maxInputTokens: 1_000_000 });
});
