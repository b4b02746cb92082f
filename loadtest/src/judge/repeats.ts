import { BUDGETS } from '../../../scenarios/budgets.ts';
import type { BudgetSpec, Measurement, RunData } from '../contract.ts';
import { holds } from './budgets.ts';

/**
 * One run's data from several repeats of it. Times take the median of the repeats, since a disturbed one says nothing about
 * the service; counts, bytes and ratios take the worst, since a lost event in one of five runs is a lost event.
 * Everything else is the last repeat's, except what ended a run early, which is kept from whichever it happened in.
 * @throws RangeError for no runs.
 */
export function mergeRepeats(runs: readonly RunData[], specs: readonly BudgetSpec[] = BUDGETS): RunData {
  const last = runs.at(-1);
  const first = runs[0];
  if (last === undefined || first === undefined) throw new RangeError('no run to merge: repeats must be at least 1');
  if (runs.length === 1) return last;
  const measurements: RunData['measurements'] = {};
  for (const spec of specs) {
    const repeats = runs.map((run) => run.measurements[spec.name] ?? { actual: null, note: 'not measured' });
    measurements[spec.name] = mergeOne(spec, repeats);
  }
  const stopped = runs.find((run) => run.stopped)?.stopped;
  const worst = runs.toSorted((a, b) => troubleOf(b) - troubleOf(a))[0] ?? last;
  const merged: RunData = {
    ...last,
    startedAt: first.startedAt,
    measurements,
    delivery: worst.delivery,
    ...(stopped ? { stopped } : {}),
  };
  // Each repeat's stands in its own folder.
  delete merged.rawLedger;
  return merged;
}

function mergeOne(spec: BudgetSpec, repeats: readonly Measurement[]): Measurement {
  const unmeasured = repeats.findIndex((repeat) => repeat.actual === null);
  const notApplicable = repeats.find((repeat) => repeat.notApplicable !== undefined)?.notApplicable;
  const weakened = repeats.find((repeat) => repeat.weakened !== undefined)?.weakened;
  const flags = { ...(notApplicable ? { notApplicable } : {}), ...(weakened ? { weakened } : {}) };
  if (unmeasured >= 0) {
    const why = repeats[unmeasured]?.note ?? 'not measured';
    return { actual: null, note: `repeat ${unmeasured + 1} of ${repeats.length}: ${why}`, ...flags };
  }
  const values = repeats.map((repeat) => repeat.actual ?? Number.NaN);
  const note = repeats.find((repeat) => repeat.note !== undefined)?.note;
  return {
    actual: isTimed(spec) ? median(values) : worstOf(spec, values),
    values,
    ...(note ? { note } : {}),
    ...flags,
  };
}

function isTimed(spec: BudgetSpec): boolean {
  return spec.unit === 'ms' || spec.unit === 'per-minute';
}

function worstOf(spec: BudgetSpec, values: readonly number[]): number {
  const isLower = spec.operator === '>' || spec.operator === '>=';
  if (isLower) return Math.min(...values);
  if (spec.operator !== '=') return Math.max(...values);
  return values.find((value) => !holds['='](value, spec.limit)) ?? spec.limit;
}

function troubleOf(run: RunData): number {
  return run.delivery.missing + run.delivery.duplicates + run.delivery.sequenceGaps;
}

function median(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b);
  const middle = sorted.length / 2;
  return ((sorted[Math.ceil(middle) - 1] ?? 0) + (sorted[Math.floor(middle)] ?? 0)) / 2;
}
