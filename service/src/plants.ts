import { setTimeout as sleep } from 'node:timers/promises';
import type { JobQueue } from './batches/queue.ts';
import type { Config } from './config.ts';
import type { InferenceBackend } from './inference/pool/backend.ts';

/**
 * Violations planted on purpose (`PLANT`, refused outside of tests), so that every budget of the harness can be seen to fail at
 * the place it speaks of. Those of events are in `events/plant.ts`, those of routes in `plugins/plants.ts`.
 */
const HELD_BYTES: Readonly<Record<string, number>> = { api: 560e6, worker: 2.1e9 };
const SLOW_INFERENCE_MS = 10_200;
const SLOW_QUEUE_MS = 13_000;

/** `held-memory-api`, `held-memory-worker`: memory that the role never gives back. */
export function holdPlantedMemory({ role, plant }: Pick<Config, 'role' | 'plant'>): Uint8Array | null {
  const bytes = plant.has(`held-memory-${role}`) ? (HELD_BYTES[role] ?? 0) : 0;
  return bytes > 0 ? new Uint8Array(bytes).fill(1) : null;
}

/** `slow-inference`: every execution takes seconds longer. */
export function plantInBackend(backend: InferenceBackend, plant: Config['plant']): InferenceBackend {
  if (!plant.has('slow-inference')) return backend;
  return {
    ...backend,
    async infer(request, options) {
      const output = await backend.infer(request, options);
      await sleep(SLOW_INFERENCE_MS);
      return { ...output, executionMs: output.executionMs + SLOW_INFERENCE_MS };
    },
  };
}

/** `slow-queue`: jobs reach the workers late. */
export function plantInQueue(queue: JobQueue, plant: Config['plant']): JobQueue {
  if (!plant.has('slow-queue')) return queue;
  return {
    ...queue,
    async add(jobs) {
      await sleep(SLOW_QUEUE_MS);
      await queue.add(jobs);
    },
  };
}
