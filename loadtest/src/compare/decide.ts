import { describeNoise } from '../judge/budgets.ts';
import { median } from '../measure/statistics.ts';
import type { BlockFigures, CompareVerdict, CountDecision, Decision, MetricDecision, Triple } from './contract.ts';
import { judgeCounts } from './decide-counts.ts';
import { levelOf } from './looks.ts';
import { blocksOf, primaryOf, valueOf, type PrimaryMetric } from './metrics.ts';
import { holm } from './statistics/holm.ts';
import { bootstrapInterval, type Interval } from './statistics/location.ts';
import { normalQuantile } from './statistics/normal.ts';
import { signedRank } from './statistics/wilcoxon.ts';

export interface DecideOptions {
  /** The looks that were planned; the level is split over them. */
  looks: readonly number[];
  /** No more pairs will come. */
  isLast: boolean;
  /** Of the bootstrap, and how often it draws. */
  seed: number;
  resamples?: number;
  /** Between two looks: the times are left alone. */
  countsOnly?: boolean;
}

/** A pass must have been able to see growth of at most this many times the one that matters. */
const BLIND_FROM = 3;
/** How often the smallest effect would be found. */
const POWER = 0.95;

/**
 * Base, base again and head of all blocks so far to one verdict. Pure.
 *
 * - Counts and bytes gate hard (`decide-counts.ts`).
 * - A time is a *regression* when its one-sided signed-rank test against half of what matters is significant at this look's share of
 *   the level, adjusted for the primary metrics; the 95 % interval of its ratio excludes 1; and the ratio exceeds the growth that matters. All three: a
 *   significant trifle is no regression, and neither is a large ratio of three noisy blocks.
 * - It is *inconclusive* when base and base again, the same program, differ by more than half of what matters and their interval
 *   excludes 1; when a clock is part of it and other processes or a late generator disturbed the clocks; when the ratio looks
 *   too large and is not significant; or when the run could not have seen three times the growth that matters.
 */
export function decide(triples: readonly Triple[], options: DecideOptions): Decision {
  const level = levelOf(options.looks);
  const counts = judgeCounts(triples, options.isLast, options.countsOnly === true ? undefined : level);
  const noise = disturbance(triples);
  const primary = triples.length > 0 && options.countsOnly !== true ? primaryOf(triples) : [];
  const tested = primary.map((metric, at) => test(metric, triples, { ...options, seed: options.seed + at }));
  const adjusted = holm(tested.map(({ p }) => p));
  const metrics = tested.map((one, at) =>
    judge(one, {
      p: adjusted[at] ?? 1,
      level,
      primary: tested.length,
      pairs: triples.length,
      noise: one.metric.clock ? noise : undefined,
    }),
  );
  const verdict = verdictOf(metrics, counts);
  return {
    verdict,
    words: wordsOf(verdict, metrics, counts, triples.length),
    clear: verdict === 'regression' || (verdict === 'pass' && metrics.every(isClearlyFine)),
    metrics,
    counts,
    notes: noise === undefined ? [] : [`noisy machine: ${noise}`],
  };
}

interface Tested {
  metric: PrimaryMetric;
  base: number;
  now: number;
  p: number;
  ratio: Interval;
  control: Interval;
}

/** Head's block against the mean of the two of base, by logarithms: a quarter less variance than against one of them. */
export const logRatio = (triple: Triple, of: (figures: BlockFigures) => number): number =>
  Math.log(of(triple.b)) - (Math.log(of(triple.a)) + Math.log(of(triple.again))) / 2;

/**
 * Two processes of one program differ for as long as they live, by memory layout and the order in which code was compiled (Kalibera and
 * Jones, 2013): up to 2 % here. Growth is tested against half of what matters, so that no number of pairs makes that significant.
 */
const innocent = (metric: PrimaryMetric): number => Math.log1p(metric.matters / 2);

function test(metric: PrimaryMetric, triples: readonly Triple[], options: DecideOptions): Tested {
  const { seed, resamples } = options;
  const of = (figures: BlockFigures): number => valueOf(figures, metric);
  const ratios = triples.map((triple) => logRatio(triple, of));
  return {
    metric,
    base: median(triples.flatMap(({ a, again }) => [of(a), of(again)])),
    now: median(triples.map(({ b }) => of(b))),
    p: signedRank(ratios.map((ratio) => ratio - innocent(metric))).p,
    ratio: bootstrapInterval(ratios, seed, resamples),
    control: bootstrapInterval(
      triples.map(({ a, again }) => Math.log(of(again)) - Math.log(of(a))),
      seed,
      resamples,
    ),
  };
}

interface Circumstances {
  p: number;
  level: number;
  /** How many metrics share the level. */
  primary: number;
  pairs: number;
  noise: string | undefined;
}

