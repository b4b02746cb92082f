/** Batch after batch with the real model: what grows with time is a leak. */
import { SOAK_BUDGETS, SOAK_COUNTS } from './budgets-soak.ts';
import type { SoakScenario } from './scenario.ts';

export const SOAK: SoakScenario = {
  kind: 'soak',
  name: 'soak',
  title: 'steady batches for half an hour: memory, descriptors, Redis and database over time',
  images: { count: 100, quickCount: 40 },
  phases: {
    durationMs: 30 * 60_000,
    quickMs: 120_000,
    /** Share of the time whose samples are left out: heaps, caches and pools fill up. */
    warmShare: 0.3,
    sampleMs: 2000,
    /** From one forced collection to the next, at the earliest. */
    settledMs: 15_000,
    pauseMs: 500,
    /** Images of this side in pixels. */
    side: 128,
  },
  budgets: [...SOAK_BUDGETS, ...SOAK_COUNTS],
  notApplicable: {},
};
