/** A batch survives whatever happens to the processes around it: every fault at several moments, seen from outside. */
import { FAULT_BUDGETS } from './budgets-reliability.ts';
import type { FaultsScenario } from './scenario.ts';

export const FAULTS: FaultsScenario = {
  kind: 'faults',
  name: 'faults',
  title: 'Processes killed, stopped, cut off and starved in the middle of batches: nothing lost, nothing twice',
  images: { count: 200, quickCount: 30, side: 128, maxCells: 20 },
  upload: { filesPerRequest: 10, concurrency: 2 },
  /** Shares of the batch that have ended when the fault comes. */
  instants: [0, 0.5, 0.99],
  /** What a run without `--duration` and with `--quick` takes, and how long its socket stays away. */
  quick: { durationSeconds: 60, socketAwayMs: 5_000 },
  socketAwayMs: 30_000,
  /** An image that has not ended so long after everything was mended is lost. */
  endsWithinMs: 75_000,
  budgets: FAULT_BUDGETS,
  notApplicable: {},
};
