import { mkdirSync } from 'node:fs';
import type { IncomingMessage, RequestListener } from 'node:http';
import type { AddressInfo } from 'node:net';
import { dirname } from 'node:path';
import dynalite from 'dynalite';
import { Calls, dynamoCalls, signerOf } from '../calls.ts';
import { guarded } from '../guard.ts';
import { countCapacity } from './capacity.ts';
import { spareWork } from './spare-work.ts';
import { hasSqliteTables, importSqliteTables, retireSqliteTables } from './sqlite-import.ts';
import { repairTables, type TableSettings } from './tables.ts';

/** The host's instructions to this process. */
export interface DynamoSettings {
  path: string;
  port: number;
  /** Clients already use the port: no other one will do. */
  portIsFixed: boolean;
  /** The previous process did not close its files. */
  rebuild: boolean;
  tables: TableSettings[];
  /** Count the capacity that is consumed; it costs a little time per request. */
  countsCapacity: boolean;
}

// What is kept is for this user only.
process.umask(0o077);

const counts = new Map<string, number>();
const calls = new Calls();
let capacity = new Map<string, number>();

async function serve({
  path,
  port,
  portIsFixed,
  rebuild,
  tables,
  countsCapacity,
}: DynamoSettings): Promise<void> {
  mkdirSync(dirname(path), { recursive: true });
  const importing = hasSqliteTables(path);
  if (importing) await importSqliteTables(path);
  await repairTables(path, tables, rebuild || importing);
  if (importing) retireSqliteTables(path);
  spareWork();
  if (countsCapacity) capacity = countCapacity();
  const server = dynalite({ path, createTableMs: 0 });
  // dynalite lets every origin read, so its own handler comes second.
  const [handle] = server.listeners('request') as RequestListener[];
  if (!handle) throw new Error('dynalite has no request handler');
  server.removeAllListeners('request');
  server.on(
    'request',
    guarded((request, response) => {
      handle(request, response);
      count(request);
    }),
  );
  server.keepAliveTimeout = 60_000;
  const listen = (wanted: number) =>
    new Promise<void>((resolve, reject) => {
      server.once('error', reject);
      server.listen(wanted, '127.0.0.1', () => {
        server.off('error', reject);
        resolve();
      });
    });
  await listen(port).catch((error: NodeJS.ErrnoException) => {
    if (port === 0 || portIsFixed || error.code !== 'EADDRINUSE') throw error;
    return listen(0);
  });
  // The host is gone or asks this process to end: shut down cleanly.
  process.once('disconnect', () => {
    server.closeAllConnections();
    server.close(() => process.exit(0));
  });
  process.send?.({ ready: (server.address() as AddressInfo).port });
}

/** Counts a request, and notes what a function's request is about. */
function count(request: IncomingMessage): void {
  const operation = String(request.headers['x-amz-target'] ?? '').split('.')[1];
  if (!operation) return;
  counts.set(operation, (counts.get(operation) ?? 0) + 1);
  const signer = signerOf(request);
  if (signer === undefined) return;
  const chunks: Buffer[] = [];
  request.on('data', (chunk: Buffer) => chunks.push(chunk));
  request.on('end', () => {
    const body = Buffer.concat(chunks).toString('utf8');
    for (const call of dynamoCalls(operation, body)) calls.add(signer, call);
  });
}

// dynalite throws when a client disconnects during a request, as a killed function does.
process.on('uncaughtException', (error: NodeJS.ErrnoException) => {
  if (error.code === 'ECONNRESET') return;
  process.stderr.write(`${error.stack ?? error}\n`);
  process.exit(1);
});

process.on('message', (message: { settings?: DynamoSettings; question?: string; id?: number }) => {
  if (message.settings) {
    serve(message.settings).catch((error: Error) => {
      process.send?.({ failed: error.message });
      process.exit(1);
    });
    return;
  }
  const answers = {
    calls: () => calls.list(),
    capacity: () => Object.fromEntries(capacity),
    counts: () => Object.fromEntries(counts),
  };
  const answer = (answers[message.question as keyof typeof answers] ?? answers.counts)();
  if (message.question === 'reset') {
    counts.clear();
    capacity.clear();
  }
  process.send?.({ id: message.id, answer });
});
