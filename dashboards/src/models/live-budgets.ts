import type { EndpointsReply, SummaryReply } from '#contract/metrics.ts';
import type { NowReply } from '#contract/now.ts';
import type { BudgetSpec } from '../../../loadtest/src/contract.ts';
import { holds } from '../../../loadtest/src/judge/budgets.ts';
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
/** `actual operator limit` must be so. */
type Limit = Pick<BudgetSpec, 'operator' | 'limit'>;
export interface LiveBudget extends Limit {
  name: string;
  label: string;
  /** Null: nothing to judge now. */
  actual: number | null;
  format: (value: number) => string;
  /** The project's budget that it is, or why this page has a limit of its own. */
  source: string;
}
export type BudgetTone = 'good' | 'bad' | 'unknown';

const project = (name: string) => {
  const found = BUDGETS.find((budget) => budget.name === name);
  if (!found) throw new RangeError(`budget "${name}" has no entry in scenarios/budgets.ts`);
  return { operator: found.operator, limit: found.limit, source: found.description };
};
const least = project('throughput_images_per_minute');
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
  throughputPerMinute: least,
  imagesPerSecond: { ...least, limit: least.limit / 60 },
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
      format: formatMs,
      ...LIMITS.apiMeanMs,
    },
    {
      name: 'db_query_p95_ms',
      label: N.sql,
      actual: slowShare(summary),
      format: formatPercent,
      operator: LIMITS.query.operator,
      limit: SLOW_SHARE,
      source: WORDS.budgets.slowShare(LIMITS.query.limit, LIMITS.query.source),
    },
    {
      name: 'throughput_images_per_minute',
      label: N.rate,
      actual: rate,
      format: perMinute,
      ...LIMITS.throughputPerMinute,
    },
    {
      name: 'inference_p95_ms',
      label: N.inference,
      actual: now?.stages?.runP95Ms ?? null,
      format: formatMs,
      ...LIMITS.inference,
    },
    {
      name: 'worker_rss_bytes',
      label: N.worker,
      actual: memory.length > 0 && Math.max(...memory) > 0 ? Math.max(...memory) : null,
      format: formatBytes,
      ...LIMITS.workerBytes,
    },
    {
      name: 'event_lag_ms',
      label: N.lag,
      actual: now?.eventLagMs ?? null,
      format: formatMs,
      operator: '<',
      limit: EVENT_LAG_LIMIT_MS,
      source: WORDS.budgets.lagSource,
    },
    {
      name: 'failed_share',
      label: N.failed,
      actual: now && failedShare(now),
      format: formatPercent,
      operator: '<',
      limit: FAILED_LIMIT,
      source: WORDS.budgets.failedSource,
    },
  ];
}

export const isKept = ({ operator, limit }: Limit, actual: number): boolean => holds[operator](actual, limit);

export const limitText = ({ operator, limit }: Limit, format: (value: number) => string): string =>
  `${operator} ${format(limit)}`;

export function toneOf(budget: Limit & Pick<LiveBudget, 'actual'>): BudgetTone {
  if (budget.actual === null) return 'unknown';
  return isKept(budget, budget.actual) ? 'good' : 'bad';
}