function judge({ metric, base, now, ratio, control }: Tested, given: Circumstances): MetricDecision {
  const smallest = smallestEffect(metric, ratio.standardError, given);
  const { verdict, why } = opinion(metric, { ratio, control, smallest }, given);
  return {
    metric: metric.metric,
    name: metric.name,
    unit: 'ms',
    base,
    now,
    ...exponentials(ratio),
    limit: metric.matters,
    p: given.p,
    smallest,
    control: exponentials(control),
    verdict,
    why,
  };
}

const exponentials = ({ estimate, low, high }: Interval): { ratio: number; low: number; high: number } => ({
  ratio: Math.exp(estimate),
  low: Math.exp(low),
  high: Math.exp(high),
});

/**
 * Growth that the rule would have found in 95 of 100 runs with this run's noise: far enough above what matters for the estimate to
 * exceed it, and far enough above half of it for the test at its strictest, alone significant among the primary metrics. Normal approximation.
 */
function smallestEffect(
  metric: PrimaryMetric,
  standardError: number,
  { level, primary, pairs }: Circumstances,
): number | null {
  const strictest = level / primary;
  if (2 ** -pairs > strictest || !Number.isFinite(standardError)) return null;
  const spare = normalQuantile(POWER) * standardError;
  const significant = innocent(metric) + normalQuantile(1 - strictest) * standardError;
  return Math.expm1(Math.max(Math.log1p(metric.matters), significant) + spare);
}

type Opinion = Pick<MetricDecision, 'verdict' | 'why'>;

function opinion(
  metric: PrimaryMetric,
  { ratio, control, smallest }: { ratio: Interval; control: Interval; smallest: number | null },
  { p, level, noise }: Circumstances,
): Opinion {
  const matters = Math.log1p(metric.matters);
  const inconclusive = (why: string): Opinion => ({ verdict: 'inconclusive', why });
  if (noise !== undefined) return inconclusive(noise);
  if (excludesOne(control) && Math.abs(control.estimate) > matters / 2)
    return inconclusive(`the same program differed from itself by ${percent(Math.expm1(control.estimate))}`);
  if (p <= level && ratio.low > 0 && ratio.estimate > matters)
    return { verdict: 'regression', why: `${percent(Math.expm1(ratio.estimate))}, p ${p.toPrecision(2)}` };
  if (ratio.estimate > matters)
    return inconclusive(`${percent(Math.expm1(ratio.estimate))} in the middle, which chance explains as well`);
  if (smallest === null) return inconclusive('too few pairs for any growth to be significant');
  if (smallest > BLIND_FROM * metric.matters)
    return inconclusive(`growth below ${percent(smallest)} could not have been seen`);
  return { verdict: 'pass', why: ratio.low > 0 ? 'less than what matters' : 'no growth seen' };
}

const excludesOne = ({ low, high }: Interval): boolean => low > 0 || high < 0;
/** The whole interval lies below what matters. */
const isClearlyFine = ({ high, limit, verdict }: MetricDecision): boolean => verdict === 'pass' && high < 1 + limit;

export const percent = (share: number): string => `${share > 0 ? '+' : ''}${(share * 100).toFixed(1)} %`;

/** What disturbed the clocks in most blocks, in words. */
export function disturbance(triples: readonly Triple[]): string | undefined {
  const blocks = blocksOf(triples);
  const middle = (values: readonly (number | null)[]): number | null => {
    const measured = values.filter((value) => value !== null);
    return measured.length > 0 ? median(measured) : null;
  };
  return describeNoise({
    foreignCpuShare: middle(blocks.map(({ foreignCpuShare }) => foreignCpuShare)),
    generatorLagP99Ms: middle(blocks.map(({ generatorLagP99Ms }) => generatorLagP99Ms)),
  });
}

function verdictOf(metrics: readonly MetricDecision[], counts: readonly CountDecision[]): CompareVerdict {
  const all = [...metrics, ...counts].map(({ verdict }) => verdict);
  if (all.includes('regression')) return 'regression';
  // A count that a side does not tell is said, and is no reason to doubt the others.
  return all.includes('inconclusive') || metrics.length === 0 ? 'inconclusive' : 'pass';
}

function wordsOf(
  verdict: CompareVerdict,
  metrics: readonly MetricDecision[],
  counts: readonly CountDecision[],
  pairs: number,
): string[] {
  const named = (wanted: CompareVerdict): string[] =>
    [...counts, ...metrics].filter((one) => one.verdict === wanted).map(({ name, why }) => `${name} (${why})`);
  if (verdict === 'regression')
    return [`Head is worse than base after ${pairs} pairs: ${named('regression').join('; ')}.`];
  if (verdict === 'inconclusive')
    return [`This run cannot tell after ${pairs} pairs: ${named('inconclusive').join('; ')}.`];
  const seen = metrics.map(({ name, smallest }) => `${name} ${smallest === null ? '–' : percent(smallest)}`);
  return [`Head is not worse than base after ${pairs} pairs. Growth that would have been found: ${seen.join(', ')}.`];
}
