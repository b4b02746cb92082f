/** Bins of a doubling: each is 9 % wide, so that a percentile read from the middle of its bin is off by 4.5 % at most. */
export const PER_OCTAVE = 8;
/** Shorter than a microsecond is no measurement of a stage. */
export const LEAST_MS = 0.001;

/** Values by size as `[k, count]`, in order of k: from 2^(k/8) to 2^((k+1)/8) ms. Histograms of two runs are added bin by bin. */
export type LogHistogram = [k: number, count: number][];

export const binOf = (ms: number): number => Math.floor(Math.log2(Math.max(ms, LEAST_MS)) * PER_OCTAVE);

const inOrder = (counts: ReadonlyMap<number, number>): LogHistogram => [...counts].toSorted(([a], [b]) => a - b);

export function histogramOf(valuesMs: readonly number[]): LogHistogram {
  const counts = new Map<number, number>();
  for (const ms of valuesMs) counts.set(binOf(ms), (counts.get(binOf(ms)) ?? 0) + 1);
  return inOrder(counts);
}

export function addHistograms(histograms: readonly LogHistogram[]): LogHistogram {
  const counts = new Map<number, number>();
  for (const [k, count] of histograms.flat()) counts.set(k, (counts.get(k) ?? 0) + count);
  return inOrder(counts);
}

/** The q-quantile (0-1) by nearest rank, from the middle of its bin; NaN for no values. */
export function quantileOfHistogram(histogram: LogHistogram, q: number): number {
  const rank = Math.max(1, Math.ceil(q * histogram.reduce((sum, [, count]) => sum + count, 0)));
  let seen = 0;
  const [k] = histogram.find(([, count]) => (seen += count) >= rank) ?? [NaN];
  return 2 ** ((k + 0.5) / PER_OCTAVE);
}
