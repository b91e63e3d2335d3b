import { mkdirSync } from 'node:fs';
import type { AddressInfo } from 'node:net';
import { dirname } from 'node:path';
import dynalite from 'dynalite';
import { countCapacity } from './capacity.ts';
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

const counts = new Map<string, number>();
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
  if (countsCapacity) capacity = countCapacity();
  const server = dynalite({ path, createTableMs: 0 });
  server.keepAliveTimeout = 60_000;
  server.prependListener('request', (request) => {
    const operation = String(request.headers['x-amz-target'] ?? '').split('.')[1];
    if (operation) counts.set(operation, (counts.get(operation) ?? 0) + 1);
  });
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
  const answer = Object.fromEntries(message.question === 'capacity' ? capacity : counts);
  if (message.question === 'reset') {
    counts.clear();
    capacity.clear();
  }
  process.send?.({ id: message.id, answer });
});
