import { mean, median, quantileOfSorted } from '../measure/statistics.ts';

export type Point = readonly [x: number, y: number];
export interface Slope {
  /** Of y for one x: the median of the slopes of all pairs. */
  slope: number;
  /** Its 95 % interval. */
  low: number;
  high: number;
  points: number;
}

/** Enough for the interval to mean something. */
export const LEAST_POINTS = 10;
/** Pairs grow with the square: a longer series is thinned out evenly. */
const MOST_POINTS = 400;
const Z95 = 1.959964;
const MOST_CORRELATED = 0.95;

/** Correlation of neighbours in a series; 0 for one that does not vary. */
function neighbours(values: readonly number[]): number {
  const centre = mean(values);
  const off = values.map((value) => value - centre);
  const variance = off.reduce((sum, value) => sum + value * value, 0);
  if (variance === 0) return 0;
  return off.slice(1).reduce((sum, value, at) => sum + value * off[at]!, 0) / variance;
}

/**
 * The Theil-Sen slope: half of the points may be garbage (a collection, a spike) and it stays where it is. The interval is Sen's
 * (Journal of the American Statistical Association 63, 1968), from Kendall's variance, which takes points for independent. Samples of
 * memory are not: a heap fills for minutes and is emptied at once. So the variance grows by (1 + r) / (1 - r) for the correlation r
 * of neighbouring residuals (Yue and Wang, Water Resources Management 18, 2004).
 * @returns null for fewer than ten points
 */
export function theilSen(given: readonly Point[]): Slope | null {
  if (given.length < LEAST_POINTS) return null;
  const step = Math.max(1, Math.ceil(given.length / MOST_POINTS));
  const points = given.filter((_, at) => at % step === 0);
  const n = points.length;
  const slopes: number[] = [];
  for (let i = 0; i < n; i++)
    for (let j = i + 1; j < n; j++) {
      const dx = points[j]![0] - points[i]![0];
      if (dx !== 0) slopes.push((points[j]![1] - points[i]![1]) / dx);
    }
  if (slopes.length === 0) return null;
  slopes.sort((a, b) => a - b);
  const slope = quantileOfSorted(slopes, 0.5);
  const r = Math.min(MOST_CORRELATED, Math.max(0, neighbours(points.map(([x, y]) => y - slope * x))));
  const spread = Z95 * Math.sqrt(((n * (n - 1) * (2 * n + 5)) / 18) * ((1 + r) / (1 - r)));
  const at = (rank: number) => slopes[Math.min(slopes.length - 1, Math.max(0, Math.round(rank)))]!;
  return {
    slope,
    low: at((slopes.length - spread) / 2),
    high: at((slopes.length + spread) / 2),
    points: n,
  };
}

/** Medians of `blocks` equal stretches of x: what a sawtooth (garbage collection, batch after batch) comes to. */
export function blockMedians(points: readonly Point[], blocks: number): Point[] {
  const [first] = points;
  const last = points.at(-1);
  if (!first || !last || last[0] <= first[0]) return [];
  const width = (last[0] - first[0]) / blocks;
  const groups = Map.groupBy(points, ([x]) => Math.min(blocks - 1, Math.floor((x - first[0]) / width)));
  return [...groups]
    .toSorted(([a], [b]) => a - b)
    .map(([, group]): Point => [median(group.map(([x]) => x)), median(group.map(([, y]) => y))]);
}

/** Blocks of a soak: enough points for a slope, each long enough for several collections. */
const BLOCKS = 24;

/** Growth of a series after its warm-up, per x. `warmShare`: the share of the time that is left out. */
export function growthOf(points: readonly Point[], warmShare: number): Slope | null {
  const [first] = points;
  const last = points.at(-1);
  if (!first || !last) return null;
  const from = first[0] + (last[0] - first[0]) * warmShare;
  return theilSen(
    blockMedians(
      points.filter(([x]) => x >= from),
      BLOCKS,
    ),
  );
}

/** Flat: the interval of the slope holds 0, or less. */
export const isFlat = ({ low }: Slope): boolean => low <= 0;
