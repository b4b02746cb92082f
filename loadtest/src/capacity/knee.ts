import { MOST_WORKERS } from './question.ts';
import { fewest } from './rates.ts';

/**
 * The knee of a curve of rates: the most workers of which the last still adds at least half of what the first one did. Above it
 * money buys less than half of its worth. Infinity where none is found up to the most that is tried.
 */
export function kneeOf(rate: (count: number) => number): number {
  const half = rate(1) / 2;
  for (let count = 1; count < MOST_WORKERS; count++) if (rate(count + 1) - rate(count) < half) return count;
  return Infinity;
}

/** Fewest workers with the highest rate there is, and that rate; null where it grows on and on. */
export function topOf(rate: (count: number) => number): { workers: number; perSecond: number } | null {
  let best = 0;
  for (let count = 1; count <= MOST_WORKERS; count++) best = Math.max(best, rate(count));
  const workers = fewest(rate, best * (1 - 1e-9));
  return workers >= MOST_WORKERS ? null : { workers, perSecond: best };
}
