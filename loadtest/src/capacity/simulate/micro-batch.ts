import type { Schedule } from './schedule.ts';

/**
 * `service/src/batches/micro-batch.ts` on a virtual clock: runs of at most `maxItems`, begun when full or when the first has waited,
 * one at a time; each item asks anew how long is worth it now.
 */
export function createVirtualMicroBatch<T>(
  schedule: Schedule,
  options: { maxItems: number; maxWaitMs: () => number; run: (items: T[], done: () => void) => void },
): { add(item: T): void } {
  let waiting: T[] = [];
  let running = false;
  let dueAt = Infinity;
  let timer = 0;

  function start(): void {
    timer++;
    dueAt = Infinity;
    if (running || waiting.length === 0) return;
    running = true;
    const items = waiting.slice(0, options.maxItems);
    waiting = waiting.slice(options.maxItems);
    options.run(items, () => {
      running = false;
      arm();
    });
  }
  function arm(): void {
    if (waiting.length >= options.maxItems) return start();
    if (waiting.length === 0) return;
    const waitMs = options.maxWaitMs();
    if (schedule.now() + waitMs >= dueAt) return;
    dueAt = schedule.now() + waitMs;
    const own = ++timer;
    schedule.after(waitMs, () => {
      if (own === timer) start();
    });
  }
  return {
    add(item) {
      waiting.push(item);
      if (!running) arm();
    },
  };
}
