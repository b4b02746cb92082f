import type { EndpointsReply } from '#contract/metrics.ts';
import type { NowReply } from '#contract/now.ts';
import { WORDS } from '../../words/operator.ts';
import { changeOf, type Baseline } from '../Baseline.ts';
import { formatChange, formatCount, formatDuration, formatMs, formatNumber, formatPercent } from '../format.ts';
import { FAILED_LIMIT, LIMITS, OLDEST_LIMIT_MS, failedShare, isKept, isWorking, limitText } from '../live-budgets.ts';
import { longestEta, type MetricName } from '../readings.ts';
import { isOver } from '../Batches.ts';

export interface Tile {
  label: string;
  value: string;
  detail: string;
  limit: string;
  /** Over its limit. */
  over: boolean;
  change: string;
  metric: MetricName;
}
export interface TileReadings {
  now: NowReply | null;
  endpoints: EndpointsReply | null;
  imagesPerSecond: number | null;
  busyRatio: number | null;
  baseline: Baseline | null;
}
const T = WORDS.tiles;

/** How far a number is from the baseline, in words; which direction is better is the reader's to say. */
export function changeWords(now: number | null, baseline: Baseline | null, metric: MetricName): string {
  const base = baseline?.values[metric];
  if (base === undefined) return T.noBaseline;
  if (now === null) return '';
  if (base === 0) return now === 0 ? T.asBaseline : T.wasNothing;
  const change = changeOf(now, base) ?? 0;
  return Math.abs(change) < 0.005 ? T.asBaseline : T.change(formatChange(change));
}

function waitWords({ waiting, delayed, oldestAgeMs }: NowReply['queue']): string {
  if (delayed > 0) return T.held(formatCount(delayed));
  return waiting > 0 && oldestAgeMs ? T.oldest(formatDuration(oldestAgeMs / 1000)) : T.nothingWaits;
}

/** The six numbers of the page, from one reading. */
export function tilesOf({ now, endpoints, imagesPerSecond, busyRatio, baseline }: TileReadings): Tile[] {
  const queue = now?.queue ?? null;
  const eta = now ? longestEta(now.batches) : null;
  const open = now?.batches.filter((batch) => !isOver(batch)).length ?? 0;
  const openCount = Math.max(open, now?.openBatches ?? 0);
  const percentiles = endpoints?.percentiles ?? null;
  const change = (value: number | null, metric: MetricName) => ({
    metric,
    change: changeWords(value, baseline, metric),
  });
  const workers = queue?.workers ?? [];
  const share = now && failedShare(now);
  return [
    {
      label: T.queue,
      value: queue ? formatCount(queue.waiting) : T.nothing,
      detail: queue ? waitWords(queue) : '',
      limit: T.oldestLimit(formatDuration(OLDEST_LIMIT_MS / 1000)),
      over: (queue?.oldestAgeMs ?? 0) > OLDEST_LIMIT_MS && (queue?.waiting ?? 0) > 0,
      ...change(queue?.waiting ?? null, 'waiting'),
    },
    {
      label: T.rate,
      value: imagesPerSecond === null ? T.nothing : formatNumber(imagesPerSecond),
      detail: now ? T.openBatches(openCount) : '',
      limit: limitText(LIMITS.imagesPerSecond, formatNumber),
      over:
        now !== null && isWorking(now) && imagesPerSecond !== null && !isKept(LIMITS.imagesPerSecond, imagesPerSecond),
      ...change(imagesPerSecond, 'imagesPerSecond'),
    },
    {
      label: T.eta,
      value: eta ? formatDuration(eta.seconds) : T.nothing,
      detail: eta
        ? T.etaRange(formatDuration(eta.low), formatDuration(eta.high))
        : openCount > 0
          ? T.etaUnknown
          : T.nothingOpen,
      limit: T.noLimit,
      over: false,
      ...change(eta?.seconds ?? null, 'etaSeconds'),
    },
    {
      label: T.latency,
      value: percentiles ? formatMs(percentiles.p95) : T.nothing,
      detail: percentiles ? T.latencies(formatMs(percentiles.p50), formatMs(percentiles.p99)) : '',
      limit: T.mean(limitText(LIMITS.apiMeanMs, formatMs)),
      over: !isKept(LIMITS.apiMeanMs, endpoints?.avgResponseTime ?? 0),
      ...change(percentiles?.p95 ?? null, 'apiP95Ms'),
    },
    {
      label: T.busy,
      value: queue ? T.busyOf(workers.filter(({ state }) => state === 'busy').length, workers.length) : T.nothing,
      detail: queue ? T.inWork(queue.active) : '',
      limit: T.noLimit,
      over: false,
      ...change(busyRatio, 'busyRatio'),
    },
    {
      label: T.failed,
      value: queue ? formatCount(queue.failed) : T.nothing,
      detail: T.inOpen,
      limit: T.below(formatPercent(FAILED_LIMIT)),
      over: share !== null && share >= FAILED_LIMIT,
      ...change(queue?.failed ?? null, 'failed'),
    },
  ];
}

/** An SVG path of a trace, `width` × `height`: the mean of each of `steps` parts, from 0 up; gaps stay gaps. */
export function tracePath(values: readonly (number | null)[], width: number, height: number, steps = 60): string {
  const part = Math.max(1, Math.ceil(values.length / steps));
  const means: (number | null)[] = [];
  for (let i = 0; i < values.length; i += part) {
    const known = values.slice(i, i + part).filter((value) => value !== null);
    means.push(known.length === 0 ? null : known.reduce((sum, value) => sum + value, 0) / known.length);
  }
  const top = Math.max(...means.map((mean) => mean ?? 0), 1e-9);
  let pen = 'M';
  let path = '';
  means.forEach((mean, i) => {
    if (mean === null) return void (pen = 'M');
    const x = (i / Math.max(1, means.length - 1)) * width;
    path += `${pen}${x.toFixed(1)} ${(height - (mean / top) * height).toFixed(1)}`;
    pen = 'L';
  });
  return path;
}
