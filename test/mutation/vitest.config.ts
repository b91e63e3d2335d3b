import { defineConfig } from 'vitest/config';

/**
 * The tests that a mutant has to get past: those that call the mutated rules directly, and take
 * seconds. What only the tests of whole journeys would notice counts as survived.
 */
export default defineConfig({
  test: {
    include: [
      'test/ledger/*.test.ts',
      'test/pace/*.test.ts',
      'test/claude/{headers,outcome,retry}.test.ts',
      'test/steps/{let-go,outcome,release,stream-content,upload}.test.ts',
    ],
    // Modules are loaded once a run, not once a file: half of the time.
    isolate: false,
    testTimeout: 30_000,
    hookTimeout: 60_000,
    retry: 0,
  },
});
