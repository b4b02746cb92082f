/**
 * Work that a worker holds beyond what runs: enough to hide the way from the queue and to write and claim it in groups, too little
 * to keep others idle at the end.
 */
const AHEAD_MS = 400;
/** Weight of the latest execution. */
const WEIGHT = 0.1;

/**
 * How many images a worker takes from the queue: what it can run at once, and behind that as much as it executes within AHEAD_MS.
 * A slow worker so holds few, and a fast one is not left idle while images wait at another.
 * @param options.slots images that run at once @param options.most of each slot, `WORKER_CONCURRENCY`
 */
export function createAhead({ slots, most }: { slots: number; most: number }) {
  let executionMs: number | null = null;
  return {
    /** @param ms wall clock of an execution */
    observe(ms: number): void {
      executionMs = executionMs === null ? ms : executionMs + WEIGHT * (ms - executionMs);
    },
    limit(): number {
      const behind = executionMs === null ? 1 : Math.ceil(AHEAD_MS / Math.max(1, executionMs));
      return slots * Math.max(1, Math.min(most, 1 + behind));
    },
  };
}
