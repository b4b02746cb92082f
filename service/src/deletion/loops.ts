import { startLoop, type Loop } from '../batches/loop.ts';
import { sumCounts } from '../database/sum-counts.ts';
import { collectBytes, type CollectDeps } from './collect.ts';
import { purgeStep } from './purge.ts';
import { createSweep } from './sweep.ts';

const PURGE_POLL_MS = 1_000;
const COLLECT_POLL_MS = 5_000;
const SUM_POLL_MS = 5_000;
const SWEEP_STEP_MS = 1_000;
const SWEEP_PAUSE_MS = 3_600_000;

/** What removes in the background what nobody can reach any more. One process at a time needs to run it. */
export function startDeletion(
  deps: CollectDeps & { onError(what: string): (error: unknown) => void; log(message: string): void },
): Loop[] {
  const sweep = createSweep(deps);
  let restUntil = 0;
  return [
    startLoop({ everyMs: PURGE_POLL_MS, step: () => purgeStep(deps), onError: deps.onError('deletion of projects') }),
    startLoop({
      everyMs: COLLECT_POLL_MS,
      async step() {
        const { removed, more } = await collectBytes(deps);
        if (removed > 0) deps.log(`removed the bytes and results of ${removed} files that no image has any more`);
        return more;
      },
      onError: deps.onError('collection of bytes'),
    }),
    startLoop({ everyMs: SUM_POLL_MS, step: () => sumCounts(deps.sql), onError: deps.onError('counts of images') }),
    startLoop({
      everyMs: SWEEP_STEP_MS,
      async step() {
        if (performance.now() < restUntil) return;
        const { removed, over } = await sweep.step();
        if (removed > 0) deps.log(`removed ${removed} files that no row leads to`);
        if (over) restUntil = performance.now() + SWEEP_PAUSE_MS;
      },
      onError: deps.onError('sweep of files'),
    }),
  ];
}
