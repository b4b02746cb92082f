import type { BudgetName, BudgetSpec } from '../../loadtest/src/contract.ts';
import { budgetOf } from '../../scenarios/budgets.ts';
import { histogram, summed, type OverRange, type Selection } from './promql.ts';

/**
 * The budgets that a running service can be held to, and by which of its metrics. The limits are those of `scenarios/budgets.ts`; the
 * others speak of a page, of a process that is measured from outside, or of a run with faults, and have no metric.
 */
interface Common {
  /** The first one names the alert; others promise the same of the same metric. */
  budgets: readonly [BudgetName, ...BudgetName[]];
  title: string;
  /** What the running service shows of it, where that is not all. */
  caveat?: string;
  /** In base units (seconds, bytes), for a chart. */
  value: OverRange;
}
/** Of events each of which is good or not: a share of them may not be. */
export interface ShareBudget extends Common {
  kind: 'share';
  /** Share of good events that is promised, 0 to 1. */
  objective: number;
  events: OverRange;
  bad: OverRange;
  /** Events in a range, as a number. */
  counted: OverRange;
  /** In an hour, below which nothing is said; where it is more than `burn.ts` asks for. */
  leastAnHour?: number;
}
/** A value that must not cross its limit for long. */
export interface LevelBudget extends Common {
  kind: 'level';
  violated: 'above' | 'below';
  /** Range of the value that is judged. */
  range: string;
  /** What must hold besides, for the value to mean anything. */
  provided?: string;
  forMinutes: number;
}
export type LiveBudget = ShareBudget | LevelBudget;

const HTTP = 'segbench_http_request_duration_seconds';

/** In the units of the metrics: seconds instead of milliseconds. */
export function limitOf({ unit, limit }: BudgetSpec): number {
  return unit === 'ms' ? limit / 1000 : limit;
}
const limit = (name: BudgetName): number => limitOf(budgetOf(name));

/** The tail of a histogram: of a 95th percentile under its limit, 5 % may lie above. */
function tail(q: number, name: BudgetName, metric: string, only: string): Omit<ShareBudget, 'budgets' | 'title'> {
  const { events, counted, above, quantile } = histogram(metric, only);
  return { kind: 'share', objective: q, events, counted, bad: above(limit(name)), value: quantile(q) };
}
const route = (title: string, budgets: ShareBudget['budgets'], method: string, path: string): ShareBudget => ({
  budgets,
  title,
  caveat: 'As the service times it; the client’s way to it is not in it.',
  ...tail(0.95, budgets[0], HTTP, `method="${method}", route="${path}"`),
});

/** As `isJudgedRoute` of the bench: what takes as long as its bytes do is no response time. */
const JUDGED: Selection = {
  only: 'route!~".*/(download|exports)(/.*)?|/api/events"',
  but: 'method="POST", route="/api/projects/:id/images"',
};
const RESULTS = 'route=~"/api/segmentation/batch/results|/api/images/:id/segmentation"';
const bytes = (stage: string): OverRange =>
  summed('rate', 'segbench_compression_bytes_total', { only: `stage="${stage}", ${RESULTS}` });
const lookUps = (over: 'rate' | 'increase', only = '') => summed(over, 'segbench_cache_requests_total', { only });

