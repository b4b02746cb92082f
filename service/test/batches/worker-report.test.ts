import { expect, it } from 'vitest';
import { createReporter } from '../../src/batches/worker-report.ts';
import type { PoolStats } from '../../src/inference/pool/backend.ts';
import { fakeStats } from './fixture.ts';

const child = {
  state: 'busy',
  busyMs: 0,
  busyRatio: 0,
  imagesDone: 0,
  restarts: 0,
  rssBytes: 1,
  lastError: null,
} as const;
const statsOf = (executions: number, inferences: number): PoolStats => ({
  ...fakeStats(),
  batches: { ...fakeStats().batches, executions, inferences },
  workers: [{ ...child, id: 'local-1', pid: 7 }],
});

it('tells how full the executions since the last report were, and nothing where there was none', () => {
  const report = createReporter({ worker: 'w1', model: () => 'nuclei 1', provider: 'cuda', slots: 4 });
  expect(report(statsOf(0, 0))).toMatchObject([{ id: 'w1/local-1', slots: 4, batchFill: null }]);
  expect(report(statsOf(10, 40))[0]!.batchFill).toBe(1);
  expect(report(statsOf(20, 50))[0]!.batchFill).toBe(0.25);
  expect(report(statsOf(20, 50))[0]!.batchFill).toBeNull();
});
