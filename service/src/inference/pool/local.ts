import { fork } from 'node:child_process';
import path from 'node:path';
import type { Provider } from '../session.ts';
import { InferenceFailure, type InferenceBackend, type InferenceOutput, type PoolHealth } from './backend.ts';
import type { ChildOptions } from './protocol.ts';
import { closedFailure, createWorker, type Task, type Worker } from './worker.ts';

export interface LocalPoolOptions {
  /** Child processes, each with one session and one thread. */
  workers: number;
  /** Folder of model.onnx and card.json. */
  modelDir: string;
  provider: Provider;
  /** Longest execution of one tile (most images have one). */
  timeoutMs: number;
  log?: (level: 'info' | 'warn', message: string) => void;
  /** Images with more pixels are INVALID_IMAGE. */
  maxPixels?: number;
  startTimeoutMs?: number;
  /** Another entry for the children, with its further arguments: how tests make them crash and hang. */
  child?: { module: string; args?: string[] };
}

const CHILD = path.join(import.meta.dirname, 'child.ts');

/**
 * Inference in child processes of this machine. Each has one image at a time, and what is over waits here, in order: what has
 * not begun can be given to any child, or given up, and runs once. A child past its deadline is killed, a dead one replaced;
 * only its image fails. (Sending a second image ahead was tried: 0.2 % more throughput, 3 % with this process blocked for
 * 8 of every 28 ms, and an image that an idle child takes over from a busy one may run in both.)
 */
export function createLocalPool(options: LocalPoolOptions): InferenceBackend {
  const { workers: count, modelDir, provider, timeoutMs, maxPixels = 64e6, startTimeoutMs = 60_000 } = options;
  if (!Number.isInteger(count) || count < 1) throw new RangeError(`workers is ${count}, expected an integer from 1`);
  const queue: Task[] = [];
  const totals = { outstanding: 0, completed: 0, failed: 0 };
  const argument = JSON.stringify({ modelDir, provider, maxPixels } satisfies ChildOptions);
  let accepting = true;
  let waiters: (() => void)[] = [];

  const workers: Worker[] = Array.from({ length: count }, (_, i) =>
    createWorker({
      id: `local-${i + 1}`,
      // No execArgv: the parent's flags (a debugger's port, a test runner's loader) are not for the children.
      fork: () =>
        fork(options.child?.module ?? CHILD, [argument, ...(options.child?.args ?? [])], {
          serialization: 'advanced',
          execArgv: [],
        }),
      startTimeoutMs,
      log: options.log ?? (() => {}),
      onChange: changed,
    }),
  );

  function changed(): void {
    dispatch();
    const due = waiters;
    waiters = [];
    for (const wake of due) wake();
  }
  const nextChange = () => new Promise<void>((resolve) => waiters.push(resolve));

  function dispatch(): void {
    for (;;) {
      while (queue[0]?.settled === true) queue.shift();
      const worker = workers.find(({ idle }) => idle());
      if (queue.length === 0 || worker === undefined) break;
      worker.run(queue.shift()!);
    }
    if (workers.every((worker) => worker.broken()))
      for (const task of queue.splice(0))
        task.reject(new InferenceFailure('MODEL_ERROR', `no inference worker starts: ${lastError()}`));
  }

  const lastError = () => workers.map((worker) => worker.stats().lastError).find((e) => e !== null) ?? 'unknown';
  const ready = () => workers.filter((worker) => ['idle', 'busy'].includes(worker.stats().state)).length;

  return {
    async load() {
      for (const worker of workers) worker.start();
      while (ready() < count) {
        if (workers.some((worker) => worker.broken())) {
          const message = lastError();
          await Promise.all(workers.map((worker) => worker.close()));
          throw new Error(`inference workers do not start: ${message}`);
        }
        await nextChange();
      }
    },
    async warmup() {
      await Promise.all(workers.map((worker) => worker.warmup()));
    },
    infer(request, { deadlineMs, signal }) {
      if (!accepting) return Promise.reject(closedFailure());
      if (signal?.aborted === true) return Promise.reject(signal.reason as Error);
      totals.outstanding++;
      return new Promise<InferenceOutput>((resolve, reject) => {
        const settle = (ok: boolean) => {
          if (task.settled) return false;
          task.settled = true;
          signal?.removeEventListener('abort', abort);
          totals.outstanding--;
          totals[ok ? 'completed' : 'failed']++;
          return true;
        };
        const task: Task = {
          request,
          limitMs: Math.min(deadlineMs, timeoutMs),
          settled: false,
          resolve: (output) => settle(true) && resolve(output),
          reject: (error) => settle(false) && reject(error as Error),
        };
        const abort = () => {
          task.reject(signal?.reason);
          changed();
        };
        signal?.addEventListener('abort', abort, { once: true });
        queue.push(task);
        dispatch();
      });
    },
    health(): PoolHealth {
      const up = ready();
      const status = up === count ? 'healthy' : up > 0 ? 'degraded' : 'unhealthy';
      return { status, ready: up, workers: count, message: up === count ? null : lastError() };
    },
    stats() {
      const each = workers.map((worker) => worker.stats());
      const queued = queue.filter((task) => !task.settled).length;
      const restarts = each.reduce((sum, worker) => sum + worker.restarts, 0);
      const running = each.filter((worker) => worker.state === 'busy').length;
      return { queued, running, completed: totals.completed, failed: totals.failed, restarts, workers: each };
    },
    async drain() {
      accepting = false;
      while (totals.outstanding > 0) await nextChange();
    },
    async close() {
      accepting = false;
      const closed = Promise.all(workers.map((worker) => worker.close()));
      for (const task of queue.splice(0)) task.reject(closedFailure());
      await closed;
      for (const task of queue.splice(0)) task.reject(closedFailure());
      changed();
    },
  };
}
