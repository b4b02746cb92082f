/**
 * The last minute, exactly: a ring of single observations, so that rates and percentiles come from what happened and not from
 * averages of averages. When more than `capacity` observations fall into a minute, the window shortens to what the ring holds.
 */
export interface WindowReading {
  count: number;
  perMinute: number;
  meanMs: number;
  errorRate: number;
  percentiles: { p50: number; p95: number; p99: number };
  byLabel: { label: string; count: number; meanMs: number; errorRate: number }[];
}

export interface Window {
  record(durationMs: number, failed: boolean, label: string): void;
  read(): WindowReading;
}

const WINDOW_MS = 60_000;

/** @param now milliseconds; injected for tests. */
export function createWindow(capacity = 32_768, now: () => number = Date.now): Window {
  const at = new Float64Array(capacity);
  const durations = new Float32Array(capacity);
  const failures = new Uint8Array(capacity);
  const labels = new Uint16Array(capacity);
  const names: string[] = [];
  const numbers = new Map<string, number>();
  const startedAt = now();
  let written = 0;

  const numberOf = (label: string) => {
    const known = numbers.get(label);
    if (known !== undefined) return known;
    numbers.set(label, names.length);
    return names.push(label) - 1;
  };

  return {
    record(durationMs, failed, label) {
      const slot = written++ % capacity;
      at[slot] = now();
      durations[slot] = durationMs;
      failures[slot] = failed ? 1 : 0;
      labels[slot] = numberOf(label);
    },
    read() {
      const time = now();
      const sums = new Map<number, { count: number; sum: number; failed: number }>();
      const inside: number[] = [];
      let oldest = time;
      for (let index = Math.max(0, written - capacity); index < written; index++) {
        const slot = index % capacity;
        if (at[slot]! < time - WINDOW_MS) continue;
        oldest = Math.min(oldest, at[slot]!);
        inside.push(durations[slot]!);
        const sum = sums.get(labels[slot]!) ?? { count: 0, sum: 0, failed: 0 };
        sum.count++;
        sum.sum += durations[slot]!;
        sum.failed += failures[slot]!;
        sums.set(labels[slot]!, sum);
      }
      const full = written > capacity && oldest > time - WINDOW_MS;
      const spanMs = Math.max(1000, full ? time - oldest : Math.min(WINDOW_MS, time - startedAt));
      const all = [...sums.values()];
      const total = all.reduce((sum, entry) => sum + entry.sum, 0);
      const failed = all.reduce((sum, entry) => sum + entry.failed, 0);
      const sorted = Float64Array.from(inside).sort();
      return {
        count: inside.length,
        perMinute: (inside.length * 60_000) / spanMs,
        meanMs: inside.length === 0 ? 0 : total / inside.length,
        errorRate: inside.length === 0 ? 0 : failed / inside.length,
        percentiles: { p50: percentile(sorted, 0.5), p95: percentile(sorted, 0.95), p99: percentile(sorted, 0.99) },
        byLabel: [...sums].map(([label, entry]) => ({
          label: names[label] ?? '',
          count: entry.count,
          meanMs: entry.sum / entry.count,
          errorRate: entry.failed / entry.count,
        })),
      };
    },
  };
}

/** Nearest rank on ascending values; 0 for none. */
export function percentile(sorted: ArrayLike<number>, quantile: number): number {
  if (sorted.length === 0) return 0;
  return sorted[Math.max(0, Math.ceil(quantile * sorted.length) - 1)] ?? 0;
}
