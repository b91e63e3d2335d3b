import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';

/** An emulator of Claude in its own process, so that a bench does not measure it. */
export interface EmulatorProcess {
  url: string;
  stop(): void;
}

/** @param options as `npm run emulator` takes them */
export async function startEmulatorProcess(options: string[]): Promise<EmulatorProcess> {
  const main = new URL('../../../infra/local/claude/main.ts', import.meta.url).pathname;
  const child = spawn(process.execPath, [main, '--port', '0', ...options], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const [line] = (await once(createInterface({ input: child.stdout }), 'line')) as [string];
  const url = /http:\/\/\S+/.exec(line)?.[0];
  if (!url) throw new Error(`unexpected output of the emulator: ${line}`);
  return { url, stop: () => child.kill() };
}

/** No limits at all. */
export const unlimited = [
  ...['--files-per-minute', '0', '--messages-per-minute', '0'],
  ...['--input-tokens-per-minute', '0', '--output-tokens-per-minute', '0'],
];
