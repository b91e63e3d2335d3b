import { expect, it } from 'vitest';
import type { Host } from '../../infra/local/cli/host.ts';
import { resumeHeld } from '../../infra/local/cli/resume.ts';

/** A host of which these documents are held, and what it was asked. */
function hostWith(held: string[], ok = true) {
  const asked: unknown[] = [];
  const said: string[] = [];
  const host = {
    records: { inState: async () => held },
    stack: {
      invoke: async (name: string, event: unknown) => {
        asked.push([name, event]);
        return ok ? { ok, payload: '{}' } : { ok, error: { errorMessage: 'timed out' } };
      },
    },
  } as unknown as Pick<Host, 'records' | 'stack'>;
  return { asked, said, start: () => resumeHeld(host, (line) => said.push(line)) };
}

it('a start asks Claude about what an earlier run left held', async () => {
  const { asked, said, start } = hostWith(['a document']);

  await start();

  expect(asked).toEqual([['reconcile', { resume: true }]]);
  expect(said).toHaveLength(1);
});

it('a start with nothing held asks nothing', async () => {
  const { asked, said, start } = hostWith([]);

  await start();

  expect([asked, said]).toEqual([[], []]);
});

it('a start goes on when it could not ask, and says so', async () => {
  const { said, start } = hostWith(['a document'], false);

  await start();

  expect(said.at(-1)).toContain('timed out');
});
