import { cpSync, existsSync, mkdirSync } from 'node:fs';
import { join, relative, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { DocumentRecord } from '../../../shared/journey/record.ts';
import type { Command } from './arguments.ts';
import { Follower } from './follow.ts';
import { type Host, startHost } from './host.ts';
import { InboxMirror } from './inbox.ts';
import { Progress } from './progress.ts';
import { resumeHeld } from './resume.ts';
import { renderLine, renderResumed, renderSummary, showpiece } from './table.ts';
import type { Terminal } from './terminal.ts';
import { pause } from './wait.ts';

const samples = fileURLToPath(new URL('../samples', import.meta.url));
const tickMs = 250;
/** After this many documents the first summary is shown, even if more are in progress. */
const burstSize = 20;

/**
 * Watches the inbox folder and reports on each document, until the signal aborts.
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
    say(`Created ${command.inbox} with a few sample documents.`);
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
    await Promise.all([mirror.run(), follow(host, progress, terminal), resumeHeld(host, say)]);
    progress.clear();
    say('Stopped. Unfinished documents resume at the next start.');
    return 0;
  } finally {
    await host.stop();
  }
}

/**
 * Reports documents that end, are held or resume, those of an earlier run included, and shows the first
 * summary in full.
 */
async function follow(host: Host, progress: Progress, terminal: Terminal): Promise<void> {
  const { signal, stdout, style } = terminal;
  const { records, inbox, changes, stack } = host;
  const follower = new Follower({ records, inbox, changes, now: Date.now });
  await follower.start();
  let shown = false;
  const burst: DocumentRecord[] = [];
  while (!signal.aborted) {
    const news = await follower.look();
    if (news.length > 0) progress.clear();
    for (const { what, record } of news) {
      stdout.write(what === 'resumed' ? renderResumed(record, style) : renderLine(record, style));
      if (what === 'ended' && !shown) burst.push(record);
    }
    const { tally } = follower;
    const inProgress = tally.total - tally.done;
    // Shown once the first burst has ended, or once only a person can move the rest.
    const hasSettled = inProgress === tally.held || burst.length >= burstSize;
    const first = hasSettled ? showpiece(burst) : undefined;
    if (first) {
      shown = true;
      burst.length = 0;
      stdout.write(`\n${renderSummary(first, style)}\n`);
    }
    if (inProgress > 0) {
      progress.update({ ...tally, tallies: stack.tallies(), now: Date.now() });
    } else {
      progress.clear();
    }
    await pause(tickMs, signal);
  }
}

function greet(host: Host, inbox: string, say: (line: string) => void): void {
  const { s3, dynamodb } = host.stack.endpoints;
  const aws =
    'AWS_ACCESS_KEY_ID=local AWS_SECRET_ACCESS_KEY=local AWS_DEFAULT_REGION=us-east-1 aws';
  say(`
Dropline is running. Drop files into ${relative(process.cwd(), resolve(inbox)) || '.'}, or:

  ${aws} s3 cp FILE s3://${host.inbox}/ --endpoint-url ${s3}

The records are in DynamoDB, table ${host.table}:

  ${aws} dynamodb scan --table-name ${host.table} --endpoint-url ${dynamodb} --filter-expression 'sk = :d' --expression-attribute-values '{":d":{"S":"DOC"}}'

S3, SQS, Lambda ${s3} · DynamoDB ${dynamodb} · Claude ${host.claudeUrl}
Ctrl-C stops it; everything is kept for the next start.
`);
}
