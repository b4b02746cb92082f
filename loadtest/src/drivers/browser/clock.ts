export interface ClockReading {
  sentAt: number;
  pageTime: number;
  receivedAt: number;
}

export const MAX_CLOCK_ERROR_MS = 20;

/**
 * Offset between the page's epoch clock and this process', ms (page minus here), from the round trip that was fastest: its
 * error is at most half of that trip (Cristian 1989, "Probabilistic clock synchronization").
 * @throws Error when offset or error exceed 20 ms: settle times would mean nothing.
 */
export function clockOffset(readings: readonly ClockReading[]): { offsetMs: number; errorMs: number } {
  const best = readings.toSorted((a, b) => a.receivedAt - a.sentAt - (b.receivedAt - b.sentAt))[0];
  if (!best) throw new Error('clock: no reading');
  const errorMs = (best.receivedAt - best.sentAt) / 2;
  const offsetMs = best.pageTime - (best.sentAt + best.receivedAt) / 2;
  if (Math.abs(offsetMs) > MAX_CLOCK_ERROR_MS || errorMs > MAX_CLOCK_ERROR_MS)
    throw new Error(
      `clock: the page is ${offsetMs.toFixed(1)} ms off, known to ${errorMs.toFixed(1)} ms; at most ${MAX_CLOCK_ERROR_MS} allowed`,
    );
  return { offsetMs, errorMs };
}
