import type { InferenceFailure, InferenceRequest } from '../../../src/inference/pool/backend.ts';
import {
  closedFailure,
  type ExecutedImage,
  type Executor,
  type Measured,
} from '../../../src/inference/pool/executor.ts';
import { createPool, POOL_DEFAULTS, type PoolOptions } from '../../../src/inference/pool/pool.ts';

type Results = (ExecutedImage | InferenceFailure)[];
/** What an executor does with a batch, by the ids of its images; undefined: every image succeeds. */
export type Script = (
  ids: string[],
  executor: number,
  signal: AbortSignal | undefined,
) => Promise<Results | undefined> | Results | undefined;

export const executed = (worker: string): ExecutedImage => ({
  imageWidth: 8,
  imageHeight: 8,
  polygonCount: 1,
  polygons: new Uint8Array([1]),
  warnings: [],
  stages: { decodeMs: 0, normaliseMs: 0, inferMs: 1, polygonsMs: 0, encodeMs: 0 },
  cpuStages: { decodeMs: 0, normaliseMs: 0, inferMs: 1, polygonsMs: 0, encodeMs: 0 },
  executionMs: 1,
  worker,
});
export const request = (id: string, more: Partial<InferenceRequest> = {}): InferenceRequest => ({
  id,
  file: `/${id}`,
  sha256: '',
  width: 256,
  height: 256,
  modelDir: '/model/1',
  priority: 0,
  threshold: 0.5,
  channel: null,
  page: 0,
  detectHoles: false,
  ...more,
});

/** A pool over executors that follow a script, and a record of what each was given and when it was started anew. */
export function scriptedPool(
  script: Script = () => undefined,
  options: Partial<PoolOptions> & { executors?: number; measured?: Measured[]; startsBroken?: boolean } = {},
) {
  const { executors: count = 1, measured = [], startsBroken = false, ...rest } = options;
  const log: string[] = [];
  const executors = Array.from({ length: count }, (_, index): Executor => {
    let [busy, closed, away] = [false, false, false];
    return {
      id: `e${index}`,
      start: () => setImmediate(() => pool.changed()),
      ready: () => !startsBroken && !closed && !away,
      idle: () => !busy && !closed && !away && !startsBroken,
      broken: () => startsBroken,
      async run(requests, _limitMs, signal) {
        busy = true;
        const ids = requests.map(({ id }) => id);
        log.push(`e${index} ${ids.join('')}`);
        try {
          const results = await script(ids, index, signal);
          if (closed) throw closedFailure();
          return results ?? ids.map(() => executed(`e${index}`));
        } finally {
          busy = false;
        }
      },
      measured: () => measured,
      async recycle(modelDir) {
        away = true;
        log.push(`e${index} anew${modelDir === undefined ? '' : ` ${modelDir}`}`);
        while (busy) await new Promise(setImmediate);
        away = false;
        setImmediate(() => pool.changed());
      },
      async close() {
        closed = true;
      },
      stats: () => ({
        id: `e${index}`,
        pid: null,
        state: busy ? 'busy' : 'idle',
        busyMs: 0,
        busyRatio: 0,
        imagesDone: 0,
        restarts: 0,
        rssBytes: 0,
        lastError: startsBroken ? 'no such model' : null,
      }),
    };
  });
  const pool: ReturnType<typeof createPool> = createPool(executors, { ...POOL_DEFAULTS, timeoutMs: 1000, ...rest });
  const infer = (id: string, more: Partial<InferenceRequest> & { signal?: AbortSignal } = {}) => {
    const { signal, ...fields } = more;
    return pool.infer(request(id, fields), { deadlineMs: 1000, ...(signal ? { signal } : {}) });
  };
  /** Codes of failures and sizes of batches, in the order of the ids. */
  const outcomes = async (ids: string) => {
    const ends = await Promise.allSettled(ids.split('').map((id) => infer(id)));
    return ends.map((end) =>
      end.status === 'fulfilled' ? end.value.batchSize : (end.reason as InferenceFailure).code,
    );
  };
  return { pool, infer, outcomes, log };
}
