import type { BudgetName, Delivery, Measurements, ReportPlot, ReportTable } from '../contract.ts';
import type { CellResult } from './cell.ts';
import type { Violation } from './invariants.ts';

const COUNTS = [
  'fault_images_lost',
  'fault_duplicates',
  'fault_sequence_gaps',
  'fault_counter_mismatches',
  'fault_orphaned_images',
] as const satisfies readonly BudgetName[];
const RECOVERIES = [
  'recovery_worker_killed_ms',
  'recovery_queue_wiped_ms',
  'recovery_database_restart_ms',
  'recovery_socket_away_ms',
] as const satisfies readonly BudgetName[];
/** As many violations as a note names. */
const NAMED = 5;

export const nameOf = ({ cell }: Pick<CellResult, 'cell'>): string =>
  `${cell.fault.id} at ${Math.round(cell.instant * 100)} %`;
const at = ({ moment }: CellResult): string =>
  moment ? new Date(moment.atMs).toISOString() : 'the fault did not come to pass';

/** One violation in words: what, which image or batch, after which fault, when. */
const inWords = (result: CellResult, { detail, imageId, batchId }: Violation): string =>
  `${nameOf(result)} (${at(result)}): ${imageId ? `image ${imageId} ` : ''}${batchId ? `batch ${batchId} ` : ''}${detail}`;

/** Budgets of all cells together. Counts are sums, recovery times the slowest. Pure. */
export function measureCells(
  results: readonly CellResult[],
  { awayMs, fullAwayMs }: { awayMs: number; fullAwayMs: number },
): Measurements {
  const missed = results.filter(({ moment }) => moment === null);
  const weakened = missed.length > 0 ? { weakened: `did not come to pass: ${missed.map(nameOf).join(', ')}` } : {};
  const of = (name: BudgetName) =>
    results.flatMap((result) =>
      result.violations.filter(({ budget }) => budget === name).map((violation) => ({ result, violation })),
    );
  const notesOf = (name: BudgetName) => {
    const found = of(name);
    const named = found.slice(0, NAMED).map(({ result, violation }) => inWords(result, violation));
    const more = found.length > NAMED ? [`and ${found.length - NAMED} more, in raw/violations.ndjson`] : [];
    return found.length > 0 ? { note: [...named, ...more].join('; ') } : {};
  };
  const measurements: Measurements = {};
  if (results.length === 0) return measurements;
  for (const name of COUNTS) {
    const actual = of(name).reduce((sum, { violation }) => sum + violation.count, 0);
    measurements[name] = { actual, ...weakened, ...notesOf(name) };
  }
  const crashes = Math.max(0, ...results.flatMap(({ items }) => items.map((item) => item.crashes)));
  measurements.fault_crashes_per_image = { actual: crashes, ...notesOf('fault_crashes_per_image') };
  const toasts = results.flatMap((result) => result.toasts ?? []);
  measurements.fault_toasts_per_batch =
    toasts.length > 0
      ? {
          actual: Math.max(...toasts),
          note: [
            `a page was open in ${toasts.length} of ${results.length} batches`,
            notesOf('fault_toasts_per_batch').note,
          ]
            .filter(Boolean)
            .join('; '),
        }
      : { actual: null, notApplicable: 'no page was open in any batch' };
  for (const name of RECOVERIES) measurements[name] = recoveryOf(name, results, { awayMs, fullAwayMs });
  return measurements;
}

function recoveryOf(
  name: BudgetName,
  results: readonly CellResult[],
  { awayMs, fullAwayMs }: { awayMs: number; fullAwayMs: number },
): NonNullable<Measurements[BudgetName]> {
  const own = results.filter(({ cell, recoveryMs }) => cell.fault.recovery === name && recoveryMs !== null);
  const values = own.map(({ recoveryMs }) => recoveryMs ?? 0);
  if (values.length === 0)
    return { actual: null, notApplicable: 'no such fault in this run that images were left after' };
  const slowest = own.toSorted((a, b) => (b.recoveryMs ?? 0) - (a.recoveryMs ?? 0))[0] as CellResult;
  const short = name === 'recovery_socket_away_ms' && awayMs < fullAwayMs ? `; away for ${awayMs / 1000} s` : '';
  return { actual: Math.max(...values), values, note: `slowest: ${nameOf(slowest)}${short}` };
}

