import { createLatencies, decodedOf, type EncodedHistogram } from '../drivers/histogram.ts';
import { quantileOfBuckets, type Bucket } from './prometheus.ts';
import { quantile } from './statistics.ts';

/** All that a percentile was read from, kept so that of several runs the values are merged: percentiles are never averaged. */
export type Percentile = {
  /** 0-1. */
  q: number;
  /** The figure is this percentile by that one. */
  over?: Percentile;
} & (
  | { hdr: EncodedHistogram }
  /** Values up to an edge, those below it included, ms; the last edge is null: JSON has no Infinity. */
  | { buckets: [edgeMs: number | null, count: number][] }
);

/** A figure in ms, or a ratio, and what it was read from. */
interface Read {
  actual: number;
  percentile: Percentile;
}

/** Of values in ms: the percentile, exact, and what it was read from. */
export function percentileOf(valuesMs: readonly number[], q: number): Read | null {
  if (valuesMs.length === 0) return null;
  const latencies = createLatencies();
  for (const ms of valuesMs) latencies.record('all', ms);
  return { actual: quantile(valuesMs, q), percentile: { q, hdr: latencies.encoded('all')! } };
}

/** Of counts up to an edge, ms, those below it included: the percentile, linear inside a bucket, and what it was read from. */
export function percentileOfBuckets(buckets: readonly Bucket[], q: number): Read | null {
  const actual = quantileOfBuckets(buckets, q);
  if (actual === null) return null;
  return {
    actual,
    percentile: { q, buckets: buckets.map(([edge, count]) => [edge === Infinity ? null : edge, count]) },
  };
}

/** The same percentile of all values of several runs together; null where one of them kept none, or where it cannot be read. */
export function mergePercentiles(parts: readonly (Percentile | undefined)[]): Read | null {
  const [first] = parts;
  const whole = parts.filter((part) => part !== undefined);
  if (first === undefined || whole.length < parts.length) return null;
  const merged = 'hdr' in first ? mergeHdr(whole) : mergeBuckets(whole);
  if (merged === null || first.over === undefined) return merged;
  const over = mergePercentiles(whole.map((part) => part.over));
  if (over === null || over.actual === 0) return null;
  return { actual: merged.actual / over.actual, percentile: { ...merged.percentile, over: over.percentile } };
}

function mergeHdr(parts: readonly Percentile[]): Read | null {
  const encoded = parts.flatMap((part) => ('hdr' in part ? part.hdr : []));
  if (encoded.length < parts.length) return null;
  const { q } = parts[0]!;
  const all = decodedOf(encoded);
  return { actual: all.quantile(q), percentile: { q, hdr: all.encoded() } };
}

function mergeBuckets(parts: readonly Percentile[]): Read | null {
  const all = parts.flatMap((part) => ('buckets' in part ? [part.buckets] : []));
  if (all.length < parts.length) return null;
  return percentileOfBuckets(
    [...Map.groupBy(all.flat(), ([edge]) => edge)].map(([edge, same]): Bucket => [
      edge ?? Infinity,
      same.reduce((sum, [, count]) => sum + count, 0),
    ]),
    parts[0]!.q,
  );
}
