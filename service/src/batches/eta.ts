import type { Eta } from '../contract/batches.ts';

/** Images finished in one second of the clock; seconds without any are left out. */
export interface ProgressSample {
  second: number;
  done: number;
}
export interface Progress {
  imagesPerSecond: number;
  eta: Eta | null;
}

/** Long enough to smooth a batch of rows per commit, short enough to follow a worker that came or went. */
export const RATE_WINDOW_SECONDS = 30;
const Z95 = 1.96;
const round = (value: number, digits: number) => Number(value.toFixed(digits));

/**
 * Rate over the last 30 s and the time left at that rate. `low` and `high` follow from a 95 % interval of the mean of the
 * per-second counts (normal approximation, the spread at least that of a Poisson count); the slow end is never below a tenth of the mean.
 * The second that is still running does not count, it would read as a slow one.
 * @param samples of one batch, any order @param remaining images not finished yet @param nowMs epoch milliseconds
 * @returns `eta` null while nothing is known (less than a second of history) or nothing is left
 */
export function estimateProgress(samples: readonly ProgressSample[], remaining: number, nowMs: number): Progress {
  const now = Math.floor(nowMs / 1000);
  const recent = samples.filter((s) => s.second < now && s.second >= now - RATE_WINDOW_SECONDS);
  if (recent.length === 0) return { imagesPerSecond: 0, eta: null };
  // a batch younger than the window is judged over its own life
  const seconds = now - Math.min(...recent.map((s) => s.second));
  const done = recent.reduce((sum, s) => sum + s.done, 0);
  const mean = done / seconds;
  const imagesPerSecond = round(mean, 2);
  if (remaining <= 0 || mean <= 0) return { imagesPerSecond, eta: null };
  const squares = recent.reduce((sum, s) => sum + (s.done - mean) ** 2, 0) + (seconds - recent.length) * mean ** 2;
  const variance = Math.max(seconds > 1 ? squares / (seconds - 1) : 0, mean);
  const margin = Z95 * Math.sqrt(variance / seconds);
  return {
    imagesPerSecond,
    eta: {
      seconds: round(remaining / mean, 1),
      low: round(remaining / (mean + margin), 1),
      high: round(remaining / Math.max(mean - margin, mean / 10), 1),
    },
  };
}
