import { defineConfig } from 'vitest/config';

/**
 * The tests that may kill a mutant: those that call the mutated rules directly, or in one small scene, and take seconds. A
 * mutant that only tests of whole journeys would notice counts as survived.
 */
export default defineConfig({
  test: {
    include: [
      'test/ledger/*.test.ts',
      'test/pace/*.test.ts',
      'test/claude/{headers,outcome,retry}.test.ts',
      'test/steps/{ask,attempt,kept-reply,leave,part-keys,release,release-past,render,resend,stream-content,summarize,upload,cut-off,unseen,invalid-fields}.test.ts',
      'test/reconcile/*.test.ts',
      // Normalize, render, resend and the reconciler are tested through the world of the tests, in small scenes.
      'test/failure/{profiles,true-books,parts,removal,reconcile-*,unreadable}.test.ts',
    ],
    // Modules are loaded once per run, not once per file: this halves the time.
    isolate: false,
    testTimeout: 30_000,
    hookTimeout: 60_000,
    retry: 0,
  },
});
