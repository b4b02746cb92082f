import { WORDS } from '../words/operator.ts';
import type { Baseline } from './Baseline.ts';
import { formatAxisMs, formatCount, formatMs, formatNumber, formatPercent } from './format.ts';
import { EVENT_LAG_LIMIT_MS, LIMITS } from './live-budgets.ts';
import type { MetricName } from './readings.ts';
import type { Series } from './Series.ts';

export const WINDOWS = { '5 min': 300, '15 min': 900, '1 h': 3600 } as const;
export type ChartWindow = keyof typeof WINDOWS;

export interface ChartSpec {
  key: string;
  title: string;
  /** Values of a hundredth and of a hundred beside each other: only positive ones are drawn. */
  log: boolean;
  metrics: readonly MetricName[];
  format: (value: number) => string;
  /** Of the marks of the axis, where `format` is too long. */
  formatAxis?: (value: number) => string;
  /** Place of a metric that is a share: drawn over the whole height, whatever the axis says. */
  share?: number;
  /** Drawn as a line, of the first metric; null for none. */
  budget: number | null;
  /** The axis reaches this far at least: what idles is no mountain range. */
  leastTop: number;
}
const W = WORDS.charts;
export const labelOf = (metric: MetricName): string =>
  (W.series as Partial<Record<MetricName, string>>)[metric] ?? metric;

export const CHARTS: readonly ChartSpec[] = [
  {
    key: 'throughput',
    title: W.throughput,
    log: false,
    metrics: ['imagesPerSecond', 'batchFill'],
    share: 1,
    format: formatNumber,
    budget: LIMITS.imagesPerSecond.limit,
    leastTop: 1,
  },
  {
    key: 'stages',
    title: W.stages,
    log: true,
    metrics: ['waitMs', 'runMs', 'publishMs'],
    format: formatMs,
    formatAxis: formatAxisMs,
    budget: LIMITS.inference.limit,
    leastTop: 10,
  },
  {
    key: 'queue',
    title: W.queue,
    log: false,
    metrics: ['waiting', 'active'],
    format: formatCount,
    budget: null,
    leastTop: 5,
  },
  {
    key: 'lag',
    title: W.lag,
    log: false,
    metrics: ['eventLagMs'],
    format: formatMs,
    budget: EVENT_LAG_LIMIT_MS,
    leastTop: 100,
  },
];

export const formatLine = ({ share, format }: ChartSpec, line: number, value: number): string =>
  (line === share ? formatPercent : format)(value);

/** A horizontal line: of the baseline of a line, or the budget. */
export interface Mark {
  kind: 'baseline' | 'budget';
  value: number;
  /** Which line it belongs to. */
  line: number;
}
export interface ChartData {
  /** Seconds, then the lines. */
  columns: [number[], ...(number | null)[][]];
  marks: Mark[];
  /** What the vertical axis spans. */
  range: [low: number, high: number];
}
/** The smallest value of a logarithmic axis. */
const LEAST = 0.1;

/** A budget far above what is measured would press the lines to the floor: it is drawn where it is near. */
const NEAR = 2;

export function rangeOf(
  values: readonly number[],
  marks: readonly Mark[],
  log: boolean,
  leastTop = log ? 10 * LEAST : 1e-3,
): [number, number] {
  const bases = marks.filter(({ kind }) => kind === 'baseline').map(({ value }) => value);
  const highest = Math.max(...values, ...bases, leastTop);
  const budgets = marks.filter(({ kind, value }) => kind === 'budget' && value <= NEAR * highest);
  const top = Math.max(highest, ...budgets.map(({ value }) => value));
  if (!log) return [0, top * 1.1];
  const least = Math.min(...[...values, ...bases].filter((value) => value > 0), top / 10);
  return [Math.max(LEAST, 10 ** Math.floor(Math.log10(least))), 10 ** Math.ceil(Math.log10(top))];
}

export function chartData(
  spec: ChartSpec,
  series: Pick<Series<MetricName>, 'window' | 'newest'>,
  shown: ChartWindow,
  baseline: Baseline | null,
): ChartData {
  const { seconds, values } = series.window(spec.metrics, series.newest() < 0 ? 0 : WINDOWS[shown]);
  const lines = spec.metrics.map((metric) =>
    spec.log ? values[metric].map((value) => (value === null ? null : Math.max(LEAST, value))) : values[metric],
  );
  const marks: Mark[] = spec.metrics.flatMap((metric, line) => {
    const value = baseline?.values[metric];
    return value === undefined ? [] : [{ kind: 'baseline' as const, value, line }];
  });
  if (spec.budget !== null) marks.push({ kind: 'budget', value: spec.budget, line: 0 });
  const known = lines.flat().filter((value) => value !== null);
  return { columns: [seconds, ...lines], marks, range: rangeOf(known, marks, spec.log, spec.leastTop) };
}
