import { defineConfig } from 'vitest/config';

export default defineConfig({
  test: {
    include: ['{service,loadtest,dashboards,scenarios}/test/**/*.test.{ts,tsx}'],
    globalSetup: ['test/global-setup.ts'],
    // Real child processes, signals and native modules: threads would share them.
    pool: 'forks',
    maxWorkers: 2,
    // A limit for what hangs, not for what is slow: the machine may be busy.
    testTimeout: 60_000,
    hookTimeout: 120_000,
    restoreMocks: true,
  },
});
