import { createRandom } from '../../images/random.ts';
import { normalBelow, normalQuantile } from './normal.ts';

/**
 * Where paired log ratios lie: the median of the means of all pairs of them (Hodges and Lehmann, Annals of Mathematical Statistics
 * 34, 1963). It is the estimate that belongs to the signed-rank test, bears outliers as a median does, and needs two thirds of its
 * pairs for the same width where nothing is wrong. NaN for no values.
 */
export function hodgesLehmann(values: readonly number[]): number {
  const n = values.length;
  const means = new Float64Array((n * (n + 1)) / 2);
  let at = 0;
  for (let i = 0; i < n; i++) for (let j = i; j < n; j++) means[at++] = ((values[i] ?? 0) + (values[j] ?? 0)) / 2;
  if (means.length === 0) return NaN;
  const middle = means.length >> 1;
  const upper = smallest(means, middle);
  if (means.length % 2 === 1) return upper;
  // What is left of the middle is below it by now: the largest of that is its neighbour.
  return (upper + means.subarray(0, middle).reduce((most, value) => Math.max(most, value), -Infinity)) / 2;
}

/** The value that would stand at `rank` if `values` were sorted, which are moved about it (Hoare, Communications of the ACM 4, 1961). */
function smallest(values: Float64Array, rank: number): number {
  let [from, to] = [0, values.length - 1];
  while (from < to) {
    const pivot = values[(from + to) >> 1]!;
    let [low, high] = [from, to];
    while (low <= high) {
      while (values[low]! < pivot) low++;
      while (values[high]! > pivot) high--;
      if (low <= high) {
        const swapped = values[low]!;
        values[low++] = values[high]!;
        values[high--] = swapped;
      }
    }
    if (rank <= high) to = high;
    else if (rank >= low) from = low;
    else break;
  }
  return values[rank]!;
}

export interface Interval {
  estimate: number;
  low: number;
  high: number;
  /** Standard deviation of the estimate over the resamples. */
  standardError: number;
}

export const RESAMPLES = 2000;
/** Share of an interval, two-sided. */
const CONFIDENCE = 0.95;

/**
 * The estimate with its bootstrap interval: bias-corrected and accelerated (Efron, Journal of the American Statistical Association 82,
 * 1987), the acceleration from the jackknife. The same seed gives the same interval. NaN throughout for fewer than two values.
 */
export function bootstrapInterval(values: readonly number[], seed: number, resamples = RESAMPLES): Interval {
  const estimate = hodgesLehmann(values);
  if (values.length < 2) return { estimate, low: NaN, high: NaN, standardError: NaN };
  const random = createRandom(seed, values.length);
  const found = new Float64Array(resamples);
  for (let resample = 0; resample < resamples; resample++)
    found[resample] = hodgesLehmann(values.map(() => values[Math.floor(random() * values.length)] ?? 0));
  found.sort();
  const bias = normalQuantile(shareBelow(found, estimate));
  const acceleration = accelerationOf(values);
  const at = (p: number): number => {
    const z = bias + normalQuantile(p);
    const share = normalBelow(bias + z / (1 - acceleration * z));
    return found[Math.min(resamples - 1, Math.max(0, Math.round(share * (resamples - 1))))] ?? NaN;
  };
  const outside = (1 - CONFIDENCE) / 2;
  return { estimate, low: at(outside), high: at(1 - outside), standardError: deviation(found) };
}

/** Share of the resamples below the estimate; those equal to it count half. Never 0 or 1. */
function shareBelow(sorted: Float64Array, estimate: number): number {
  const below = sorted.reduce((sum, value) => sum + (value < estimate ? 1 : value === estimate ? 0.5 : 0), 0);
  return Math.min(sorted.length - 1, Math.max(1, below)) / sorted.length;
}

function accelerationOf(values: readonly number[]): number {
  const without = values.map((_, left) => hodgesLehmann(values.filter((_value, at) => at !== left)));
  const centre = without.reduce((sum, value) => sum + value, 0) / without.length;
  const cubes = without.reduce((sum, value) => sum + (centre - value) ** 3, 0);
  const squares = without.reduce((sum, value) => sum + (centre - value) ** 2, 0);
  return squares === 0 ? 0 : cubes / (6 * squares ** 1.5);
}

function deviation(values: Float64Array): number {
  const centre = values.reduce((sum, value) => sum + value, 0) / values.length;
  return Math.sqrt(values.reduce((sum, value) => sum + (value - centre) ** 2, 0) / (values.length - 1));
}
