import { createBatcher, type Batch, type BatcherOptions } from '../batcher/batcher.ts';
import type { Entry, Shape } from '../batcher/bucket.ts';
import type { RejectReason } from '../batcher/tally.ts';
import type { Cost, InferenceBackend, InferenceOutput, PoolHealth } from './backend.ts';
import { InferenceFailure } from './backend.ts';
import { bytesOf, measuredCosts, msOf, type Costs } from './cost.ts';
import { closedFailure, type Executor } from './executor.ts';
import { createTask, type Task } from './task.ts';

export interface PoolOptions extends Omit<BatcherOptions, 'predictMs' | 'mostAtOnce'> {
  /** Longest execution of one tile (most images have one). */
  timeoutMs: number;
  /** An image that waits longer for a worker is given up. */
  queueTimeoutMs: number;
  /** Most memory of one worker. */
  memoryBytes: number;
  /** What an execution takes, where it is known before anything is measured. */
  time?: Cost;
}

export const POOL_DEFAULTS = {
  maxBatch: 1,
  maxDelayMs: 0,
  maxQueue: 10_000,
  padTo: 16,
  ageingMs: 5_000,
  queueTimeoutMs: 600_000,
  memoryBytes: 3e9,
} as const;
/** How often one image may run out of memory and be tried again: among half as many, then alone in a new process. */
const MEMORY_TRIES = 2;
const LONGEST_TIMER_MS = 2 ** 31 - 1;
const WHY_REFUSED: Readonly<Record<RejectReason, (task: Task) => InferenceFailure>> = {
  'queue-full': () => new InferenceFailure('TIMEOUT', 'the inference queue is full'),
  expired: () => new InferenceFailure('TIMEOUT', 'its time was over before it could wait'),
  'too-large': ({ width, height }) =>
    new InferenceFailure('OUT_OF_MEMORY', `an image of ${width}x${height} does not fit into the memory of a worker`),
  closed: () => closedFailure(),
};

/**
 * The batcher with a clock and workers: gives each idle worker the next batch that is due, finds the image that spoils its batch by
 * running all of it alone, goes easier on memory when that was short, and gives up what waits too long, whatever the workers do.
 */
