/** A gallery while ten thousand images a second end: does it keep up with its frames? No service runs. */
import { PAGE_STORM_BUDGETS } from './budgets-pages.ts';
import type { PageStormScenario } from './scenario.ts';

export const PAGE_STORM: PageStormScenario = {
  kind: 'page-storm',
  name: 'page-storm',
  title: 'a gallery of 200,000 images of which 10,000 end each second: frames, and how soon it is right afterwards',
  images: { count: 200_000, quickCount: 50_000 },
  phases: { eventsPerSecond: 10_000, edgeShare: 0.1, timeoutMs: 10_000 },
  budgets: PAGE_STORM_BUDGETS,
  notApplicable: {},
};
