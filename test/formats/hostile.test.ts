import { fileURLToPath } from 'node:url';
import { afterAll, describe, expect, test } from 'vitest';
import { DroplineError } from '../../shared/journey/errors.ts';
import { archiveCases } from './hostile/archives.ts';
import { Lab } from './hostile/lab.ts';
import { pageCases } from './hostile/pages.ts';
import { textCases } from './hostile/texts.ts';

// Opened before the cases are listed, because they name its file and its server.
const lab = await Lab.open();

afterAll(() => lab.close());

describe.each([
  ['an archive or package', archiveCases(lab.targets)],
  ['a page, a mail or a polyglot', pageCases(lab.targets)],
  ['a text', textCases()],
])('%s', (_, cases) => {
  test.each(cases)(
    '$title ends as it should, without a file read or a socket opened',
    async ({ name, bytes, code, warnings = [] }) => {
      const { attempt, written, touched, visits } = await lab.try(name, await bytes());

      expect(attempt.measured.refused).toEqual([]);
      expect(visits).toEqual([]);
      expect(touched).toBe('');
      expect(written).not.toContain(lab.secret);
      if ('error' in attempt) {
        expect(attempt.error).toBeInstanceOf(DroplineError);
        expect(attempt.error).toMatchObject({ code });
      } else {
        expect(code).toBeUndefined();
        const codes = attempt.conversion.fidelity.warnings.map((warning) => warning.code);
        expect(codes).toEqual(expect.arrayContaining(warnings));
      }
    },
  );
});

describe('the spy on hostile files', () => {
  test('notices if another file is read', async () => {
    const entry = fileURLToPath(new URL('./sandbox/evil-worker.ts', import.meta.url));
    const watched = await Lab.open(entry);

    const { attempt, touched } = await watched.try(
      'a.txt',
      Buffer.from(`read ${watched.targets.file}`),
    );

    expect(attempt).toMatchObject({ error: { message: 'ERR_ACCESS_DENIED' } });
    expect(touched).toContain(`readFileSync ${watched.targets.file}\n`);
    await watched.close();
  });
});
