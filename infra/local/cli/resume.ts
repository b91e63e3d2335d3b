import type { Host } from './host.ts';

/**
 * Asks Claude again about what an earlier run left held: whoever starts Dropline has most likely mended what held
 * it, such as the key. Ends when the documents have resumed, or when the answer was the same as before.
 */
export async function resumeHeld(
  { records, stack }: Pick<Host, 'records'> & { stack: Pick<Host['stack'], 'invoke'> },
  say: (line: string) => void,
): Promise<void> {
  const held = await records.inState('held', 1);
  if (held.length === 0) return;
  say('Documents are held from an earlier run: asking Claude whether they can resume …');
  const result = await stack.invoke('reconcile', { resume: true });
  if (!result.ok) say(`could not ask: ${JSON.stringify(result.error)}`);
}
