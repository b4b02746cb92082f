import type { CrashPoints } from '../../crash-points.ts';
import type { BatcherOptions } from '../batcher/batcher.ts';
import type { InferenceBackend } from '../pool/backend.ts';
import { createPool, POOL_DEFAULTS } from '../pool/pool.ts';
import { createCells } from './cells.ts';
import { createSimulatedDevice } from './device.ts';
import type { Profile } from './profile.ts';

export interface SimulatedPoolOptions extends Partial<Omit<BatcherOptions, 'predictMs' | 'mostAtOnce'>> {
  /** Devices. */
  workers: number;
  timeoutMs: number;
  queueTimeoutMs?: number;
  /** Executions that go wrong on demand, in tests. */
  points?: CrashPoints | null;
}

/** The real queue and batcher before devices that only take their time. What comes of it is a simulation, and says so. */
export function createSimulatedPool(profile: Profile, options: SimulatedPoolOptions): InferenceBackend {
  const { workers: count, points = null } = options;
  if (!Number.isInteger(count) || count < 1) throw new RangeError(`workers is ${count}, expected an integer from 1`);
  const cells = createCells();
  const devices = Array.from({ length: count }, (_, i) =>
    createSimulatedDevice(profile, { id: `sim-${i + 1}`, cells, points, onChange: () => pool.changed() }),
  );
  const time = { fixed: profile.time.fixedMs, each: profile.time.msPerMegapixel / 1e6 };
  const pool: ReturnType<typeof createPool> = createPool(devices, { ...POOL_DEFAULTS, ...options, time });
  return pool;
}
