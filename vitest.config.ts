import { defineConfig } from 'vitest/config';

/** Tests that change what the whole process shares (the SDK's clients, timers, warnings) each get a process. */
const changesTheProcess = [
  'test/aws/**/*.test.ts',
  'test/claude/**/*.test.ts',
  'test/formats/sandbox/**/*.test.ts',
  'test/ledger/grouped-table.test.ts',
  'test/local/functions.test.ts',
  'test/steps/upload.test.ts',
];

export default defineConfig({
  test: {
    pool: 'forks',
    // Use all cores: the default leaves one idle, which is half of two.
    maxWorkers: '100%',
    testTimeout: 60_000,
    hookTimeout: 60_000,
    retry: 0,
    projects: [
      {
        extends: true,
        // One process for many files: starting one for each takes half a minute of the suite.
        test: {
          name: 'shared',
          include: ['test/**/*.test.ts'],
          exclude: changesTheProcess,
          isolate: false,
        },
      },
      { extends: true, test: { name: 'own', include: changesTheProcess } },
    ],
  },
});