export const LIVE_BUDGETS: readonly LiveBudget[] = [
  {
    kind: 'level',
    budgets: ['api_latency_mean_ms'],
    title: 'Mean response time',
    value: (range) =>
      `${summed('rate', `${HTTP}_sum`, JUDGED)(range)} / ${summed('rate', `${HTTP}_count`, JUDGED)(range)}`,
    violated: 'above',
    range: '10m',
    provided: `${summed('increase', `${HTTP}_count`, JUDGED)('10m')} >= 100`,
    forMinutes: 5,
  },
  {
    budgets: ['db_query_p95_ms'],
    title: 'Database query, 95th percentile',
    ...tail(0.95, 'db_query_p95_ms', 'segbench_db_query_duration_seconds', ''),
  },
  route(
    'Page of the image list, 95th percentile',
    ['image_list_p95_ms', 'browse_list_p95_ms'],
    'GET',
    '/api/projects/:id/images',
  ),
  {
    budgets: ['inference_p95_ms'],
    title: 'Execution of an image, 95th percentile',
    ...tail(0.95, 'inference_p95_ms', 'segbench_inference_execution_seconds', ''),
  },
  {
    kind: 'level',
    budgets: ['throughput_images_per_minute'],
    title: 'Images completed a minute',
    caveat: 'Judged while images wait.',
    value: (range) => `60 * ${summed('rate', 'segbench_events_total', { only: 'status="completed"' })(range)}`,
    violated: 'below',
    range: '15m',
    provided: 'max (segbench_queue_depth) > 0',
    forMinutes: 15,
  },
  {
    kind: 'level',
    budgets: ['service_rss_bytes'],
    title: 'Memory of the largest API process',
    value: () => 'max (process_resident_memory_bytes{role="api"})',
    violated: 'above',
    range: '5m',
    forMinutes: 10,
  },
  {
    kind: 'level',
    budgets: ['worker_rss_bytes'],
    title: 'Memory of the largest inference worker',
    value: () => 'max (segbench_inference_largest_worker_bytes)',
    violated: 'above',
    range: '5m',
    forMinutes: 10,
  },
  {
    kind: 'share',
    budgets: ['cache_hit_ratio'],
    title: 'Cache look-ups that hit',
    caveat: 'Promised while people browse: judged from one look-up a second on.',
    objective: limit('cache_hit_ratio'),
    events: lookUps('rate'),
    counted: lookUps('increase'),
    bad: lookUps('rate', 'outcome="miss"'),
    value: (range) => `${lookUps('rate', 'outcome="hit"')(range)} / ${lookUps('rate')(range)}`,
    leastAnHour: 3600,
  },
  {
    kind: 'level',
    budgets: ['compression_ratio'],
    title: 'Bytes of result JSON that compression saves',
    caveat: 'Clients that refuse to be sent compressed answers count as well.',
    value: (range) => `1 - ${bytes('after')(range)} / ${bytes('before')(range)}`,
    violated: 'below',
    range: '1h',
    provided: `${summed('increase', 'segbench_compression_bytes_total', { only: `stage="before", ${RESULTS}` })('1h')} >= 50e6`,
    forMinutes: 30,
  },
  route('One image, 95th percentile', ['browse_detail_p95_ms'], 'GET', '/api/images/:id'),
  route('Result of one image, 95th percentile', ['browse_result_p95_ms'], 'GET', '/api/images/:id/segmentation'),
  route('Results in bulk, 95th percentile', ['browse_results_p95_ms'], 'POST', '/api/segmentation/batch/results'),
  route('GraphQL, 95th percentile', ['browse_graphql_p95_ms'], 'POST', '/graphql'),
  route('Start of a batch, 95th percentile', ['browse_submit_p95_ms'], 'POST', '/api/projects/:id/batches'),
  {
    budgets: ['storm_delivery_p99_ms'],
    title: 'From an image’s end to its number, 99th percentile',
    caveat:
      'The part of the delivery that the service sees: until the event is numbered and sent, not until a reader has it.',
    ...tail(0.99, 'storm_delivery_p99_ms', 'segbench_stage_duration_seconds', 'stage="publish"'),
  },
];

const UNITS = new Set(['ms', 'bytes']);
/** `db_query_p95_ms` is `SegbenchDbQueryP95`. */
export function alertNameOf({ budgets: [name] }: Pick<LiveBudget, 'budgets'>): string {
  const words = name.split('_').filter((word) => !UNITS.has(word));
  return `Segbench${words.map((word) => word[0]!.toUpperCase() + word.slice(1)).join('')}`;
}
