import { defineConfig } from 'vitest/config';

/** Tests that need Debian packages: libreoffice-writer-nogui, libreoffice-math-nogui, chromium. */
export default defineConfig({
  test: {
    include: ['test/debian/**/*.debian.ts'],
    pool: 'forks',
    testTimeout: 120_000,
    hookTimeout: 60_000,
    retry: 0,
  },
});
