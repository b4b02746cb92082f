import type { Sql } from '../database/client.ts';
import { withRetry } from './locks.ts';
import { createMicroBatcher } from './micro-batch.ts';
import type { Outcome } from './outcome.ts';
import { settle } from './settle.ts';

/** Rows a transaction: two orders faster than one by one, and small enough to stay below 50 ms. */
const MAX_ROWS = 32;
const MAX_WAIT_MS = 50;

/** Writes outcomes in batches. `add` resolves after the commit, with whether the outcome was current. */
export function createWriter(sql: Sql, options: { failurePauseRatio: number; now?: () => number }) {
  const { now = Date.now } = options;
  return createMicroBatcher<Outcome & { readyAt: number }, boolean>({
    maxItems: MAX_ROWS,
    maxWaitMs: MAX_WAIT_MS,
    run(items) {
      const startedAt = now();
      // what is stored is the wait until here; the commit itself is only in the histogram, it cannot contain its own time
      const outcomes = items.map(({ readyAt, ...outcome }): Outcome => {
        const save = { stage: 'save', startedAt: readyAt, durationMs: Math.max(0, startedAt - readyAt) };
        return { ...outcome, stages: [...outcome.stages, save] };
      });
      return withRetry(() => sql.begin((tx) => settle(tx, outcomes, options)));
    },
  });
}
