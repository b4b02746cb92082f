/** How the rate grows with the workers: what `npm run plan -- --from` reads. */
import { CAPACITY_BUDGETS } from './budgets-load.ts';
import type { CapacityScenario } from './scenario.ts';

export const CAPACITY: CapacityScenario = {
  kind: 'capacity',
  name: 'capacity',
  title:
    'the same images with more and more workers: rates, times of executions by shape, bytes, and the law they follow',
  /** Of the first level. */
  images: { count: 800, quickCount: 60 },
  phases: {
    /** Children of this machine, beyond its cores on purpose: there the rate stops growing. */
    real: [1, 2, 3, 4, 6, 8],
    simulated: [1, 2, 4, 8, 16, 32],
    /** A level has as many images as the first one for each worker, up to so many times: each lasts long enough to be measured. */
    mostTimes: 8,
    /** Images of each level that nobody measures. */
    warm: 16,
    /** Sides in pixels and cells: three sizes, and one of them with many cells and with few. */
    shapes: [
      { side: 128, cells: 6 },
      { side: 256, cells: 15 },
      { side: 256, cells: 90 },
      { side: 512, cells: 120 },
    ],
  },
  budgets: CAPACITY_BUDGETS,
  notApplicable: {},
};
