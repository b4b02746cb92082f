/**
 * Every budget of the project, once: the command judges by this table, and dashboards, Grafana and alert rules are made from it.
 *
 * Limits come from the documents the project started from (a bulk analysis of a cell segmentation hub and its performance
 * guides); those that no document names are marked as segbench's own.
 */
import type { BudgetName, BudgetSpec } from '../loadtest/src/contract.ts';
import { DRIVER_BUDGETS } from './budgets-drivers.ts';
import { GATE_BUDGETS } from './budgets-gate.ts';
import { GALLERY_BUDGETS, HOUR_BUDGETS, PAGE_STORM_BUDGETS, VIEWER_BUDGETS } from './budgets-pages.ts';
import { SCALE_BUDGETS } from './budgets-scale.ts';
import { PROOF_BUDGETS } from './budgets-proof.ts';
import { RELIABILITY_BUDGETS } from './budgets-reliability.ts';

const ANALYSIS = 'bulk segmentation performance analysis';
const SUMMARY = 'performance improvements summary';
const TARGETS = 'performance targets';

/** Budgets that speak of 1,000 images: with fewer, a pass proves nothing. */
const THOUSAND = 1000;

export const BUDGETS: readonly BudgetSpec[] = [
  {
    name: 'ui_settle_ms',
    unit: 'ms',
    operator: '<',
    limit: 2000,
    minCount: THOUSAND,
    description:
      'From the arrival of the completion burst’s last frame until the page shows the final state and is quiet',
    source: `${ANALYSIS}: render time under 2 seconds`,
  },
  {
    name: 'bulk_calls',
    unit: 'count',
    operator: '<=',
    limit: 10,
    minCount: THOUSAND,
    description: 'Requests that carry results, overlays or polygons, from the batch’s POST to the end of the burst',
    source: `${ANALYSIS}: API calls under 10`,
  },
  {
    name: 'toasts',
    unit: 'count',
    operator: '=',
    limit: 1,
    description: 'Toast nodes ever created, per batch',
    source: `${ANALYSIS}: 1 aggregated notification`,
  },
  {
    name: 'result_memory_bytes',
    unit: 'bytes',
    operator: '<',
    limit: 500e6,
    minCount: THOUSAND,
    description: 'Memory that the page retains with all results, after forced garbage collection',
    source: `${ANALYSIS}: memory under 500 MB for results`,
  },
  {
    name: 'delivery_missing',
    unit: 'count',
    operator: '=',
    limit: 0,
    description: 'Accepted images whose terminal event never reached the client',
    source: 'segbench: every accepted image is seen to end',
  },
  {
    name: 'delivery_duplicates',
    unit: 'count',
    operator: '=',
    limit: 0,
    description: 'Terminal events that reached the client more than once for one image and batch',
    source: 'segbench: every accepted image ends once',
  },
  {
    name: 'api_latency_mean_ms',
    unit: 'ms',
    operator: '<',
    limit: 200,
    description: 'Mean response time of all routes but uploads, downloads and exports',
    source: `${TARGETS}: API response under 200 ms average`,
  },
  {
    name: 'db_query_p95_ms',
    unit: 'ms',
    operator: '<',
    limit: 50,
    description: 'Database query time, 95th percentile over all roles',
    source: `${TARGETS}: database query under 50 ms`,
  },
  {
    name: 'image_list_p95_ms',
    unit: 'ms',
    operator: '<',
    limit: 100,
    minCount: THOUSAND,
    description: 'Response time of a page of the image list while browsing, 95th percentile',
    source: `${SUMMARY}: image list query under 100 ms with pagination`,
  },
  {
    name: 'inference_p95_ms',
    unit: 'ms',
    operator: '<',
    limit: 5000,
    description: 'Execution of one image from decoding to polygons, without the queue, 95th percentile',
    source: `${TARGETS}: inference under 5 s an image`,
  },
  {
    name: 'throughput_images_per_minute',
    unit: 'per-minute',
    operator: '>=',
    limit: 10,
    description: 'Images completed a minute in the measured batch',
    source: `${TARGETS}: batch processing over 10 images a minute`,
  },
  {
    name: 'service_rss_bytes',
    unit: 'bytes',
    operator: '<',
    limit: 512e6,
    description: 'Peak resident memory of the largest API process',
    source: `${TARGETS}: memory under 512 MB a container`,
  },
  {
    name: 'worker_rss_bytes',
    unit: 'bytes',
    operator: '<',
    limit: 2e9,
    description: 'Peak resident memory of the largest inference worker',
    source: `${TARGETS}: memory under 2 GB peak`,
  },
  {
    name: 'cache_hit_ratio',
    unit: 'ratio',
    operator: '>=',
    limit: 0.9,
    description: 'Hits over look-ups of the service’s cache while browsing',
    source: `${SUMMARY}: cache hit rate over 90 % for common queries`,
  },
  {
    name: 'compression_ratio',
    unit: 'ratio',
    operator: '>=',
    limit: 0.6,
    description: 'Share of bytes saved on result JSON by compression',
    source: `${SUMMARY}: 60-80 % size reduction`,
  },
  {
    name: 'bundle_gzip_bytes',
    unit: 'bytes',
    operator: '<',
    limit: 500e3,
    description: 'Initial script and style, gzipped',
    source: `${TARGETS}: bundle under 500 KB compressed`,
  },
  {
    name: 'first_paint_ms',
    unit: 'ms',
    operator: '<',
    limit: 3000,
    description: 'First contentful paint of the gallery',
    source: `${TARGETS}: load time under 3 s first paint`,
  },
  {
    name: 'frame_p95_ms',
    unit: 'ms',
    operator: '<=',
    limit: 20,
    minCount: THOUSAND,
    description: 'Frame interval while scrolling the finished gallery, 95th percentile, median of five sweeps',
    source: `${TARGETS}: 60 fps interactions`,
  },
  {
    name: 'download_rss_growth_bytes',
    unit: 'bytes',
    operator: '<',
    limit: 64e6,
    description: 'Growth of the API’s resident memory while 32 clients read ranges of one 256 MB file',
    source: `${SUMMARY}: memory usage remains constant regardless of file size`,
  },
];

/** Every budget of every scenario. */
export const ALL_BUDGETS: readonly BudgetSpec[] = [
  ...BUDGETS,
  ...RELIABILITY_BUDGETS,
  ...DRIVER_BUDGETS,
  ...GALLERY_BUDGETS,
  ...VIEWER_BUDGETS,
  ...HOUR_BUDGETS,
  ...PAGE_STORM_BUDGETS,
  ...PROOF_BUDGETS,
  ...GATE_BUDGETS,
  ...SCALE_BUDGETS,
];

/** @throws RangeError for a name that has no budget. */
export function budgetOf(name: BudgetName): BudgetSpec {
  const spec = ALL_BUDGETS.find((budget) => budget.name === name);
  if (spec === undefined) throw new RangeError(`budget "${name}" has no entry in scenarios/budgets.ts`);
  return spec;
}
