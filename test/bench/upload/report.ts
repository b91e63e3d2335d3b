import { statSync } from 'node:fs';

/** What one run of one subject prints. */
export interface Run {
  ms: number;
  /** Peak resident memory of the process, in MiB. */
  peakMiB: number;
}

interface Task {
  baseUrl: string;
  path: string;
  sizeBytes: number;
}

/**
 * Runs one upload in this process and prints its time and the process's peak memory as JSON.
 * @param upload uploads the file and returns how many bytes the server counted
 */
export async function report(upload: (task: Task) => Promise<number>): Promise<void> {
  const [baseUrl = '', path = ''] = process.argv.slice(2);
  const sizeBytes = statSync(path).size;
  const start = performance.now();
  const received = await upload({ baseUrl, path, sizeBytes });
  const ms = performance.now() - start;
  if (received < sizeBytes) throw new Error(`${received} of ${sizeBytes} bytes arrived`);
  const run: Run = { ms, peakMiB: process.resourceUsage().maxRSS / 1024 };
  process.stdout.write(JSON.stringify(run), () => process.exit());
}
