import type { EndpointsReply, SummaryReply } from '#contract/metrics.ts';
import type { NowReply } from '#contract/now.ts';
import { BUDGETS } from '../../../scenarios/budgets.ts';
import { WORDS } from '../words/operator.ts';
import { formatBytes, formatCount, formatMs, formatPercent } from './format.ts';

const N = WORDS.budgets.names;

export interface LiveReadings {
  now: NowReply | null;
  summary: SummaryReply | null;
  endpoints: EndpointsReply | null;
  /** Mean of the last seconds. */
  imagesPerSecond: number | null;
}
export interface LiveBudget {
  name: string;
  label: string;
  /** Null: nothing to judge now. */
  actual: number | null;
  limit: number;
  /** The value must be below the limit, or above it. */
  direction: 'below' | 'above';
  format: (value: number) => string;
  /** The project's budget that it is, or why this page has a limit of its own. */
  source: string;
}
export type BudgetTone = 'good' | 'bad' | 'unknown';

const project = (name: string) => {
  const found = BUDGETS.find((budget) => budget.name === name);
  if (!found) throw new RangeError(`budget "${name}" has no entry in scenarios/budgets.ts`);
  return { limit: found.limit, source: found.description };
};
export const EVENT_LAG_LIMIT_MS = 1000;
/** The setting FAILURE_PAUSE_RATIO, where nobody changed it. */
export const FAILED_LIMIT = 0.2;
/** The oldest waits longer than INFERENCE_QUEUE_TIMEOUT_MS allows by default. */
export const OLDEST_LIMIT_MS = 600_000;
const SLOW_SHARE = 0.05;

export const LIMITS = {
  apiMeanMs: project('api_latency_mean_ms'),
  query: project('db_query_p95_ms'),
  inference: project('inference_p95_ms'),
  throughputPerMinute: project('throughput_images_per_minute'),
  workerBytes: project('worker_rss_bytes'),
};
const perMinute = (value: number): string => `${formatCount(value)}/min`;

/** Whether anything is there to be worked on: a rate of an idle service is no violation. */
export const isWorking = ({ queue }: NowReply): boolean => queue.waiting + queue.active > 0;

export function failedShare({ batches }: NowReply): number | null {
  const open = batches.filter(({ status }) => status === 'queued' || status === 'running' || status === 'paused');
  const failed = open.reduce((sum, { counts }) => sum + counts.failed, 0);
  const ended = open.reduce((sum, { counts }) => sum + counts.failed + counts.completed, 0);
  return ended === 0 ? null : failed / ended;
}

/** Share of the queries of the last minute over the limit; a 95th percentile is below it while they are fewer than one in twenty. */
function slowShare(summary: SummaryReply | null): number | null {
  if (!summary || summary.database.queriesPerMinute <= 0) return null;
  return Math.min(1, summary.database.slowQueries / summary.database.queriesPerMinute);
}

/** The budgets that can be judged while the service runs, in the order of an image's way. */
export function liveBudgets({ now, summary, endpoints, imagesPerSecond }: LiveReadings): LiveBudget[] {
  const memory = now?.queue.workers.map(({ rssBytes }) => rssBytes) ?? [];
  const rate = now && isWorking(now) && imagesPerSecond !== null ? imagesPerSecond * 60 : null;
  return [
    {
      name: 'api_latency_mean_ms',
      label: N.api,
      actual: endpoints && endpoints.totalRequests > 0 ? endpoints.avgResponseTime : null,
      direction: 'below',
      format: formatMs,
      ...LIMITS.apiMeanMs,
    },
    {
      name: 'db_query_p95_ms',
      label: N.sql,
      actual: slowShare(summary),
      direction: 'below',
      format: formatPercent,
      limit: SLOW_SHARE,
      source: WORDS.budgets.slowShare(LIMITS.query.limit, LIMITS.query.source),
    },
    {
      name: 'throughput_images_per_minute',
      label: N.rate,
      actual: rate,
      direction: 'above',
      format: perMinute,
      ...LIMITS.throughputPerMinute,
    },
    {
      name: 'inference_p95_ms',
      label: N.inference,
      actual: now?.stages?.runP95Ms ?? null,
      direction: 'below',
      format: formatMs,
      ...LIMITS.inference,
    },
    {
      name: 'worker_rss_bytes',
      label: N.worker,
      actual: memory.length > 0 && Math.max(...memory) > 0 ? Math.max(...memory) : null,
      direction: 'below',
      format: formatBytes,
      ...LIMITS.workerBytes,
    },
    {
      name: 'event_lag_ms',
      label: N.lag,
      actual: now?.eventLagMs ?? null,
      direction: 'below',
      format: formatMs,
      limit: EVENT_LAG_LIMIT_MS,
      source: WORDS.budgets.lagSource,
    },
    {
      name: 'failed_share',
      label: N.failed,
      actual: now && failedShare(now),
      direction: 'below',
      format: formatPercent,
      limit: FAILED_LIMIT,
      source: WORDS.budgets.failedSource,
    },
  ];
}

export function toneOf({ actual, limit, direction }: Pick<LiveBudget, 'actual' | 'limit' | 'direction'>): BudgetTone {
  if (actual === null) return 'unknown';
  return (direction === 'below' ? actual < limit : actual > limit) ? 'good' : 'bad';
}
