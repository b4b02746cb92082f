import { availableParallelism } from 'node:os';
import { defineConfig } from 'vitest/config';

const TESTS = ['{service,loadtest,dashboards,scenarios,prometheus,grafana}/test/**/*.test.{ts,tsx}'];
/** Runs a service under load and judges what it measures: after all others, so that they are no noise to it. */
const MEASURING = ['loadtest/test/plants/plants.test.ts'];
/**
 * Leave their process as they found it, so that the next of them runs there too, and what they import is loaded once a process. Whole
 * folders: what is pure, and what only asks a service over HTTP. Who mocks a clock, looks at memory or starts a process has one of its own.
 */
const TOGETHER = [
  'loadtest/test/{capacity,gate,judge,report}/*.test.ts',
  'dashboards/test/models/**/!(operator-heap|readings).test.ts',
  'service/test/{contract,forecast}/*.test.ts',
  'service/test/{contract-access,contract-bad-input,contract-http,graphql}/!(*socket*|*.browser|bootstrap|docs|limits).test.ts',
];

export default defineConfig({
  test: {
    projects: [
      {
        extends: true,
        test: { name: 'all', include: TESTS, exclude: [...MEASURING, ...TOGETHER], sequence: { groupOrder: 0 } },
      },
      { extends: true, test: { name: 'together', include: TOGETHER, isolate: false, sequence: { groupOrder: 0 } } },
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
