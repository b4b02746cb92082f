/** More than the service bears: twice what it was just seen to bear, from clients that don't wait for answers. */
import { OVERLOAD_BUDGETS } from './budgets-load.ts';
import type { OverloadScenario } from './scenario.ts';

export const OVERLOAD: OverloadScenario = {
  kind: 'overload',
  name: 'overload',
  title: 'requests at twice the measured capacity, recovery, 1,000 idle sockets and a reader that never reads',
  images: { count: 200, quickCount: 200 },
  phases: {
    warmMs: 3000,
    capacity: { concurrency: [4, 8, 16], durationMs: 5000, quickMs: 3000 },
    /** Share of the capacity at which a service counts as unloaded. */
    light: { share: 0.2, durationMs: 15_000, quickMs: 8000 },
    overload: { times: 2, durationMs: 60_000, quickMs: 10_000, settleMs: 2000 },
    recovery: { durationMs: 12_000, windowMs: 500, times: 1.5 },
    sockets: { idle: 1000, rounds: 3, durationMs: 5000, quickMs: 3000 },
    /** One turn of the mix: half of it carries results. */
    mix: ['results', 'list', 'results', 'image'],
    resultsPerRequest: 4,
    pageSize: 50,
  },
  budgets: OVERLOAD_BUDGETS,
  notApplicable: {},
};
