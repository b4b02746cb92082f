import type { NowReply } from '#contract/now.ts';
import type { EndpointsReply } from '#contract/metrics.ts';
import type { Series, Values } from './Series.ts';

/** What the operator's page keeps for each second of the last hour. */
export const METRICS = [
  'waiting',
  'active',
  'oldestAgeMs',
  'imagesPerSecond',
  'etaSeconds',
  'waitMs',
  'runMs',
  'publishMs',
  'eventLagMs',
  'batchFill',
  'apiP50Ms',
  'apiP95Ms',
  'apiP99Ms',
  'busyRatio',
  'failed',
] as const;
export type MetricName = (typeof METRICS)[number];

/** A rate is that of this many seconds: results are written in groups, and one second alone leaps. */
export const RATE_SECONDS = 5;

/** Images a second at each second that `finished` speaks of: the mean of the seconds up to it. */
export function ratesOf(finished: NowReply['finished'], now: number, span: number): [second: number, rate: number][] {
  const done = new Map(finished.map((each) => [each.second, each.done]));
  return Array.from({ length: span }, (_, i) => {
    const second = now - span + i;
    let sum = 0;
    for (let back = 0; back < RATE_SECONDS; back++) sum += done.get(second - back) ?? 0;
    return [second, sum / RATE_SECONDS];
  });
}

/** The time until the last open batch is done, were they to go on as they do; null where nobody knows. */
export function longestEta(batches: NowReply['batches']): NowReply['batches'][number]['eta'] {
  const etas = batches.flatMap(({ eta }) => eta ?? []);
  return etas.toSorted((a, b) => b.seconds - a.seconds)[0] ?? null;
}

export const meanOf = (values: readonly number[]): number | null =>
  values.length === 0 ? null : values.reduce((sum, value) => sum + value, 0) / values.length;

/** Share of all places of executions that had an image; null where no worker executed anything. */
export const fillOf = ({ workers }: NowReply['queue']): number | null =>
  meanOf(workers.flatMap(({ batchFill }) => batchFill ?? []));

export function valuesOf({ queue, stages, eventLagMs, batches }: NowReply): Values<MetricName> {
  return {
    waiting: queue.waiting,
    active: queue.active,
    oldestAgeMs: queue.oldestAgeMs,
    failed: queue.failed,
    etaSeconds: longestEta(batches)?.seconds ?? null,
    waitMs: stages?.waitMs ?? null,
    runMs: stages?.runMs ?? null,
    publishMs: stages?.publishMs ?? null,
    eventLagMs,
    batchFill: fillOf(queue),
    busyRatio: meanOf(queue.workers.map((worker) => worker.busyRatio)),
  };
}

/** Puts a reading at its second, and the rates of the last minute at theirs: what was missed while nobody could read is caught up. */
export function keepReading(series: Series<MetricName>, reply: NowReply): number {
  const second = Math.floor(Date.parse(reply.timestamp) / 1000);
  for (const [at, rate] of ratesOf(reply.finished, second, 60 - RATE_SECONDS))
    series.put(at, { imagesPerSecond: rate });
  series.put(second, valuesOf(reply));
  return second;
}

export function keepLatencies(series: Series<MetricName>, second: number, { percentiles }: EndpointsReply): void {
  series.put(second, { apiP50Ms: percentiles.p50, apiP95Ms: percentiles.p95, apiP99Ms: percentiles.p99 });
}
