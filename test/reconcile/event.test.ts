import type { Context } from 'aws-lambda';
import { expect, test } from 'vitest';
import { handler } from '../../functions/reconcile/index.ts';

/** The payload of the reconcile function, as a person sends it. */

test.each([
  [{ dryrun: true }, 'invalid event: Unrecognized key: "dryrun"'],
  [{ retry: 'claude.server_error' }, 'invalid event: retry: Invalid input: expected array'],
  [{ sweep: 1, resume: 'yes' }, /^invalid event: sweep: .*; resume: .*operations\.md/],
])('%j is refused in one line before anything is done', async (event, message) => {
  const refused = handler(event, {} as Context);

  await expect(refused).rejects.toThrow(message);
  await expect(refused).rejects.toMatchObject({ name: 'InvalidEvent' });
});
