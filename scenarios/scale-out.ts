/** More workers, and half of them gone. The pool is a timer of a second an image, so that the cores of one machine do not bind. */
import { SCALE_BUDGETS } from './budgets-scale.ts';
import type { ScaleScenario } from './scenario.ts';

export const SCALE_OUT: ScaleScenario = {
  kind: 'scale',
  name: 'scale-out',
  title: 'one to 32 workers, and half of them killed in the middle of a batch',
  // Of each worker.
  images: { count: 40, quickCount: 12 },
  phases: {
    workers: [1, 2, 4, 8, 16, 32],
    quickWorkers: [1, 2, 4],
    imageMs: 1000,
    /** What a dead worker had in work waits so long for another. */
    leaseMs: 5000,
    /** Share of the images after which half of the workers are killed. */
    killAfter: 0.4,
  },
  budgets: SCALE_BUDGETS,
  notApplicable: {},
};
