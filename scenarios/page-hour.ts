/** An hour of a busy day, ten times as fast, on pages that stay open: do they keep what they were told? No service runs. */
import { HOUR_BUDGETS } from './budgets-pages.ts';
import type { PageHourScenario } from './scenario.ts';

/**
 * Few enough for a gallery to keep all results: with more, what it keeps fills up to its bound for hours, and looks like growth. In the
 * short run, too, all have ended once before the first look that counts.
 */
const IMAGES = { count: 5500, quickCount: 1000 };

export const PAGE_HOUR: PageHourScenario = {
  kind: 'page-hour',
  name: 'page-hour',
  title:
    'the operator’s page and a gallery stay open for an hour of a busy day, ten times as fast: memory that grows, and what they show',
  images: IMAGES,
  phases: {
    seconds: 3600,
    quickSeconds: 200,
    speed: 10,
    imagesPerSecond: 40,
    looks: 30,
    quickLooks: 14,
    warmShare: 1 / 6,
    silenceSeconds: 20,
    resultsWithinSeconds: 125,
    timeoutMs: 10_000,
  },
  budgets: HOUR_BUDGETS,
  notApplicable: {},
};
