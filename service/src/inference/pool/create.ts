import path from 'node:path';
import type { Config } from '../../config.ts';
import { crashPointsOf } from '../../crash-points.ts';
import type { InferenceBackend } from './backend.ts';
import { createKservePool } from '../kserve/pool.ts';
import { parseKserveUrls } from '../kserve/urls.ts';
import { readCard } from '../model.ts';
import { loadProfile } from '../sim/profile.ts';
import { createSimulatedPool } from '../sim/pool.ts';
import { createLocalPool } from './local.ts';

export type PoolConfig = Pick<
  Config,
  | 'pool'
  | 'modelsDir'
  | 'provider'
  | 'workers'
  | 'maxImagePixels'
  | 'maxBatch'
  | 'batchDelayMs'
  | 'inferenceQueue'
  | 'inferenceQueueTimeoutMs'
  | 'inferenceTimeoutMs'
  | 'workerMemoryBytes'
  | 'warmupSides'
  | 'crashPoints'
>;
type Log = (level: 'info' | 'warn', message: string) => void;

/** The backend that `POOL` names. @throws Error naming the setting */
export async function createBackend(config: PoolConfig, modelDir: string, log: Log): Promise<InferenceBackend> {
  const batching = {
    maxBatch: config.maxBatch,
    maxDelayMs: config.batchDelayMs,
    maxQueue: config.inferenceQueue,
    queueTimeoutMs: config.inferenceQueueTimeoutMs,
    timeoutMs: config.inferenceTimeoutMs,
  };
  const children = {
    workers: config.workers,
    modelDir,
    maxPixels: config.maxImagePixels,
    memoryBytes: config.workerMemoryBytes,
    warmupSides: config.warmupSides,
    crashPoints: config.crashPoints,
    log,
  };
  if (config.pool.startsWith('sim:')) {
    const profile = await loadProfile(config.pool.slice('sim:'.length), path.join(config.modelsDir, 'profiles'));
    return createSimulatedPool(profile, { ...batching, workers: config.workers, points: crashPointsOf(config) });
  }
  if (config.pool.startsWith('kserve:'))
    return createKservePool(parseKserveUrls(config.pool), { ...batching, ...children, card: await readCard(modelDir) });
  return createLocalPool({ ...batching, ...children, provider: config.provider });
}
