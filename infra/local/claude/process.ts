import { startEmulator } from './index.ts';

/** Settings that the host sends to this process. */
export interface ClaudeProcessSettings {
  port: number;
  /** The functions already know the port, so no other will do. */
  portIsFixed: boolean;
  dialect: 'ga' | 'beta';
  dataDir: string;
  /** File operations per minute; Infinity for no limit. */
  filesPerMinute: number;
}

// What is kept is for this user only.
process.umask(0o077);

async function serve({ portIsFixed, ...settings }: ClaudeProcessSettings): Promise<void> {
  const emulator = await startEmulator(settings).catch((error: NodeJS.ErrnoException) => {
    if (error.code !== 'EADDRINUSE' || settings.port === 0 || portIsFixed) throw error;
    return startEmulator({ ...settings, port: 0 });
  });
  process.once('disconnect', () => {
    emulator.close().then(
      () => process.exit(0),
      () => process.exit(1),
    );
  });
  process.send?.({ ready: emulator.port });
}

process.on('message', (message: { settings?: ClaudeProcessSettings }) => {
  if (!message.settings) return;
  serve(message.settings).catch((error: Error) => {
    process.send?.({ failed: error.message });
    process.exit(1);
  });
});
