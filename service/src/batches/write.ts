import type { Sql } from '../database/client.ts';
import { withRetry } from './locks.ts';
import { createMicroBatcher } from './micro-batch.ts';
import type { Outcome } from './outcome.ts';
import { settle } from './settle.ts';

/** Rows a transaction: two orders faster than one by one, and small enough to stay below 50 ms. */
const MAX_ROWS = 32;
/** While a worker has more images to run than it needs until new ones come: a transaction costs as much as ten rows in it. */
const MAX_WAIT_MS = 250;
/** When it is about to run out, or to end: for what comes at the same moment. */
const MIN_WAIT_MS = 5;

/**
 * Writes outcomes in batches. `add` resolves after the commit, with whether the outcome was current.
 * @param options.hasWork whether images enough wait to be run; an outcome then may wait for company, and else must not
 * @param options.onWrite hears of each transaction
 */
export function createWriter(
  sql: Sql,
  options: { failurePauseRatio: number; hasWork?: () => boolean; onWrite?: () => void; now?: () => number },
) {
  const { now = Date.now, hasWork = () => false, onWrite } = options;
  return createMicroBatcher<Outcome & { readyAt: number }, boolean>({
    maxItems: MAX_ROWS,
    maxWaitMs: () => (hasWork() ? MAX_WAIT_MS : MIN_WAIT_MS),
    run(items) {
      onWrite?.();
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
