import { startEmulator } from './index.ts';

/** What the host tells this process to do. */
export interface ClaudeSettings {
  port: number;
  /** Functions know the port already: another one would not do. */
  portIsFixed: boolean;
  dialect: 'ga' | 'beta';
  dataDir: string;
  /** File operations a minute; Infinity for no limit. */
  filesPerMinute: number;
}

async function serve({ portIsFixed, ...settings }: ClaudeSettings): Promise<void> {
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

process.on('message', (message: { settings?: ClaudeSettings }) => {
  if (!message.settings) return;
  serve(message.settings).catch((error: Error) => {
    process.send?.({ failed: error.message });
    process.exit(1);
  });
});
