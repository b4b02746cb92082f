import { fork } from 'node:child_process';
import path from 'node:path';
import { confinedInference } from '../../children/confine.ts';
import type { BatcherOptions } from '../batcher/batcher.ts';
import type { Provider } from '../providers.ts';
import type { Leases } from '../kserve/leases.ts';
import type { InferenceBackend } from './backend.ts';
import { createPool, POOL_DEFAULTS } from './pool.ts';
import type { ChildOptions } from './protocol.ts';
import { createWorker } from './worker.ts';

export interface LocalPoolOptions extends Partial<Omit<BatcherOptions, 'predictMs' | 'mostAtOnce'>> {
  /** Child processes, each with one session and one thread. */
  workers: number;
  /** Folder of model.onnx and card.json to start with. */
  modelDir: string;
  provider: Provider | 'kserve';
  /** Inference servers of the provider `kserve`, and the longest wait for one. */
  servers?: { leases: Leases; timeoutMs: number };
  /** Longest execution of one tile (most images have one). */
  timeoutMs: number;
  queueTimeoutMs?: number;
  /** Most memory of one child. */
  memoryBytes?: number;
  warmupSides?: readonly number[];
  log?: (level: 'info' | 'warn', message: string) => void;
  /** Images with more pixels are INVALID_IMAGE. */
  maxPixels?: number;
  startTimeoutMs?: number;
  /** See `ChildOptions`. */
  crashPoints?: string;
  /** Another entry for the children, with its further arguments: how tests make them crash and hang. */
  child?: { module: string; args?: string[] };
}

const CHILD = path.join(import.meta.dirname, 'child.ts');

/**
 * Inference in child processes of this machine. Each has one batch at a time (on a CPU one image: more gain nothing), and what is
 * over waits here: what has not begun can be given to any child, or given up, and runs once. A child past its deadline is
 * killed, a dead one replaced; only its image fails. (Sending a second image ahead was tried: 0.2 % more throughput, 3 % with
 * this process blocked for 8 of every 28 ms, and an image that an idle child takes over from a busy one may run in both.)
 */
export function createLocalPool(options: LocalPoolOptions): InferenceBackend {
  const { workers: count, modelDir, provider, maxPixels = 64e6, startTimeoutMs = 60_000 } = options;
  const { maxBatch = POOL_DEFAULTS.maxBatch, warmupSides = [256, 512] } = options;
  const { memoryBytes = POOL_DEFAULTS.memoryBytes } = options;
  if (!Number.isInteger(count) || count < 1) throw new RangeError(`workers is ${count}, expected an integer from 1`);
  const argumentOf = (dir: string) =>
    JSON.stringify({
      modelDir: dir,
      provider,
      maxPixels,
      warmupSides,
      maxBatch,
      ...(options.servers ? { serverTimeoutMs: options.servers.timeoutMs } : {}),
      ...(options.crashPoints ? { crashPoints: options.crashPoints } : {}),
    } satisfies ChildOptions);
  const workers = Array.from({ length: count }, (_, i) =>
    createWorker({
      id: `${options.servers ? 'kserve' : 'local'}-${i + 1}`,
      modelDir,
      // No execArgv: the parent's flags (a debugger's port, a test runner's loader) are not for the children.
      fork: (dir) =>
        fork(
          options.child?.module ?? CHILD,
          [argumentOf(dir), ...(options.child?.args ?? [])],
          confinedInference(['cpu', 'kserve'].includes(provider) ? memoryBytes : null),
        ),
      startTimeoutMs,
      ...(options.servers ? { leases: options.servers.leases } : {}),
      log: options.log ?? (() => {}),
      onChange: () => pool.changed(),
    }),
  );
  const pool: ReturnType<typeof createPool> = createPool(workers, { ...POOL_DEFAULTS, ...options });
  return pool;
}
