import { cpSync, existsSync, mkdirSync } from 'node:fs';
import { join, relative, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { documentIdOf } from '../../../shared/ids.ts';
import type { DocumentRecord } from '../../../shared/record.ts';
import type { Command } from './arguments.ts';
import { type Host, startHost } from './host.ts';
import { InboxMirror } from './inbox.ts';
import { Progress } from './progress.ts';
import { isTerminal } from './records.ts';
import { renderLine, renderSummary, showpiece } from './table.ts';
import type { Terminal } from './terminal.ts';
import { type Awaited, pause } from './wait.ts';

const samples = fileURLToPath(new URL('../../../test/fixtures/samples', import.meta.url));
const tickMs = 250;
const lookAt = 100;
/** After so many documents the first summary is shown, although more are on their way. */
const burstSize = 20;

/**
 * Watches the inbox folder and says what becomes of each document, until the signal aborts.
 * @returns the exit code
 */
export async function runWatch(
  command: Command & { run: 'watch' },
  terminal: Terminal,
): Promise<number> {
  const progress = new Progress(terminal.progress);
  const say = (line: string) => progress.say(line);
  const dir = resolve(command.inbox);
  if (!existsSync(dir)) {
    mkdirSync(dir, { recursive: true });
    if (existsSync(samples)) cpSync(samples, dir, { recursive: true });
    say(`Made ${command.inbox} with a few sample documents.`);
  }
  const host = await startHost(command.settings, { say, path: terminal.path });
  try {
    greet(host, command.inbox, say);
    const mirror = new InboxMirror({
      dir,
      manifestPath: join(resolve(command.settings.dataDir), 'inbox.json'),
      s3: host.s3,
      bucket: host.inbox,
      say,
      signal: terminal.signal,
    });
    await Promise.all([mirror.run(), follow(host, progress, terminal)]);
    progress.clear();
    say('Stopped. What is not finished goes on with the next start.');
    return 0;
  } finally {
    await host.stop();
  }
}

/** Says when documents end, those of an earlier run included, and shows the first summary whole. */
async function follow(host: Host, progress: Progress, terminal: Terminal): Promise<void> {
  const { signal, stdout, style } = terminal;
  const open = new Map<string, Awaited>();
  for (const document of await host.records.open()) open.set(document.documentId, document);
  let [total, done, failed] = [open.size, 0, 0];
  let shown = false;
  const burst: DocumentRecord[] = [];
  while (!signal.aborted) {
    for (const [key, sequencer] of host.changes) {
      const documentId = documentIdOf(host.inbox, key);
      if (!open.has(documentId)) total += 1;
      open.set(documentId, { documentId, key, sequencer });
    }
    host.changes.clear();
    const ended = await takeEnded(host, open);
    done += ended.length;
    failed += ended.filter(({ status }) => status === 'failed').length;
    if (ended.length > 0) progress.clear();
    for (const record of ended) stdout.write(renderLine(record, style));
    // One of the first whole, once the first burst is through.
    burst.push(...(shown ? [] : ended));
    const first = open.size === 0 || burst.length >= burstSize ? showpiece(burst) : undefined;
    if (first && !shown) {
      shown = true;
      burst.length = 0;
      stdout.write(`\n${renderSummary(first, style)}\n`);
    }
    if (open.size > 0) {
      progress.update({ total, done, failed, tallies: host.stack.tallies(), now: Date.now() });
    } else {
      progress.clear();
      [total, done, failed] = [0, 0, 0];
    }
    await pause(tickMs, signal);
  }
}

async function takeEnded(host: Host, open: Map<string, Awaited>): Promise<DocumentRecord[]> {
  const looked = [...open.values()].slice(0, lookAt);
  // Those that are not done go to the end, so that all are looked at in turn.
  for (const document of looked) {
    open.delete(document.documentId);
    open.set(document.documentId, document);
  }
  const standings = await host.records.standings(looked.map(({ documentId }) => documentId));
  const ended = looked.filter(({ documentId, sequencer }) => {
    const standing = standings.get(documentId);
    if (!standing || !isTerminal(standing.status)) return false;
    return sequencer === undefined || standing.sequencer >= sequencer;
  });
  for (const { documentId } of ended) open.delete(documentId);
  return host.records.read(ended.map(({ documentId }) => documentId));
}

function greet(host: Host, inbox: string, say: (line: string) => void): void {
  const { s3, dynamodb } = host.stack.endpoints;
  const aws =
    'AWS_ACCESS_KEY_ID=local AWS_SECRET_ACCESS_KEY=local AWS_DEFAULT_REGION=us-east-1 aws';
  say(`
Dropline runs. Drop files in ${relative(process.cwd(), resolve(inbox)) || '.'}, or:

  ${aws} s3 cp FILE s3://${host.inbox}/ --endpoint-url ${s3}

The records are in DynamoDB, table ${host.table}:

  ${aws} dynamodb scan --table-name ${host.table} --endpoint-url ${dynamodb} --filter-expression 'sk = :d' --expression-attribute-values '{":d":{"S":"DOC"}}'

S3, SQS, Lambda ${s3} · DynamoDB ${dynamodb} · Claude ${host.claudeUrl}
Ctrl-C ends it; everything is kept for the next start.
`);
}
