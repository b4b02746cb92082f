import type { Profile } from '../../../service/src/inference/sim/profile.ts';
import type { ReportTable } from '../contract.ts';
import { capacityOf } from '../prove/capacity.ts';
import type { CapacitySection } from './contract.ts';
import { STAGE_WORDS, type SharedStage } from './ground.ts';
import { partsOf } from './pipeline.ts';
import { drawMs, modelOfProfile } from './service-time.ts';
import { simulate } from './simulate/simulate.ts';

/** A level as it was measured, and as the simulation has it. */
export interface LevelCheck {
  workers: number;
  measured: number;
  simulated: number;
  /** Simulated by measured, less 1. */
  error: number;
}

/**
 * A sweep of simulated workers once more, without the queue: executions as the profile has them, CPU times of the level with the highest rate,
 * the machine's cores shared by all. No rate is fitted: what the two differ by is the simulation's error, and the machine's noise.
 */
export function checkSimulation(
  { levels, shapes }: CapacitySection,
  profile: Profile,
  { cores, seed }: { cores: number; seed: number },
): LevelCheck[] {
  const model = modelOfProfile(profile);
  const cpu = levels.toSorted((a, b) => b.perSecond - a.perSecond)[0]?.cpuMsPerImage ?? {};
  const ms = (stage: SharedStage): number => cpu[STAGE_WORDS[stage].role] ?? 0;
  return levels.map(({ workers, images, perSecond }) => {
    const outcome = simulate({
      seed,
      images,
      arrivals: { kind: 'at once' },
      shapes: shapes.map(({ width, cells, images: share }) => ({ shape: { name: '', side: width, cells }, share })),
      workers,
      machines: 1,
      maxBatch: 1,
      batchDelayMs: 0,
      executionMs: (count, shape, luck) => drawMs(model, count, shape, luck),
      parts: partsOf(ms, { cores, hostCores: cores }),
    });
    // The middle of the batch, as it was measured; all of it where there is no middle.
    const simulated = capacityOf([...outcome.writtenMs])?.perSecond ?? outcome.perSecond;
    return { workers, measured: perSecond, simulated, error: simulated / perSecond - 1 };
  });
}

export const checkTable = (checks: readonly LevelCheck[]): ReportTable => ({
  title: 'The simulation against this sweep',
  note: 'Images a second with simulated workers: through the real queue and database, and in the simulation that npm run plan uses, which has the profile’s times and this run’s CPU times and was fitted to no rate.',
  columns: [
    { name: 'workers', unit: 'count' },
    { name: 'measured', unit: 'count' },
    { name: 'simulated', unit: 'count' },
    { name: 'error', unit: 'ratio' },
  ],
  rows: checks.map(({ workers, measured, simulated, error }) => [workers, measured, simulated, error]),
});