/** A row for each fault and instant, in the order of the list. */
export function tableOf(results: readonly CellResult[]): ReportTable {
  const columns: ReportTable['columns'] = [
    { name: 'fault' },
    { name: 'at' },
    { name: 'what was done' },
    { name: 'images' },
    { name: 'failed' },
    { name: 'retries', unit: 'count' },
    { name: 'reconnects', unit: 'count' },
    { name: 'longest stall', unit: 'ms' },
    { name: 'toasts', unit: 'count' },
    { name: 'invariants' },
  ];
  const order = (id: string) => Number(id.slice(1)) + (id.startsWith('F') ? 0 : 100);
  const sorted = results.toSorted(
    (a, b) => order(a.cell.fault.id) - order(b.cell.fault.id) || a.cell.instant - b.cell.instant,
  );
  const rows = sorted.map((result): (string | number | null)[] => {
    const { cell, items, violations, retries, reconnects, recoveryMs, toasts, moment } = result;
    const ended = items.filter(({ status }) => status === 'completed' || status === 'failed').length;
    const codes = Map.groupBy(
      items.filter(({ status }) => status === 'failed'),
      ({ errorCode }) => errorCode ?? 'no code',
    );
    return [
      cell.fault.id,
      `${Math.round(cell.instant * 100)} %`,
      cell.fault.title,
      `${ended} of ${items.length} ended`,
      [...codes].map(([code, all]) => `${all.length} ${code}`).join(', ') || 'none',
      retries.length,
      reconnects,
      recoveryMs,
      toasts,
      moment === null ? 'did not come to pass' : violations.length === 0 ? 'hold' : `${violations.length} violated`,
    ];
  });
  return {
    title: 'Faults, one a batch',
    note: 'Retries: requests that the client sent again. Longest stall: the longest time without an image that ended (F15, N6, N9: that was acknowledged), from the fault (or from the return of what was away) to the end of the batch; – where nothing was left to do. Toasts: – where no page was open.',
    columns,
    rows,
  };
}

/** Images ended over the time of the run, and where on that line the faults came. */
export function plotOf(results: readonly CellResult[], startedAtMs: number): ReportPlot {
  const ends = results
    .flatMap(({ items }) => items.flatMap(({ finishedAtMs }) => finishedAtMs ?? []))
    .toSorted((a, b) => a - b);
  const step = Math.max(1, Math.floor(ends.length / 600));
  const points = ends.flatMap((atMs, index): [number, number][] =>
    index % step === 0 || index === ends.length - 1 ? [[atMs - startedAtMs, index + 1]] : [],
  );
  const faults = results.flatMap(({ moment }): [number, number][] => {
    if (!moment) return [];
    return [[moment.atMs - startedAtMs, ends.filter((atMs) => atMs <= moment.atMs).length]];
  });
  return {
    title: 'Images ended over the run',
    note: 'The second line connects the moments at which the faults came.',
    x: { name: 'since the start', unit: 'ms' },
    y: { name: 'images ended', unit: 'count' },
    series: [
      { name: 'images ended', points },
      { name: 'faults', points: faults.toSorted((a, b) => a[0] - b[0]) },
    ],
  };
}

/** What went in and came out, all batches together. */
export function deliveryOf(results: readonly CellResult[]): Delivery {
  const items = results.flatMap((result) => result.items);
  const sum = (name: BudgetName) =>
    results
      .flatMap(({ violations }) => violations)
      .filter(({ budget }) => budget === name)
      .reduce((total, { count }) => total + count, 0);
  return {
    submitted: items.length,
    completed: items.filter(({ status }) => status === 'completed').length,
    failed: items.filter(({ status }) => status === 'failed').length,
    terminalEventsReceived: results.reduce((total, { told }) => total + told, 0),
    duplicates: sum('fault_duplicates'),
    missing: sum('fault_images_lost'),
    sequenceGaps: sum('fault_sequence_gaps'),
  };
}
