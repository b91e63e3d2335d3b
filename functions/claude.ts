import { ClaudeClient } from '../shared/claude/client.ts';
import type { Circuits, KeySource } from '../shared/ledger/circuit.ts';
import type { Table } from '../shared/ledger/table.ts';
import { MessagesPace } from '../shared/pace/messages-pace.ts';
import { Pace } from '../shared/pace/pace.ts';
import type { Claude } from '../shared/steps/tools.ts';
import type { Ports } from './ports.ts';
import type { Settings } from './settings.ts';

/**
 * The Claude client with the key from Secrets Manager. Every call on files first waits for its slot in the
 * fleet's pace, and a `retry-after` that one worker receives applies to all. Calls on messages wait when their
 * limits, which responses report, are near.
 */
export function claudeClient(
  ports: Ports,
  settings: Pick<Settings, 'claudeBaseUrl' | 'claudeDialect' | 'filesPerMinute'>,
  { table, circuits }: { table: Table; circuits: Circuits },
  apiKey: KeySource,
): Claude {
  const { now, sleep } = ports;
  const files = new Pace(table, { api: 'files', perMinute: settings.filesPerMinute, now, sleep });
  const messages = new MessagesPace(table, { now, sleep });
  const make = ports.claude ?? ((options) => new ClaudeClient(options));
  return make({
    baseUrl: settings.claudeBaseUrl,
    dialect: settings.claudeDialect,
    apiKey,
    admit: async (api, signal) => {
      if (api === 'files') await files.turn(signal);
      if (api === 'messages') await messages.turn(signal);
    },
    onSuccess: ({ api, kind }) => {
      if (kind === 'once') circuits.troubles.worked('upload');
      if (kind === 'paid' && (api === 'messages' || api === 'batches'))
        circuits.troubles.worked('summarize');
    },
    onRateLimits: (limits) => {
      const { api, retryAfterMs } = limits;
      const learnt =
        api === 'messages'
          ? messages.learn(limits)
          : api === 'files' && retryAfterMs !== undefined
            ? files.pushBack(retryAfterMs)
            : undefined;
      learnt?.catch((error: unknown) =>
        ports.log.warn('could not save the rate limits', { api, error: String(error) }),
      );
    },
  });
}
