import type { BaselineComparison, BaselineRow, BudgetUnit, EnvironmentInfo, ResultFile } from '../contract.ts';

interface Metric {
  metric: string;
  unit: BudgetUnit;
  /** Gates only counts and bytes: times of two runs one after the other differ by far more than any change (measured: up to 10×). */
  gate: boolean;
  /** Growth that is no regression, as a share of the baseline. */
  tolerance: number;
  /** `down`: less is better. */
  better: 'down' | 'up';
  of: (result: ResultFile) => number | null;
}

const perImage = (value: number, result: ResultFile): number | null =>
  result.images.count > 0 ? value / result.images.count : null;
const actualOf = (result: ResultFile, name: string): number | null =>
  result.budgets.find((budget) => budget.name === name)?.actual ?? null;

const METRICS: readonly Metric[] = [
  { metric: 'toasts', unit: 'count', gate: true, tolerance: 0, better: 'down', of: (r) => actualOf(r, 'toasts') },
  { metric: 'bulk calls', unit: 'count', gate: true, tolerance: 0, better: 'down', of: (r) => r.client.bulkCalls },
  {
    metric: 'queries per image',
    unit: 'count',
    gate: true,
    // Windows of 100 ms hold more or fewer images from run to run, and each window costs its queries.
    tolerance: 0.15,
    better: 'down',
    of: (r) => r.database?.queriesPerImage ?? null,
  },
  {
    metric: 'result bytes on the wire per image',
    unit: 'bytes',
    gate: true,
    tolerance: 0.02,
    better: 'down',
    of: (r) => perImage(r.client.resultBytesWire, r),
  },
  {
    metric: 'initial script and style',
    unit: 'bytes',
    gate: true,
    tolerance: 0.02,
    better: 'down',
    of: (r) => actualOf(r, 'bundle_gzip_bytes'),
  },
  ...(['ui_settle_ms', 'api_latency_mean_ms', 'db_query_p95_ms', 'image_list_p95_ms', 'inference_p95_ms'] as const).map(
    (name): Metric => ({
      metric: name,
      unit: 'ms',
      gate: false,
      tolerance: 0,
      better: 'down',
      of: (r) => actualOf(r, name),
    }),
  ),
  {
    metric: 'throughput_images_per_minute',
    unit: 'per-minute',
    gate: false,
    tolerance: 0,
    better: 'up',
    of: (r) => actualOf(r, 'throughput_images_per_minute'),
  },
  { metric: 'CPU ratio', unit: 'ratio', gate: false, tolerance: 0, better: 'up', of: (r) => r.efficiency.cpuRatio },
];

/** What must be equal before anything is compared. */
const SAME_WORK: readonly [string, (result: ResultFile) => string | number][] = [
  ['scenario', (r) => r.scenario],
  ['client', (r) => r.clientMode],
  ['images', (r) => r.images.sha256OfSet],
  ['model', (r) => r.environment.inference.modelSha256],
];
/** What must be equal before times are set side by side. */
const SAME_MACHINE: readonly [string, (environment: EnvironmentInfo) => string | number][] = [
  ['CPU', (e) => e.cpuModel],
  ['cores', (e) => e.cores],
  ['operating system', (e) => e.os],
  ['Node', (e) => e.node],
  ['PostgreSQL', (e) => e.postgres],
  ['Redis', (e) => e.redis],
  ['browser', (e) => e.browser],
  ['environment', (e) => e.provider],
  ['inference pool', (e) => `${e.inference.pool}/${e.inference.provider}`],
];

export const isSameWork = (now: ResultFile, base: ResultFile): boolean =>
  differences(SAME_WORK, now, base).length === 0;
export const isSameMachine = (now: ResultFile, base: ResultFile): boolean =>
  differences(SAME_MACHINE, now.environment, base.environment).length === 0;

/** Sets a result beside an earlier one. Counts and bytes gate; times are reported, and only between equal machines. */
export function compareWithBaseline(now: ResultFile, base: ResultFile, file: string): BaselineComparison {
  const different = differences(SAME_WORK, now, base);
  const machine = differences(SAME_MACHINE, now.environment, base.environment);
  const comparable = different.length === 0;
  const notes = [
    ...different.map((text) => `incomparable: ${text}`),
    ...machine.map((text) => `times are incomparable: ${text}`),
  ];
  const rows = METRICS.map((metric) =>
    rowOf(metric, metric.of(now), metric.of(base), comparable, machine.length === 0),
  );
  return { file, comparable, notes, rows };
}

function rowOf(
  metric: Metric,
  now: number | null,
  base: number | null,
  comparable: boolean,
  sameMachine: boolean,
): BaselineRow {
  const ratio = now === null || base === null || base === 0 ? null : now / base;
  const row = { metric: metric.metric, unit: metric.unit, base, now, ratio, gate: metric.gate };
  if (!comparable || now === null || base === null) return { ...row, verdict: 'incomparable' };
  if (!metric.gate) return { ...row, verdict: sameMachine ? 'reported' : 'incomparable' };
  const worse = metric.better === 'down' ? now > base * (1 + metric.tolerance) : now < base * (1 - metric.tolerance);
  const better = metric.better === 'down' ? now < base : now > base;
  return { ...row, verdict: worse ? 'regression' : better ? 'better' : 'same' };
}

function differences<T>(checks: readonly [string, (of: T) => string | number][], now: T, base: T): string[] {
  return checks
    .filter(([, of]) => of(now) !== of(base))
    .map(([name, of]) => `${name} was ${String(of(base)) || 'unknown'}, is ${String(of(now)) || 'unknown'}`);
}
