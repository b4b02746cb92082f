import type { BudgetName } from '../contract.ts';
import type { PhaseName } from '../run/phases.ts';
import * as pages from './page-scripts.ts';

export interface Plant {
  name: string;
  /** The budgets that it must turn red; every other must stay as it is. */
  turns: readonly BudgetName[];
  /** What has to run for it to be seen; all else is taken from the clean run. */
  phases: readonly PhaseName[];
  /** A script in the page. */
  script?: string;
  /** Settings of the service. */
  settings?: Record<string, string>;
  /** The pages are served from a copy whose first document loads a heavy script. */
  heavyBundle?: boolean;
  /** Images of its own, that no result is known of; else it works on the clean run's project. */
  freshImages?: number;
}

const planted = (name: string) => ({ PLANT: name });

/** One violation a budget, each at the place where such a defect would be. */
export const PLANTS: readonly Plant[] = [
  {
    name: 'page hangs after the burst',
    turns: ['ui_settle_ms'],
    phases: ['batch', 'burst'],
    script: pages.SLOW_TO_SETTLE,
  },
  { name: 'overlays one by one', turns: ['bulk_calls'], phases: ['batch', 'burst'], script: pages.ONE_BY_ONE },
  { name: 'second toast', turns: ['toasts'], phases: ['batch', 'burst'], script: pages.SECOND_TOAST },
  {
    name: 'page keeps results',
    turns: ['result_memory_bytes'],
    phases: ['batch', 'burst'],
    script: pages.KEEPS_RESULTS,
  },
  { name: 'late paint', turns: ['first_paint_ms'], phases: ['batch'], script: pages.LATE_PAINT },
  { name: 'janky scroll', turns: ['frame_p95_ms'], phases: ['batch', 'scroll'], script: pages.JANKY_SCROLL },
  { name: 'heavy bundle', turns: ['bundle_gzip_bytes'], phases: ['batch'], heavyBundle: true },
  { name: 'dropped event', turns: ['delivery_missing'], phases: ['batch'], settings: planted('drop-event') },
  { name: 'repeated event', turns: ['delivery_duplicates'], phases: ['batch'], settings: planted('duplicate-event') },
  { name: 'slow route', turns: ['api_latency_mean_ms'], phases: ['browse'], settings: planted('slow-detail') },
  { name: 'slow query', turns: ['db_query_p95_ms'], phases: ['browse'], settings: planted('slow-query') },
  { name: 'slow list', turns: ['image_list_p95_ms'], phases: ['browse'], settings: planted('slow-list') },
  { name: 'no cache', turns: ['cache_hit_ratio'], phases: ['browse'], settings: { CACHE: '0' } },
  { name: 'no compression', turns: ['compression_ratio'], phases: ['browse'], settings: { COMPRESSION: '0' } },
  { name: 'API holds memory', turns: ['service_rss_bytes'], phases: [], settings: planted('held-memory-api') },
  { name: 'worker holds memory', turns: ['worker_rss_bytes'], phases: [], settings: planted('held-memory-worker') },
  {
    name: 'downloads kept in memory',
    turns: ['download_rss_growth_bytes'],
    phases: ['downloads'],
    settings: planted('kept-downloads'),
  },
  {
    name: 'slow inference',
    turns: ['inference_p95_ms'],
    phases: ['upload', 'batch'],
    settings: planted('slow-inference'),
    freshImages: 2,
  },
  {
    name: 'late jobs',
    turns: ['throughput_images_per_minute'],
    phases: ['upload', 'batch'],
    settings: planted('slow-queue'),
    freshImages: 1,
  },
];
