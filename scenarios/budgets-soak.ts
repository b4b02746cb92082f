/** Budgets of a soak. `scenarios/budgets.ts` joins them to the others. */
import type { BudgetSpec } from '../loadtest/src/contract.ts';

const SOAK = 'segbench: what runs for long stays as it is';

export const SOAK_BUDGETS: readonly BudgetSpec[] = (
  [
    ['soak_api_leak_bytes', 'API after a collection', 8e6],
    ['soak_relay_leak_bytes', 'relay after a collection', 8e6],
    ['soak_worker_leak_bytes', 'worker after a collection', 8e6],
    ['soak_inference_leak_bytes', 'inference child after a collection', 16e6],
    ['soak_queue_redis_leak_bytes', 'queue’s Redis, its data', 4e6],
  ] as const
).map(([name, what, limit]) => ({
  name,
  unit: 'bytes' as const,
  operator: '<=' as const,
  limit,
  description: `Growth of the ${what} in ten minutes, at least (lower end of the interval of its slope)`,
  source: SOAK,
}));

export const SOAK_COUNTS: readonly BudgetSpec[] = [
  {
    name: 'soak_descriptors_leak',
    unit: 'count',
    operator: '<=',
    limit: 5,
    description: 'Growth of open descriptors of any process in ten minutes, at least',
    source: SOAK,
  },
  {
    name: 'soak_database_bytes_per_image',
    unit: 'bytes',
    operator: '<',
    limit: 40e3,
    description: 'Growth of the database for each image processed, at least',
    source: SOAK,
  },
  {
    name: 'soak_images_wrong',
    unit: 'count',
    operator: '=',
    limit: 0,
    description: 'Images that did not complete, and counters that differ from rows',
    source: SOAK,
  },
];
