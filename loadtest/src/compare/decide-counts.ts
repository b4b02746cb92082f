import { median } from '../measure/statistics.ts';
import type { CountDecision, Triple } from './contract.ts';
import { hodgesLehmann } from './statistics/location.ts';
import { signedRank } from './statistics/wilcoxon.ts';
import { COUNTS, type CountMetric } from './metrics.ts';

/** After so many pairs a count is judged: all of 5 above all of 10 by chance is 1 in 3,003. */
export const COUNT_PAIRS = 5;

/**
 * Counts and bytes gate without a test of significance, and as soon as five pairs are there: head's median is above the limit, and each
 * of its blocks above each of base's. Before that they are open, and what looks so at the end of a shorter run is inconclusive: one pair
 * looks so by chance in 1 of 3. What never happens by chance, such as an event that came twice, needs one block.
 *
 * On a busy machine the queries of equal blocks overlap those of a program that asks one more. So what has a spread is tested at the looks
 * too, by pairs: significant at the look's level, and its middle above what is tolerated.
 */
export function judgeCounts(triples: readonly Triple[], isLast: boolean, level?: number): CountDecision[] {
  return COUNTS.map((metric) => judgeOne(metric, triples, { isDue: triples.length >= COUNT_PAIRS || isLast, level }));
}

interface Due {
  isDue: boolean;
  level: number | undefined;
}

function judgeOne(metric: CountMetric, triples: readonly Triple[], { isDue, level }: Due): CountDecision {
  const { name, unit } = metric;
  const bases = triples
    .flatMap(({ a, again }) => [a[metric.metric], again[metric.metric]])
    .filter((one) => one !== null);
  const heads = triples.map(({ b }) => b[metric.metric]).filter((one) => one !== null);
  const row = { metric: metric.metric, name, unit };
  if (bases.length === 0 || heads.length === 0) {
    const silent = bases.length === 0 ? 'base' : 'head';
    return { ...row, base: null, now: null, limit: null, verdict: 'not-run', why: `${silent} does not tell` };
  }
  const [base, now] = metric.any ? [Math.max(...bases), Math.max(...heads)] : [median(bases), median(heads)];
  const limit = metric.limit(base);
  const above = isDue && now > limit && Math.min(...heads) > Math.max(...bases);
  const isSure = metric.any === true ? now > limit : above && triples.length >= COUNT_PAIRS;
  if (isSure || (level !== undefined && hasGrown(metric, triples, level)))
    return { ...row, base, now, limit, verdict: 'regression', why: metric.why };
  if (above) return { ...row, base, now, limit, verdict: 'inconclusive', why: `fewer than ${COUNT_PAIRS} pairs` };
  return { ...row, base, now, limit, verdict: 'pass', why: '' };
}

function hasGrown(metric: CountMetric, triples: readonly Triple[], level: number): boolean {
  if (metric.spread === undefined) return false;
  const differences = triples.flatMap(({ a, again, b }) => {
    const [first, second, head] = [a[metric.metric], again[metric.metric], b[metric.metric]];
    return first === null || second === null || head === null ? [] : [head - (first + second) / 2];
  });
  return hodgesLehmann(differences) > metric.spread && signedRank(differences).p <= level;
}
