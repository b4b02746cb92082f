import { availableParallelism } from 'node:os';
import { defineConfig } from 'vitest/config';

const TESTS = ['{service,loadtest,dashboards,scenarios,prometheus,grafana}/test/**/*.test.{ts,tsx}'];
/** Runs a service under load and judges what it measures: after all others, so that they are no noise to it. */
const MEASURING = ['loadtest/test/plants/plants.test.ts'];
/**
 * Leave their process as they found it, so that the next of them runs there too and a process imports the service once, not once a
 * file. Whoever mocks modules, looks at the memory of its own process or drives a browser has a process of its own.
 */
const TOGETHER = [
  'service/test/{batches,cdn,contract,contract-*,database,deletion,events,exports,forecast,graphql,limits,openapi,plugins,results,routes,runs,security,tenants,webhooks}/!(compression|metrics|*.browser).test.ts',
  'loadtest/test/{judge,capacity,report,compare/statistics}/*.test.ts',
  'dashboards/test/models/!(operator-heap|readings).test.ts',
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
