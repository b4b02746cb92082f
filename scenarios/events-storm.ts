/** A hundred thousand images that end as fast as the queue lets them, and readers that must hear of each. No model runs. */
import { STORM_BUDGETS } from './budgets-load.ts';
import type { StormScenario } from './scenario.ts';

export const EVENTS_STORM: StormScenario = {
  kind: 'storm',
  name: 'events-storm',
  title: '100,000 simulated images end as fast as they can: each of 10 readers hears of each once, in few frames',
  images: { count: 100_000, quickCount: 5000 },
  phases: { imageMs: 1, readers: 10 },
  budgets: STORM_BUDGETS,
  notApplicable: {},
};
