import { BUDGETS } from '../../../scenarios/budgets.ts';
import type { BudgetSpec, Measurement, NoiseInfo, Repeat, RunData, StageSummary } from '../contract.ts';
import { addHistograms, quantileOfHistogram } from '../measure/log-histogram.ts';
import { mergePercentiles } from '../measure/percentile.ts';
import { holds } from './budgets.ts';
import { lowest, mergeSweeps } from './frames.ts';
import { contradictionsOf, repeatName } from './verdict.ts';

/**
 * One run's data from several repeats of it. A percentile is read from the values of all repeats together, where they kept them, and
 * frames from all their sweeps; other times take the median of the repeats, since a disturbed one says nothing about the service; counts,
 * bytes and ratios take the worst, since a lost event in one of five runs is a lost event. What weakens, contradicts or ended one of them
 * is told of all, by the repeat's number, and the noise is that of the noisiest. What the ratchet holds is kept of each. Everything else
 * is the last repeat's.
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
  const identities = runs.flatMap((run, at) =>
    (run.identities ?? []).map((one) => ({ ...one, name: `${repeatName(at, runs.length)}, ${one.name}` })),
  );
  const noise = worstNoise(runs.flatMap((run) => run.noise ?? []));
  const merged: RunData = {
    ...last,
    startedAt: first.startedAt,
    measurements,
    delivery: worst.delivery,
    stages: mergeStages(runs.map(({ stages }) => stages)),
    repeats: runs.map(repeatOf),
    ...(noise ? { noise } : {}),
    ...(identities.length > 0 ? { identities } : {}),
    ...(stopped ? { stopped } : {}),
  };
  // Each repeat's stands in its own folder.
  delete merged.rawLedger;
  return merged;
}

const repeatOf = (run: RunData): Repeat => ({
  startedAt: run.startedAt,
  finishedAt: run.finishedAt,
  ...(run.noise ? { noise: run.noise } : {}),
  contradictions: contradictionsOf(run),
  counts: {
    client: { apiCalls: run.clientSummary.apiCalls, resultBytesWire: run.clientSummary.resultBytesWire },
    ...(run.database && { database: run.database }),
    ...(run.batchEvents && { batchEvents: run.batchEvents }),
  },
});

function mergeOne(spec: BudgetSpec, repeats: readonly Measurement[]): Measurement {
  const named = repeats.map((repeat, at) => ({ ...repeat, name: repeatName(at, repeats.length) }));
  const told = (words: (repeat: Measurement) => string | undefined): string | undefined =>
    named
      .flatMap((repeat) => {
        const text = words(repeat);
        return text === undefined ? [] : `${repeat.name}: ${text}`;
      })
      .join('; ') || undefined;
  const of = named.filter(({ notApplicable }) => notApplicable === undefined);
  // One that says nothing of this budget takes nothing from those that do.
  if (of.length === 0) return { actual: null, notApplicable: told(({ notApplicable }) => notApplicable)! };
  const [weakened, unjudgeable] = [told((one) => one.weakened), told((one) => one.unjudgeable)];
  const flags = {
    ...(weakened ? { weakened } : {}),
    ...(unjudgeable ? { unjudgeable } : {}),
    ...lowest(of.flatMap((one) => one.floor ?? [])),
  };
  const unmeasured = of.find(({ actual }) => actual === null);
  if (unmeasured) return { actual: null, note: `${unmeasured.name}: ${unmeasured.note ?? 'not measured'}`, ...flags };
  const values = of.map(({ actual }) => actual ?? Number.NaN);
  const all = mergePercentiles(of.map(({ percentile }) => percentile));
  const frames = mergeSweeps(of.map(({ sweeps }) => sweeps));
  const note = told((one) => one.notApplicable ?? one.note);
  return {
    ...(all ?? { actual: isTimed(spec) ? middle(values) : worstOf(spec, values) }),
    values,
    ...frames,
    ...(note ? { note } : {}),
    ...flags,
  };
}

function isTimed(spec: BudgetSpec): boolean {
  return spec.unit === 'ms' || spec.unit === 'per-minute';
}

function worstOf(spec: BudgetSpec, values: readonly number[]): number {
  if (spec.operator === '>=') return Math.min(...values);
  if (spec.operator !== '=') return Math.max(...values);
  return values.find((value) => !holds['='](value, spec.limit)) ?? spec.limit;
}

function troubleOf({ delivery }: RunData): number {
  const { submitted, completed, failed, missing, duplicates, sequenceGaps } = delivery;
  return missing + duplicates + sequenceGaps + Math.abs(submitted - completed - failed);
}

/** Stages of all repeats together, by their values; of one that kept no values nothing can be said. */
function mergeStages(runs: readonly RunData['stages'][]): RunData['stages'] {
  const names = [...new Set(runs.flatMap((stages) => Object.keys(stages)))];
  return Object.fromEntries(
    names.flatMap((name) => {
      const same = runs.flatMap((stages) => stages[name] ?? []);
      const histograms = same.flatMap(({ histogram }) => (histogram ? [histogram] : []));
      if (histograms.length < same.length) return [];
      const histogram = addHistograms(histograms);
      const maxMs = Math.max(...same.map((one) => one.maxMs));
      // The middle of the last bin may lie above all that is in it.
      const at = (q: number) => Math.min(maxMs, quantileOfHistogram(histogram, q));
      const stage: StageSummary = {
        count: same.reduce((sum, { count }) => sum + count, 0),
        p50Ms: at(0.5),
        p95Ms: at(0.95),
        p99Ms: at(0.99),
        maxMs,
        cpuMsPerImage: meanCpu(same),
        histogram,
      };
      return [[name, stage]];
    }),
  );
}

function meanCpu(same: readonly StageSummary[]): number | null {
  const known = same.filter(({ cpuMsPerImage }) => cpuMsPerImage !== null);
  const count = known.reduce((sum, one) => sum + one.count, 0);
  return count === 0 ? null : known.reduce((sum, one) => sum + (one.cpuMsPerImage ?? 0) * one.count, 0) / count;
}

function worstNoise(all: readonly NoiseInfo[]): NoiseInfo | undefined {
  const most = (pick: (noise: NoiseInfo) => number | null): number | null => {
    const values = all.flatMap((noise) => pick(noise) ?? []);
    return values.length > 0 ? Math.max(...values) : null;
  };
  if (all.length === 0) return undefined;
  return {
    foreignCpuShare: most(({ foreignCpuShare }) => foreignCpuShare),
    generatorLagP99Ms: most(({ generatorLagP99Ms }) => generatorLagP99Ms),
  };
}

/** The median; of an even number of values the mean of the two in the middle. */
export function middle(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b);
  const half = sorted.length / 2;
  return ((sorted[Math.ceil(half) - 1] ?? 0) + (sorted[Math.floor(half)] ?? 0)) / 2;
}
