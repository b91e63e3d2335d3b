import { defineConfig } from 'vitest/config';

/** The tests that a mutant has to get past: those of the mutated rules that take seconds, not minutes. */
export default defineConfig({
  test: {
    include: [
      'test/ledger/*.test.ts',
      'test/pace/*.test.ts',
      'test/claude/{headers,outcome,retry}.test.ts',
      'test/steps/*.test.ts',
      'test/failure/{dead-letters,deferral,held,reconcile,removal}.test.ts',
    ],
    // Modules are loaded once a run, not once a file: half of the time.
    isolate: false,
    testTimeout: 30_000,
    hookTimeout: 60_000,
    retry: 0,
  },
});
