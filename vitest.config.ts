import { availableParallelism } from 'node:os';
import { defineConfig } from 'vitest/config';

const TESTS = ['{service,loadtest,dashboards,scenarios,prometheus,grafana}/test/**/*.test.{ts,tsx}'];
/** Runs a service under load and judges what it measures: after all others, so that they are no noise to it. */
const MEASURING = ['loadtest/test/plants/plants.test.ts'];

export default defineConfig({
  test: {
    projects: [
      { extends: true, test: { name: 'all', include: TESTS, exclude: MEASURING, sequence: { groupOrder: 0 } } },
      { extends: true, test: { name: 'measuring', include: MEASURING, sequence: { groupOrder: 1 } } },
    ],
    globalSetup: ['test/global-setup.ts'],
    // Real child processes, signals and native modules: threads would share them.
    pool: 'forks',
    // Most of them wait for processes that start and for timers; more than four would be late for their own.
    maxWorkers: Math.min(4, availableParallelism() + 1),
    // A limit for what hangs, not for what is slow: the machine may be busy.
    testTimeout: 60_000,
    hookTimeout: 120_000,
    restoreMocks: true,
    // It must get the same copy of graphql as our own code, which Vite resolves otherwise than Node: errors are told by their class.
    server: { deps: { inline: ['graphql-ws'] } },
  },
});
