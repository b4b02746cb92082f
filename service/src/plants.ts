import { setTimeout as sleep } from 'node:timers/promises';
import type { Sql } from 'postgres';
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
/** More than a tenth, since an execution is not all that an image costs. */
const MORE_CPU = 0.12;
const LATE_JOBS_MS = 300;

/** `held-memory-api`, `held-memory-worker`: memory that the role never gives back. */
export function holdPlantedMemory({ role, plant }: Pick<Config, 'role' | 'plant'>): Uint8Array | null {
  const bytes = plant.has(`held-memory-${role}`) ? (HELD_BYTES[role] ?? 0) : 0;
  return bytes > 0 ? new Uint8Array(bytes).fill(1) : null;
}

function burn(ms: number): void {
  for (const until = performance.now() + ms; performance.now() < until;);
}

/**
 * `slow-inference`: every execution takes seconds longer. `more-cpu`: an image costs about a tenth more CPU. `extra-query`: each image
 * asks the database once more.
 */
export function plantInBackend(backend: InferenceBackend, plant: Config['plant'], sql: Sql): InferenceBackend {
  const [isSlow, isDear, isCurious] = ['slow-inference', 'more-cpu', 'extra-query'].map((name) => plant.has(name));
  if (!isSlow && !isDear && !isCurious) return backend;
  return {
    ...backend,
    async infer(request, options) {
      const output = await backend.infer(request, options);
      if (isDear) burn(output.executionMs * MORE_CPU);
      if (isCurious) await sql`SELECT 1`;
      if (!isSlow) return output;
      await sleep(SLOW_INFERENCE_MS);
      return { ...output, executionMs: output.executionMs + SLOW_INFERENCE_MS };
    },
  };
}

/** `slow-queue`: jobs reach the workers seconds late. `late-jobs`: a little late, by a sixth of what a block of 100 images takes. */
export function plantInQueue(queue: JobQueue, plant: Config['plant']): JobQueue {
  const lateMs = plant.has('slow-queue') ? SLOW_QUEUE_MS : plant.has('late-jobs') ? LATE_JOBS_MS : 0;
  if (lateMs === 0) return queue;
  return {
    ...queue,
    async add(jobs) {
      await sleep(lateMs);
      await queue.add(jobs);
    },
  };
}