export function createPool(executors: readonly Executor[], options: PoolOptions) {
  const { timeoutMs, queueTimeoutMs, memoryBytes } = options;
  if (executors.length < 1) throw new RangeError(`workers is ${executors.length}, expected an integer from 1`);
  let costs: Costs = { time: options.time ?? null, memory: null };
  const batcher = createBatcher<Task>({
    ...options,
    predictMs: (count, shape) => msOf(costs.time, count, shape),
    mostAtOnce: (shape) => mostAtOnce(shape),
  });
  const totals = { outstanding: 0, completed: 0, failed: 0 };
  const now = () => performance.now();
  let accepting = true;
  let closing = false;
  let waiters: (() => void)[] = [];
  let alarm: { at: number; timer: NodeJS.Timeout } | null = null;

  function mostAtOnce(shape: Shape): number {
    if (costs.memory === null) return options.maxBatch;
    let count = options.maxBatch;
    while (count > 0 && bytesOf(costs.memory, count, shape) > memoryBytes) count--;
    return count;
  }
  function changed(): void {
    dispatch();
    const due = waiters;
    waiters = [];
    for (const wake of due) wake();
  }
  const nextChange = () => new Promise<void>((resolve) => waiters.push(resolve));
  const lastError = () => executors.map((executor) => executor.stats().lastError).find((e) => e !== null) ?? 'unknown';

  function dispatch(): void {
    for (const task of batcher.expire(now()))
      task.reject(new InferenceFailure('TIMEOUT', `no worker was free within ${queueTimeoutMs} ms`));
    for (const executor of executors) {
      const batch = executor.idle() ? batcher.take(now()) : null;
      if (batch !== null) void run(executor, batch);
    }
    if (executors.every((executor) => executor.broken()))
      rejectWaiting(() => new InferenceFailure('MODEL_ERROR', `no inference worker starts: ${lastError()}`));
    arm();
  }
  function rejectWaiting(why: () => InferenceFailure): void {
    for (const task of batcher.waiting()) {
      batcher.cancel(task.id);
      task.reject(why());
    }
  }
  /** Its own timer: what waits behind workers that hang is given up in time, and an idle one gets what waited for company. */
  function arm(): void {
    const due = executors.some((executor) => executor.idle()) ? batcher.nextDue(now()) : Infinity;
    const at = Math.min(batcher.nextExpiry(), due);
    if (alarm?.at === at) return;
    clearTimeout(alarm?.timer);
    alarm = null;
    if (at === Infinity) return;
    const timer = setTimeout(
      () => {
        alarm = null;
        changed();
      },
      Math.min(LONGEST_TIMER_MS, Math.max(0, Math.ceil(at - now()))),
    );
    alarm = { at, timer };
  }

  async function run(executor: Executor, batch: Batch<Task>): Promise<void> {
    const startedAt = now();
    const limitMs = Math.max(...batch.items.map((task) => task.limitMs));
    const givenUp = new AbortController();
    for (const task of batch.items) {
      task.onBegin?.();
      task.onGivenUp = () => {
        if (batch.items.every(({ settled }) => settled)) givenUp.abort();
      };
    }
    try {
      const results = await executor.run(
        batch.items.map(({ request }) => request),
        limitMs,
        givenUp.signal,
      );
      const shared = { batchSize: batch.items.length, batchMs: now() - startedAt };
      for (const [index, task] of batch.items.entries()) {
        const result = results[index]!;
        if (result instanceof InferenceFailure) again(executor, [batch.entries[index]!], result);
        else task.resolve({ ...result, queueMs: startedAt - task.offeredAt, ...shared });
      }
    } catch (error) {
      again(executor, batch.entries, error as InferenceFailure);
    }
    changed();
  }
  /** What failed together is tried apart; what failed alone has failed. */
  function again(executor: Executor, entries: readonly Entry<Task>[], failure: InferenceFailure): void {
    const left = entries.filter(({ item }) => !item.settled);
    const isShort = failure.code === 'OUT_OF_MEMORY' && left.every(({ item }) => item.memoryTries < MEMORY_TRIES);
    if (left.length === 0) return;
    if (closing) return left.forEach(({ item }) => item.reject(failure));
    if (isShort) {
      const worst = Math.max(...left.map(({ item }) => ++item.memoryTries));
      const isLast = worst === MEMORY_TRIES || left.length === 1;
      if (isLast) {
        for (const { item } of left) item.memoryTries = MEMORY_TRIES;
        void executor.recycle();
      }
      batcher.giveBack(left, isLast ? 1 : Math.ceil(left.length / 2));
    } else if (left.length > 1) batcher.giveBack(left, 1);
    else left[0]!.item.reject(failure);
  }

  return {
    changed,
    async load() {
      for (const executor of executors) executor.start();
      while (!executors.every((executor) => executor.ready())) {
        if (executors.some((executor) => executor.broken())) {
          const message = lastError();
          await Promise.all(executors.map((executor) => executor.close()));
          throw new Error(`inference workers do not start: ${message}`);
        }
        await nextChange();
      }
      const measured = executors.flatMap((executor) => executor.measured());
      if (measured.length > 0) costs = measuredCosts(measured);
    },
    async reload(modelDir) {
      for (const executor of executors) {
        await executor.recycle(modelDir);
        changed();
      }
    },
    infer(request, { deadlineMs, signal, onBegin }) {
      if (!accepting) return Promise.reject(closedFailure());
      if (signal?.aborted === true) return Promise.reject(signal.reason as Error);
      totals.outstanding++;
      return new Promise<InferenceOutput>((resolve, reject) => {
        const at = now();
        const limits = { limitMs: Math.min(deadlineMs, timeoutMs), offeredAt: at, deadline: at + queueTimeoutMs };
        const task = createTask(request, { ...limits, onBegin }, { resolve, reject }, (ok) => {
          signal?.removeEventListener('abort', abort);
          totals.outstanding--;
          totals[ok ? 'completed' : 'failed']++;
        });
        const abort = () => {
          batcher.cancel(task.id);
          task.reject(signal?.reason);
          task.onGivenUp?.();
          changed();
        };
        signal?.addEventListener('abort', abort, { once: true });
        const refused = batcher.offer(task, now());
        if (refused === null) dispatch();
        else task.reject(WHY_REFUSED[refused](task));
      });
    },
    health(): PoolHealth {
      const up = executors.filter((executor) => executor.ready()).length;
      const status = up === executors.length ? 'healthy' : up > 0 ? 'degraded' : 'unhealthy';
      return { status, ready: up, workers: executors.length, message: status === 'healthy' ? null : lastError() };
    },
    stats() {
      const workers = executors.map((executor) => executor.stats());
      const restarts = workers.reduce((sum, worker) => sum + worker.restarts, 0);
      const running = totals.outstanding - batcher.size();
      const { completed, failed } = totals;
      return {
        queued: batcher.size(),
        running,
        completed,
        failed,
        restarts,
        batches: batcher.stats(),
        ...costs,
        workers,
      };
    },
    async drain() {
      accepting = false;
      while (totals.outstanding > 0) await nextChange();
    },
    async close() {
      accepting = false;
      closing = true;
      const closed = Promise.all(executors.map((executor) => executor.close()));
      batcher.close();
      rejectWaiting(closedFailure);
      await closed;
      rejectWaiting(closedFailure);
      clearTimeout(alarm?.timer);
      changed();
    },
  } satisfies InferenceBackend & { changed(): void };
}
