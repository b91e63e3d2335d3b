import { mkdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { HeadObjectCommand, ListObjectsV2Command, PutObjectCommand } from '@aws-sdk/client-s3';
import { afterEach, describe, expect, it } from 'vitest';
import { readArguments } from '../../infra/local/cli/arguments.ts';
import { collect } from '../../infra/local/cli/collect.ts';
import { dropFile } from '../../infra/local/cli/drop-file.ts';
import { InboxMirror } from '../../infra/local/cli/inbox.ts';
import { Progress } from '../../infra/local/cli/progress.ts';
import { run } from '../../infra/local/cli/run.ts';
import { renderSummary, renderTable } from '../../infra/local/cli/table.ts';
import { UsageError } from '../../infra/local/cli/usage.ts';
import { start } from '../../infra/local/stack.ts';
import type { DocumentRecord } from '../../shared/journey/record.ts';
import { assemblyOf, clientsOf, temporaryDir } from './support.ts';

const cleanups: (() => Promise<unknown> | unknown)[] = [];

afterEach(async () => {
  for (const cleanup of cleanups.splice(0).reverse()) await cleanup();
});

function folder(files: Record<string, string> = {}): string {
  const dir = temporaryDir();
  cleanups.push(dir.remove);
  for (const [name, content] of Object.entries(files)) {
    const path = join(dir.path, name);
    mkdirSync(join(path, '..'), { recursive: true });
    writeFileSync(path, content);
  }
  return dir.path;
}

describe('the command line', () => {
  it.each([
    [['--once'], 'at least one file or folder'],
    [['--json'], '--json needs --once or --costs'],
    [['--costs', 'x'], '--costs takes no paths'],
    [['--costs', '--once'], 'cannot be combined with --once'],
    [['--costs', '--by', 'hour'], '--by must be day, profile, prefix, model, not "hour"'],
    [['--by', 'day'], '--by needs --costs'],
    [['--from', '2026-11-01'], '--from needs --costs'],
    [['--costs', '--data', '/no/such/data'], '/no/such/data has no data of Dropline'],
    [['file.txt'], 'use --once file.txt'],
    [['--live'], 'needs ANTHROPIC_API_KEY'],
    [['--live', '--claude-url', 'http://127.0.0.1:1'], 'cannot be combined'],
    [['--claude-url', 'not a url'], 'must be an http or https URL'],
    [['--claude-url', 'file:///etc/passwd'], 'must be an http or https URL'],
    [['--dialect', 'gamma'], 'must be ga or beta'],
    [['--concurrency', '0'], 'whole number'],
    [['--files-per-minute', '1e3'], 'whole number'],
    [['--limits', '{"maxByte": 1}'], '--limits: unknown limit maxByte; the limits are maxBytes,'],
    [['--limits', '{"maxBytes": 0}'], '--limits: maxBytes:'],
    [['--limits', '{"maxSeconds": 600}'], 'maxSeconds: the functions have no more than 210'],
    [['--limits', '12'], '--limits: expected a JSON object such as'],
    [['--limits', '{maxBytes: 1}'], "--limits must be JSON, not '{maxBytes: 1}'"],
    [['--data', ''], '--data is empty'],
    [['--frobnicate'], "Unknown option '--frobnicate'"],
    [['--data'], 'argument missing'],
    [['--once', '/no/such/path'], 'no such file or folder: /no/such/path'],
    [['--invoke', 'reconcile', 'x'], 'takes no paths'],
    [['--payload', '{}'], '--payload needs --invoke'],
    [['--invoke', 'reconcile', '--payload', '{dryRun}'], "--payload must be JSON, not '{dryRun}'"],
  ])('answers %j with exit code 2 and one line', async (args, reason) => {
    let said = '';
    const write = (text: string) => {
      said += text;
    };

    const code = await run(args, undefined, {
      stdout: { write: () => expect.unreachable('nothing goes to stdout') },
      progress: { write, isTTY: false, columns: 80 },
      style: { columns: 80, colour: false },
      signal: new AbortController().signal,
      path: undefined,
    });

    expect(code).toBe(2);
    expect(said).toContain(reason);
    expect(said.trimEnd().split('\n')).toHaveLength(1);
  });

  it('checks a configuration, says what its profiles ask, and starts nothing', async () => {
    const schema = { type: 'object', properties: { total: { type: 'number' } } };
    const files = folder({
      'good.json': JSON.stringify({ profiles: [{ prefix: 'a/', schema }] }),
      'bad.json': JSON.stringify({ profiles: [{ prefix: 'a/', schema: { type: 'object' } }] }),
    });
    const check = async (...args: string[]) => {
      let said = '';
      const write = (text: string) => {
        said += text;
      };
      const code = await run(['--check-config', ...args], undefined, {
        stdout: { write },
        progress: { write, isTTY: false, columns: 80 },
        style: { columns: 80, colour: false },
        signal: new AbortController().signal,
        path: undefined,
      });
      return { code, said };
    };

    const good = await check(join(files, 'good.json'), '--model', 'claude-sonnet-5-5');
    const bad = await check(join(files, 'bad.json'));
    const both = await check(join(files, 'good.json'), '--once', 'x');

    expect(good).toMatchObject({ code: 0, said: expect.stringContaining('2 input passes') });
    expect(good.said.split('\n')).toHaveLength(4);
    expect(bad).toMatchObject({
      code: 2,
      said: expect.stringContaining('bad.json: profiles[0] "a/": schema.properties: must name'),
    });
    expect(both).toMatchObject({ code: 2, said: expect.stringContaining('cannot be combined') });
  });

  it('accepts limits as JSON', () => {
    const command = readArguments(['--limits', '{"maxRows": 1000}'], undefined, 0);

    expect(command).toMatchObject({ settings: { config: { limits: { maxRows: 1000 } } } });
  });

  it('reads the configuration with the options that are shorthands for a part of it', () => {
    const file = join(
      folder({ 'c.json': '{"profiles": [{"prefix": "a/", "effort": "high"}]}' }),
      'c.json',
    );

    const command = readArguments(['--config', file, '--model', 'claude-opus-5-5'], undefined, 0);

    expect(command).toMatchObject({
      settings: { config: { model: 'claude-opus-5-5', json: readFileSync(file, 'utf8') } },
    });
  });

  it.each<[string, string[], string]>([
    ['{"profiles": [{"prefix": "a/", "efort": "low"}]}', [], 'profiles[0] "a/": efort: unknown'],
    ['{"profiles": [{"prefix": "", "model": "x"}]}', ['--model', 'y'], 'profiles[0]: model: is x'],
    ['{"limits": {"maxRows": 5}}', ['--limits', '{"maxRows": 6}'], 'limits.maxRows: is 5'],
    ['{"limits": {"maxSeconds": 900}}', [], 'limits: maxSeconds: the functions have no more'],
    ['{"profiles": [{"prefix": "", "expiryDays": 9}]}', ['--dialect', 'beta'], 'expiryDays'],
  ])('refuses the configuration %s with %j', (json, options, reason) => {
    const file = join(folder({ 'c.json': json }), 'c.json');

    const reading = () => readArguments(['--config', file, ...options], undefined, 0);

    expect(reading).toThrow(UsageError);
    expect(reading).toThrow(`${file}: `);
    expect(reading).toThrow(reason);
  });

  it('refuses a configuration that does not exist', () => {
    expect(() => readArguments(['--config', 'none.json'], undefined, 0)).toThrow(
      'none.json: there is no such file',
    );
  });

  it('uses the real key only with --live', () => {
    const live = readArguments(['--live', '--once', 'x'], 'sk-real', 0);
    const emulated = readArguments(['--once', 'x'], 'sk-real', 0);

    expect(live).toMatchObject({ settings: { claude: { kind: 'live', apiKey: 'sk-real' } } });
    expect(JSON.stringify(emulated)).not.toContain('sk-real');
  });
});

describe('which files are dropped', () => {
  it('uses the path below a folder, or the name of a file, as key', async () => {
    const dir = folder({ 'a/b c.txt': '1', 'a/deep/er/ü.md': '2', 'z.csv': '3' });

    const { files } = await collect([join(dir, 'a'), join(dir, 'z.csv')]);

    expect(files.map(({ key, size }) => [key, size])).toEqual([
      ['b c.txt', 1],
      ['deep/er/ü.md', 1],
      ['z.csv', 1],
    ]);
  });

  it('skips hidden files, lock files and links to folders, and says so', async () => {
    const dir = folder({ '.hidden': '1', '~$letter.docx': '2', 'kept.txt': '3' });
    mkdirSync(join(dir, 'empty'));
    symlinkSync(dir, join(dir, 'loop'));
    symlinkSync(join(dir, 'kept.txt'), join(dir, 'link.txt'));
    symlinkSync(join(dir, 'gone'), join(dir, 'broken.txt'));

    const { files, notices, unreadable } = await collect([dir]);

    expect(files.map(({ key }) => key)).toEqual(['kept.txt', 'link.txt']);
    expect(notices).toEqual([
      `skipped, a link to a folder: ${join(dir, 'loop')}`,
      `skipped 2 hidden or temporary entries in ${dir}`,
    ]);
    expect(unreadable.map(({ key }) => key)).toEqual(['broken.txt']);
  });

  it('refuses two files that would get the same key', async () => {
    const dir = folder({ 'a/x.txt': '1', 'b/x.txt': '2' });

    await expect(collect([join(dir, 'a'), join(dir, 'b')])).rejects.toThrow(UsageError);
    await expect(collect([join(dir, 'a'), join(dir, 'a/x.txt')])).resolves.toMatchObject({
      files: [{ key: 'x.txt' }],
    });
  });

  it('says that a folder is empty', async () => {
    const dir = folder();

    expect(await collect([dir])).toEqual({
      files: [],
      notices: [`nothing to drop in ${dir}`],
      unreadable: [],
    });
  });
});

/** A stack that has only an inbox. */
async function inboxStack() {
  const dir = folder();
  const stack = await start({
    dataDir: join(dir, 'data'),
    assembly: assemblyOf(dir, { Inbox: { Type: 'AWS::S3::Bucket' } }),
  });
  cleanups.push(() => stack.stop());
  const { s3 } = clientsOf(stack);
  const keys = async () => {
    const { Contents = [] } = await s3.send(new ListObjectsV2Command({ Bucket: 'inbox' }));
    return Contents.map(({ Key }) => Key);
  };
  return { s3, keys };
}

describe('dropping files', () => {
  it('uploads a large file in parts, and leaves an unchanged one alone', async () => {
    const { s3 } = await inboxStack();
    const dir = folder({ 'large.bin': 'x'.repeat(9 * 1024 * 1024), 'small.txt': 'y', empty: '' });
    const { files } = await collect([dir]);

    const first = await Promise.all(files.map((file) => dropFile(s3, 'inbox', file)));
    const second = await Promise.all(files.map((file) => dropFile(s3, 'inbox', file)));

    expect(first).toEqual(['put', 'put', 'put']);
    expect(second).toEqual(['unchanged', 'unchanged', 'unchanged']);
    const large = await s3.send(new HeadObjectCommand({ Bucket: 'inbox', Key: 'large.bin' }));
    expect(large.ContentLength).toBe(9 * 1024 * 1024);
    expect(large.ETag).toMatch(/-2"$/);
  });

  it('mirrors new, changed and deleted files of a folder, also those of while it was off', async () => {
    const { s3, keys } = await inboxStack();
    const dir = folder({ 'stays.txt': '1', 'goes.txt': '2' });
    const manifestPath = join(folder(), 'inbox.json');
    await s3.send(new PutObjectCommand({ Bucket: 'inbox', Key: 'put otherwise', Body: 'x' }));
    const mirror = () => {
      const stop = new AbortController();
      const running = new InboxMirror({
        dir,
        manifestPath,
        s3,
        bucket: 'inbox',
        say: () => {},
        signal: stop.signal,
      }).run();
      return async () => {
        stop.abort();
        await running;
      };
    };

    const stop = mirror();
    await expect.poll(keys, { timeout: 5000 }).toEqual(['goes.txt', 'put otherwise', 'stays.txt']);
    writeFileSync(join(dir, 'new.txt'), '3');
    await expect.poll(keys, { timeout: 5000 }).toContain('new.txt');
    await stop();
    rmSync(join(dir, 'goes.txt'));
    const stopAgain = mirror();
    await expect.poll(keys, { timeout: 5000 }).toEqual(['new.txt', 'put otherwise', 'stays.txt']);
    rmSync(dir, { recursive: true });
    await stopAgain();

    expect(await keys()).toEqual(['new.txt', 'put otherwise', 'stays.txt']);
  });
});

const record: DocumentRecord = {
  documentId: 'd1',
  bucket: 'inbox',
  key: 'contracts/agreement.docx',
  sequencer: '01',
  sizeBytes: 2048,
  status: 'ready',
  fidelity: { route: 'docx→text', warnings: [] },
  summary: {
    title: 'Lease of \u001b[31mpremises',
    text: 'A lease between two parties.',
    keyPoints: ['It runs for five years.'],
    language: 'en',
    citations: [],
    model: 'claude-haiku-5-5',
    stopReason: 'end_turn',
    at: '2026-03-01T00:00:00Z',
  },
  usage: { inputTokens: 100, outputTokens: 10, cacheReadTokens: 0, costUsd: 0.00123, calls: 1 },
  attempts: { normalize: 1, render: 0, upload: 1, summarize: 1, remove: 0 },
  profile: 'default',
  createdAt: '2026-03-01T00:00:00Z',
  updatedAt: '2026-03-01T00:00:00Z',
  revision: 4,
};
const failed: DocumentRecord = {
  ...record,
  key: '日本語の契約書.pdf',
  status: 'failed',
  summary: undefined,
  usage: undefined,
  error: {
    code: 'normalize.encrypted',
    message: 'The PDF is encrypted.',
    step: 'normalize',
    advice: 'Save it without a password and drop it again.',
    at: '2026-03-01T00:00:00Z',
  },
};
const style = { columns: 100, colour: false };

describe('what the user sees', () => {
  it('shows a table with aligned columns, and code and advice below a failed document', () => {
    const lines = renderTable([record, failed], style).split('\n');

    expect(lines[0]).toMatch(/^document +status +route +title +size +cost$/);
    expect(lines[1]).toMatch(
      /^contracts\/agreement\.docx +ready +docx→text +Lease of premises +2\.0 KB +\$0\.0012$/,
    );
    expect(lines[2]).toMatch(/^日本語の契約書\.pdf +failed/);
    expect(lines.slice(3)).toEqual([
      '  normalize.encrypted: The PDF is encrypted.',
      '  Save it without a password and drop it again.',
      '',
    ]);
  });

  it('shows how many values a document without a summary has', () => {
    const quoted = (grounded: boolean) => ({ path: '/a', quote: 'a', grounded });
    const fields = {
      data: {},
      evidence: [quoted(true), quoted(false)],
      ungrounded: 1,
      unchecked: 0,
    };
    const invoice: DocumentRecord = {
      ...record,
      summary: undefined,
      fields: { ...fields, model: 'claude-haiku-5-5', at: '2026-03-01T00:00:00Z' },
    };

    expect(renderTable([invoice], style)).toContain('fields: 2 quotes, 1 not found');
  });

  it('shows a summary in full, without control characters of the document', () => {
    const text = renderSummary(record, style);

    expect(text).toContain(
      'Lease of premises\nA lease between two parties.\n• It runs for five years.',
    );
    expect(text).not.toContain('\u001b');
  });

  it('writes plain progress lines now and then, and rewrites one line on a terminal', () => {
    const plain: string[] = [];
    const live: string[] = [];
    const tallies = [
      {
        name: 'dropline-normalize-function',
        finished: 5,
        failed: 0,
        visible: 2,
        inFlight: 0,
        delayed: 0,
        running: 1,
      },
    ];
    const outputs = [
      new Progress({ write: (text) => plain.push(text), isTTY: false, columns: 80 }),
      new Progress({ write: (text) => live.push(text), isTTY: true, columns: 80 }),
    ];

    for (const output of outputs) {
      for (let done = 0; done <= 100; done += 1) {
        output.update({ total: 100, done, failed: 0, tallies, now: 1000 });
      }
    }

    expect(plain).toHaveLength(10);
    expect(plain.at(-1)).toBe('100/100 done · normalize 5+2\n');
    expect(live).toHaveLength(101);
    expect(live.at(-1)).toContain('████████████████████ 100/100 done');
  });

  it('shows the number of held documents in the progress', () => {
    const said: string[] = [];
    const progress = new Progress({ write: (text) => said.push(text), isTTY: false, columns: 80 });

    progress.update({ total: 4, done: 2, failed: 1, held: 1, tallies: [], now: 20_000 });

    expect(said).toEqual(['2/4 done · 1 failed · 1 held\n']);
  });

  it('shows how many documents are waiting for Claude, and why', () => {
    const said: string[] = [];
    const progress = new Progress({ write: (text) => said.push(text), isTTY: false, columns: 80 });
    const waiting = ['claude.unreachable', 'claude.overloaded', 'claude.unreachable'];

    progress.update({ total: 4, done: 0, failed: 0, waiting, tallies: [], now: 20_000 });

    expect(said).toEqual([
      '0/4 done · 3 waiting for Claude (claude.overloaded, claude.unreachable)\n',
    ]);
  });
});
