import { UnknownFunction } from '../stack/functions.ts';
import { DataDirUnavailable } from '../state/database.ts';
import { SynthesisFailed } from '../synthesize.ts';
import { UnsupportedTemplate } from '../template/intrinsics.ts';
import { readArguments } from './arguments.ts';
import { runCosts } from './costs.ts';
import { startHost } from './host.ts';
import { runOnce } from './once.ts';
import type { Terminal } from './terminal.ts';
import { help, UsageError } from './usage.ts';
import { runWatch } from './watch.ts';

/**
 * Runs the command line.
 * @param apiKey ANTHROPIC_API_KEY of the environment
 * @returns the exit code
 */
export async function run(
  args: string[],
  apiKey: string | undefined,
  terminal: Terminal,
): Promise<number> {
  const complain = (message: string) => terminal.progress.write(`dropline: ${message}\n`);
  try {
    const command = readArguments(args, apiKey, Date.now());
    switch (command.run) {
      case 'help':
        terminal.stdout.write(help);
        return 0;
      case 'check':
        terminal.stdout.write(`${command.lines.join('\n')}\n`);
        return 0;
      case 'once':
        return await runOnce(command, terminal);
      case 'watch':
        return await runWatch(command, terminal);
      case 'costs':
        return await runCosts(command, terminal);
      case 'invoke': {
        const say = (line: string) => terminal.progress.write(`${line}\n`);
        const host = await startHost(command.settings, { say, path: terminal.path });
        try {
          const result = await host.stack.invoke(command.name, command.payload);
          if (result.ok) {
            terminal.stdout.write(`${result.payload}\n`);
            return 0;
          }
          const { errorType, errorMessage } = result.error;
          complain(`${command.name}: ${errorMessage}`);
          return errorType === 'InvalidEvent' ? 2 : 1;
        } finally {
          await host.stop();
        }
      }
    }
  } catch (error) {
    if (error instanceof UsageError) {
      complain(`${error.message} (see --help)`);
      return 2;
    }
    if (error instanceof DataDirUnavailable || error instanceof UnknownFunction) {
      complain(error.message);
      return 2;
    }
    if (error instanceof SynthesisFailed || error instanceof UnsupportedTemplate) {
      complain(error.message);
      return 1;
    }
    throw error;
  }
}
