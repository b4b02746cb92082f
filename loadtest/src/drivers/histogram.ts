import { build, type Histogram } from 'hdr-histogram-js';

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
          },
        ]),
      );
    },
  };
}
export type Latencies = ReturnType<typeof createLatencies>;
