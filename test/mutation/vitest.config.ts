import { defineConfig } from 'vitest/config';

/**
 * The tests that may kill a mutant: those that call the mutated rules directly and take seconds. A mutant that
 * only tests of whole journeys would notice counts as survived.
 */
export default defineConfig({
  test: {
    include: [
      'test/ledger/*.test.ts',
      'test/pace/*.test.ts',
      'test/claude/{headers,outcome,retry}.test.ts',
      'test/steps/{let-go,outcome,release,stream-content,upload}.test.ts',
    ],
    // Modules are loaded once per run, not once per file: this halves the time.
    isolate: false,
    testTimeout: 30_000,
    hookTimeout: 60_000,
    retry: 0,
  },
});
