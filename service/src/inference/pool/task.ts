import type { BatchItem } from '../batcher/bucket.ts';
import type { InferenceOutput, InferenceRequest } from './backend.ts';

/** An image in the pool, until it is answered. */
export interface Task extends BatchItem {
  request: InferenceRequest;
  /** Wall clock of the execution without a sign of progress. */
  limitMs: number;
  offeredAt: number;
  settled: boolean;
  /** How often it was part of what ran out of memory. */
  memoryTries: number;
  onBegin?: (() => void) | undefined;
  /** To be called when it is given up while it runs. */
  onGivenUp?: () => void;
  resolve(output: InferenceOutput): void;
  reject(error: unknown): void;
}

let next = 1;

/** Settles once: what comes later is dropped. `onEnd` is told before the promise is. */
export function createTask(
  request: InferenceRequest,
  given: Pick<Task, 'limitMs' | 'offeredAt' | 'deadline' | 'onBegin'>,
  promise: { resolve(output: InferenceOutput): void; reject(error: Error): void },
  onEnd: (ok: boolean) => void,
): Task {
  const settle = (ok: boolean): boolean => {
    if (task.settled) return false;
    task.settled = true;
    onEnd(ok);
    return true;
  };
  const { width, height, priority, modelDir } = request;
  const task: Task = {
    ...given,
    // an image may be asked for twice
    id: String(next++),
    width,
    height,
    priority,
    group: modelDir,
    request,
    settled: false,
    memoryTries: 0,
    resolve: (output) => settle(true) && promise.resolve(output),
    reject: (error) => settle(false) && promise.reject(error as Error),
  };
  return task;
}
