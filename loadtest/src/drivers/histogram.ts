import { build, decodeFromCompressedBase64, encodeIntoCompressedBase64, type Histogram } from 'hdr-histogram-js';

/** An HDR histogram of microseconds in its own format: V2, compressed, base64; a kilobyte or two. */
export type EncodedHistogram = string;

/** The values of all of them together, of at least one. */
export function decodedOf(encoded: readonly EncodedHistogram[]) {
  const [first, ...more] = encoded.map((text) => decodeFromCompressedBase64(text));
  if (first === undefined) throw new RangeError('no histogram to read');
  for (const one of more) first.add(one);
  return {
    /** Milliseconds. */
    quantile: (q: number): number => first.getValueAtPercentile(q * 100) / 1000,
    encoded: (): EncodedHistogram => encodeIntoCompressedBase64(first),
  };
}

/** Latencies by name in HDR histograms of microseconds: merged by adding counts, percentiles never averaged. */
export function createLatencies() {
  const byName = new Map<string, Histogram>();
  return {
    record(name: string, durationMs: number): void {
      let histogram = byName.get(name);
      if (!histogram) {
        histogram = build({
          lowestDiscernibleValue: 1,
          highestTrackableValue: 600e6,
          numberOfSignificantValueDigits: 3,
        });
        byName.set(name, histogram);
      }
      histogram.recordValue(Math.max(1, Math.round(durationMs * 1000)));
    },
    /** Milliseconds; null when nothing was recorded under this name. */
    quantile(name: string, q: number): number | null {
      const histogram = byName.get(name);
      return histogram ? histogram.getValueAtPercentile(q * 100) / 1000 : null;
    },
    /** Milliseconds that all values of this name come to. */
    sum(name: string): number {
      const histogram = byName.get(name);
      return histogram ? (histogram.mean * histogram.totalCount) / 1000 : 0;
    },
    /** All values recorded under this name, to be kept. */
    encoded(name: string): EncodedHistogram | undefined {
      const histogram = byName.get(name);
      return histogram && encodeIntoCompressedBase64(histogram);
    },
    summary() {
      return Object.fromEntries(
        [...byName].map(([name, histogram]) => [
          name,
          {
            count: histogram.totalCount,
            meanMs: histogram.mean / 1000,
            p50Ms: histogram.getValueAtPercentile(50) / 1000,
            p95Ms: histogram.getValueAtPercentile(95) / 1000,
            p99Ms: histogram.getValueAtPercentile(99) / 1000,
            maxMs: histogram.maxValue / 1000,
            hdr: encodeIntoCompressedBase64(histogram),
          },
        ]),
      );
    },
  };
}
export type Latencies = ReturnType<typeof createLatencies>;
