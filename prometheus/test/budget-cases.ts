import type { BudgetName } from '../../loadtest/src/contract.ts';
import { budgetOf } from '../../scenarios/budgets.ts';
import { isShare } from '../src/burn.ts';
import { alertNameOf, LIVE_BUDGETS, limitOf, type LiveBudget } from '../src/live-budgets.ts';
import type { Case } from './promtool.ts';
import { buckets, counter, gauge, type InputSeries } from './series.ts';

const INTERVAL = '2m';
/** Intervals in which all is well, then all is bad, then all is well again. */
type Shape = readonly [before: number, bad: number, after: number];
/** Series of a budget whose events are good but for the middle. `many` events an interval. */
type Drive = (shape: Shape, many: number) => InputSeries[];

const phases = ([before, bad, after]: Shape, good: number, worse: number) =>
  [
    [before, good],
    [bad, worse],
    [after, good],
  ] as const;
const tail =
  (name: BudgetName, metric: string, labels = ''): Drive =>
  ([before, bad, after], many) =>
    buckets(metric, labels, limitOf(budgetOf(name)), [
      [before, many, 0],
      [bad, 0, many],
      [after, many, 0],
    ]);
const HTTP = 'segbench_http_request_duration_seconds';
const route = (name: BudgetName, method: string, path: string): Drive =>
  tail(name, HTTP, `method="${method}",route="${path}",status="200"`);

/** How each budget is driven over its limit; each shape is as long as the alert's own windows ask for. */
const DRIVES: Readonly<Record<string, Drive>> = {
  // 0.05 s an answer, then 5 s, beside those of other routes
  api_latency_mean_ms: (shape, many) => [
    counter(`${HTTP}_sum{method="GET",route="/healthz",status="200"}`, phases(shape, many * 0.05, many * 5)),
    counter(`${HTTP}_count{method="GET",route="/healthz",status="200"}`, phases(shape, many, many)),
    // as slow as its bytes are many: it must not count
    counter(
      `${HTTP}_sum{method="POST",route="/api/projects/:id/images",status="201"}`,
      phases(shape, many * 9, many * 9),
    ),
    counter(`${HTTP}_count{method="POST",route="/api/projects/:id/images",status="201"}`, phases(shape, many, many)),
  ],
  db_query_p95_ms: tail('db_query_p95_ms', 'segbench_db_query_duration_seconds'),
  image_list_p95_ms: route('image_list_p95_ms', 'GET', '/api/projects/:id/images'),
  inference_p95_ms: tail('inference_p95_ms', 'segbench_inference_execution_seconds'),
  throughput_images_per_minute: (shape) => [
    counter('segbench_events_total{status="completed"}', phases(shape, 200, 4)),
    gauge('segbench_queue_depth', phases(shape, 50, 50)),
  ],
  service_rss_bytes: (shape) => [
    gauge('process_resident_memory_bytes{role="api",instance="a"}', phases(shape, 300e6, 600e6)),
    gauge('process_resident_memory_bytes{role="worker",instance="b"}', phases(shape, 900e6, 900e6)),
  ],
  worker_rss_bytes: (shape) => [gauge('segbench_inference_largest_worker_bytes', phases(shape, 500e6, 2.5e9))],
  cache_hit_ratio: (shape, many) => [
    counter('segbench_cache_requests_total{cache="list",outcome="hit"}', phases(shape, many, 0)),
    counter('segbench_cache_requests_total{cache="list",outcome="miss"}', phases(shape, 0, many)),
  ],
  compression_ratio: (shape) =>
    ['before', 'after'].map((stage) =>
      counter(
        `segbench_compression_bytes_total{stage="${stage}",route="/api/segmentation/batch/results"}`,
        phases(shape, stage === 'before' ? 5e6 : 5e5, 5e6),
      ),
    ),
  browse_detail_p95_ms: route('browse_detail_p95_ms', 'GET', '/api/images/:id'),
  browse_result_p95_ms: route('browse_result_p95_ms', 'GET', '/api/images/:id/segmentation'),
  browse_results_p95_ms: route('browse_results_p95_ms', 'POST', '/api/segmentation/batch/results'),
  browse_graphql_p95_ms: route('browse_graphql_p95_ms', 'POST', '/graphql'),
  browse_submit_p95_ms: route('browse_submit_p95_ms', 'POST', '/api/projects/:id/batches'),
  storm_delivery_p99_ms: tail('storm_delivery_p99_ms', 'segbench_stage_duration_seconds', 'stage="publish"'),
};
export const drivenBudgets = Object.keys(DRIVES);
const drive = (name: string, shape: Shape, many: number): InputSeries[] => DRIVES[name]!(shape, many);

const at = (intervals: number): string => `${2 * intervals}m`;
/** More than a look-up a second for three days. */
const MANY = 10_000;

/** Long enough for every window but those of days, and for every wait. */
const SHAPE: Shape = [20, 40, 40];
const BEFORE = at(SHAPE[0] - 1);
const DURING = at(SHAPE[0] + SHAPE[1] - 1);
const AFTER = at(SHAPE[0] + SHAPE[1] + SHAPE[2] - 1);
const healthy: Shape = [1, 0, SHAPE[0] + SHAPE[1] + SHAPE[2] - 1];
const shares = LIVE_BUDGETS.filter(isShare);

const fast = (budget: LiveBudget) => `${alertNameOf(budget)}/fast`;
const slow = (budget: LiveBudget) => `${alertNameOf(budget)}/slow`;

/** Every second budget is missed while its neighbours are kept, and the other way round: each fires its own alert alone. */
export const budgetCases = (): Case[] =>
  [0, 1].map((odd) => {
    const missed = LIVE_BUDGETS.filter((_, index) => index % 2 === odd);
    const burning = missed.filter(isShare);
    return {
      name: `${odd === 0 ? 'even' : 'odd'} budgets fire their own alerts, and recover`,
      interval: INTERVAL,
      series: LIVE_BUDGETS.flatMap((budget) =>
        drive(budget.budgets[0], missed.includes(budget) ? SHAPE : healthy, MANY),
      ),
      moments: [
        { at: BEFORE, firing: [] },
        {
          at: DURING,
          firing: missed.flatMap((budget) => (isShare(budget) ? [fast(budget), slow(budget)] : [alertNameOf(budget)])),
        },
        // the windows of days still know of it
        { at: AFTER, firing: burning.map(slow) },
      ],
    };
  });

/** Slow burns end when six hours are over. */
export const slowRecovery = (): Case => ({
  name: 'slow burns recover',
  interval: INTERVAL,
  series: shares.flatMap(({ budgets: [name] }) => drive(name, [10, 20, 200], MANY)),
  moments: [
    { at: at(29), firing: shares.flatMap((budget) => [fast(budget), slow(budget)]) },
    { at: at(219), firing: [] },
  ],
});
/** One event an interval: forty bad ones of a hundred are no figure. */
export const fewEvents = (): Case => ({
  name: 'few events fire nothing',
  interval: INTERVAL,
  series: shares.flatMap(({ budgets: [name] }) => drive(name, SHAPE, 1)),
  moments: [BEFORE, DURING, AFTER].map((moment) => ({ at: moment, firing: [] })),
});
