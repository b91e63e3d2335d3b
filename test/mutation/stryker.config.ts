/**
 * Mutation testing of the rules that the invariants depend on: `npm run mutate`, or a part of it with
 * `npm run mutate -- --mutate 'shared/pace/**'`. Results: docs/mutation.md.
 */
export default {
  mutate: [
    'shared/ledger/*.ts',
    'shared/pace/*.ts',
    'shared/reconcile/*.ts',
    'shared/claude/{headers,outcome,retry}.ts',
    'shared/steps/{answer-copy,answer-store,ask,attempt,give-back,normalize,outage,parts,part-keys,release-past,release,render,resend,staging,stream-content,strays,summarize,upload}.ts',
  ],
  testRunner: 'vitest',
  vitest: { configFile: 'test/mutation/vitest.config.ts' },
  plugins: ['@stryker-mutator/vitest-runner'],
  coverageAnalysis: 'perTest',
  concurrency: 2,
  timeoutMS: 5_000,
  thresholds: { high: 95, low: 90, break: 85 },
  reporters: ['clear-text', 'progress-append-only', 'json', 'html'],
  clearTextReporter: { reportTests: false, logTests: false, allowColor: false },
  jsonReporter: { fileName: 'reports/mutation/mutation.json' },
  htmlReporter: { fileName: 'reports/mutation/mutation.html' },
  // Stryker would rewrite the tsconfig's paths with an API that TypeScript 7 no longer has; ours needs no
  // rewriting.
  tsconfigFile: 'none',
  // Not needed in the sandbox, which is a copy of the project.
  ignorePatterns: ['.build', '.dropline', 'cdk.out', 'inbox'],
};
