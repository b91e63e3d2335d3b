import { documentIdOf } from '../../../shared/journey/ids.ts';
import type { DocumentRecord } from '../../../shared/journey/record.ts';
import type { Command } from './arguments.ts';
import { type Collection, collect, type LocalFile } from './collect.ts';
import { dropFile } from './drop-file.ts';
import { type Host, startHost } from './host.ts';
import { Progress } from './progress.ts';
import type { Standing } from './records.ts';
import { resumeHeld } from './resume.ts';
import { renderSummary, renderTable, renderTotals, showpiece } from './table.ts';
import type { Terminal } from './terminal.ts';
import { type Awaited, waitForEnd, waitForIdle } from './wait.ts';

const uploadsAtOnce = 8;
/** With more documents than this, only one summary is shown; the table has to do for the rest. */
const showSummariesUpTo = 3;

/**
 * Drops files and folders, waits until all documents have ended, and prints the results.
 * @returns the exit code
 */
export async function runOnce(
  command: Command & { run: 'once' },
  terminal: Terminal,
): Promise<number> {
  const found = await collect(command.paths);
  const progress = new Progress(terminal.progress);
  const say = (line: string) => progress.say(line);
  for (const notice of found.notices) say(notice);
  for (const { key, reason } of found.unreadable) say(`cannot be dropped: ${key}: ${reason}`);
  if (found.files.length === 0) return found.unreadable.length > 0 ? 1 : 0;

  const host = await startHost(command.settings, { say, path: terminal.path });
  try {
    say(
      `S3 ${host.stack.endpoints.s3} · DynamoDB ${host.stack.endpoints.dynamodb} · Claude ${host.claudeUrl}`,
    );
    // Awaited before the documents are: held ones would count as ended.
    const [{ awaited, refused }] = await Promise.all([
      dropAll(host, found.files, progress, terminal.signal),
      resumeHeld(host, say),
    ]);
    const { records, left } = await waitForAll(host, awaited, progress, terminal.signal);
    progress.clear();
    if (terminal.signal.aborted) {
      say('Stopped. Unfinished documents resume at the next start.');
      return 130;
    }
    print(command.json, records, terminal);
    for (const { key } of left) say(`not finished: ${key}: ${whyLeft(host, records, key)}`);
    const failed = [...refused, ...left, ...found.unreadable].length > 0;
    const allEnded = records.every(({ status }) => status === 'ready' || status === 'skipped');
    if (!command.json) say(renderTotals(records));
    return failed || !allEnded ? 1 : 0;
  } finally {
    progress.clear();
    await host.stop();
  }
}

async function dropAll(
  host: Host,
  files: LocalFile[],
  progress: Progress,
  signal: AbortSignal,
): Promise<{ awaited: Awaited[]; refused: Collection['unreadable'] }> {
  const ids = files.map(({ key }) => documentIdOf(host.inbox, key));
  const before = await host.records.standings(ids);
  const awaited: Awaited[] = [];
  const refused: Collection['unreadable'] = [];
  let unchanged = 0;
  let next = 0;
  const worker = async () => {
    for (let index = next++; index < files.length && !signal.aborted; index = next++) {
      const file = files[index];
      const documentId = ids[index];
      if (!file || !documentId) continue;
      // Dropping a failed file again means: try again. A new file need not be compared.
      const status = before.get(documentId)?.status;
      const force = status === undefined || status === 'failed' || status === 'removed';
      try {
        const dropped = await dropFile(host.s3, host.inbox, file, { force });
        if (dropped === 'unchanged') unchanged += 1;
        const sequencer = dropped === 'put' ? host.changes.get(file.key) : undefined;
        awaited.push({ documentId, key: file.key, sequencer });
      } catch (error) {
        const reason = error instanceof Error ? error.message : String(error);
        refused.push({ key: file.key, reason });
        progress.say(`cannot be dropped: ${file.key}: ${reason}`);
      }
    }
  };
  await Promise.all(Array.from({ length: uploadsAtOnce }, worker));
  if (unchanged > 0) {
    progress.say(`${unchanged} of ${files.length} are already in the inbox, unchanged`);
  }
  // Records are shown in the order of the files, not in that of their arrival.
  const order = new Map(files.map(({ key }, index) => [key, index]));
  awaited.sort((a, b) => (order.get(a.key) ?? 0) - (order.get(b.key) ?? 0));
  return { awaited, refused };
}

async function waitForAll(
  host: Host,
  awaited: Awaited[],
  progress: Progress,
  signal: AbortSignal,
): Promise<{ records: DocumentRecord[]; left: Awaited[] }> {
  const containers: string[] = [];
  let done = 0;
  let failed = 0;
  const show = (waiting: string[] = []) =>
    progress.update({
      total: awaited.length,
      done,
      failed,
      waiting,
      tallies: host.stack.tallies(),
      now: Date.now(),
    });
  show();
  const wait = (documents: Awaited[]) => waitForEnd({ ...options, awaited: documents });
  const options = {
    stack: host.stack,
    records: host.records,
    signal,
    onEnd: ({ documentId }: Awaited, standing: Standing) => {
      done += 1;
      if (standing.status === 'failed') failed += 1;
      if (standing.hasParts) containers.push(documentId);
    },
    onTick: show,
  };
  let left = await wait(awaited);
  if (left.length > 0 && deadLetters(host).length > 0 && !signal.aborted) {
    // The reconciler marks the documents behind dead letters as failed.
    await host.stack.invoke('reconcile', {});
    left = await wait(left);
  }
  // Parts become documents only while their mail or archive is being normalized.
  if (containers.length > 0) await waitForIdle(host.stack, signal, show);
  const own = await host.records.read(awaited.map(({ documentId }) => documentId));
  const parts = containers.length > 0 ? await host.records.parts(containers) : [];
  return { records: withParts(own, parts), left };
}

/** Each document, followed by its parts. */
function withParts(own: DocumentRecord[], parts: DocumentRecord[]): DocumentRecord[] {
  const below = (record: DocumentRecord): DocumentRecord[] => [
    record,
    ...parts.filter(({ parent }) => parent === record.documentId).flatMap(below),
  ];
  return own.flatMap(below);
}

function print(json: boolean, records: DocumentRecord[], { stdout, style }: Terminal): void {
  if (json) {
    for (const record of records) stdout.write(`${JSON.stringify(record)}\n`);
    return;
  }
  const ready = records.filter(({ summary }) => summary);
  const best = showpiece(ready);
  const shown = ready.length > showSummariesUpTo && best ? [best] : ready;
  for (const record of shown) stdout.write(`${renderSummary(record, style)}\n`);
  stdout.write(renderTable(records, style));
}

function whyLeft(host: Host, records: DocumentRecord[], key: string): string {
  const record = records.find((candidate) => candidate.key === key);
  if (record?.status === 'held') return record.error?.message ?? 'it is held';
  const where = deadLetters(host).join(', ');
  const status = record?.status ?? 'not received';
  return where === ''
    ? `its status is ${status}, and no message for it is left`
    : `its status is ${status}; dead letters: ${where}; for the reason see the function logs in the data directory`;
}

function deadLetters(host: Host): string[] {
  return Object.entries(host.stack.deadLetters())
    .filter(([, count]) => count > 0)
    .map(([name, count]) => `${count} in ${name}`);
}
