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
 * The second that is still running does not count, it would read as a slow one; nor does the one in which the first image of the window
 * ended, for it began before that, unless no other came since.
 * @param samples of one batch, any order @param remaining images not finished yet @param nowMs epoch milliseconds
 * @returns `eta` null while nothing is known (less than a whole second of history) or nothing is left
 */
export function estimateProgress(samples: readonly ProgressSample[], remaining: number, nowMs: number): Progress {
  const now = Math.floor(nowMs / 1000);
  const first = Math.max(now - RATE_WINDOW_SECONDS - 1, Math.min(...samples.map((s) => s.second)));
  if (first >= now - 1) return { imagesPerSecond: 0, eta: null };
  const later = samples.filter((s) => s.second > first && s.second < now);
  const recent = later.length > 0 ? later : samples.filter((s) => s.second === first);
  const seconds = now - first - (later.length > 0 ? 1 : 0);
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
