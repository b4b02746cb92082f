import type { Profile } from '../../../service/src/inference/sim/profile.ts';
import type { ReportTable } from '../contract.ts';
import { quantileOfSorted } from '../measure/statistics.ts';
import { capacityOf } from '../prove/capacity.ts';
import type { CapacityLevel, CapacitySection, ShapeTimes } from './contract.ts';
import { STAGE_WORDS, type SharedStage } from './ground.ts';
import { partsOf } from './pipeline.ts';
import { drawMs, modelOfProfile } from './service-time.ts';
import type { Shape } from './shapes.ts';
import { simulate } from './simulate/simulate.ts';
import type { SimulationInput } from './simulate/simulation.ts';

/** As it was measured, and as the simulation has it. */
interface Pair {
  measured: number;
  simulated: number;
  /** Simulated by measured, less 1. */
  error: number;
}
export interface LevelCheck {
  workers: number;
  perSecond: Pair;
  /** From being queued to the start of the run, ms; null where the level has no waits. */
  waitP95: Pair | null;
  waitP99: Pair | null;
}
interface Given {
  /** Times of simulated workers; null: workers of this machine, as the level with one worker has them. */
  profile: Profile | null;
  cores: number;
  seed: number;
}

const pair = (measured: number, simulated: number): Pair => ({
  measured,
  simulated,
  error: simulated / measured - 1,
});

/** Real workers: a time drawn from those of the same shape, all executions of one worker alone. */
function drawnFrom(shapes: readonly ShapeTimes[]): SimulationInput['executionMs'] {
  const times = new Map(shapes.map(({ width, cells, quantilesMs }) => [`${width}/${cells}`, quantilesMs]));
  return (_images: number, { side, cells }: Shape, luck: number) => {
    const quantiles = times.get(`${side}/${cells}`)!;
    return quantiles[Math.floor(luck * quantiles.length)]!;
  };
}

/**
 * A sweep once more, without the queue. No rate is fitted: what the two differ by is the simulation's error, and the machine's noise.
 * Executions are as the profile has them, or, with real workers, as one of them had them alone; these take the machine's cores like everything else.
 * CPU times beside the workers are of the level with the highest rate, where the fewest of them are idle turns, or, with real workers, of the
 * one that was alone.
 */
export function checkSimulation({ levels, shapes }: CapacitySection, { profile, cores, seed }: Given): LevelCheck[] {
  const order = (a: CapacityLevel, b: CapacityLevel) =>
    profile === null ? a.workers - b.workers : b.perSecond - a.perSecond;
  const cpu = levels.toSorted(order)[0]?.cpuMsPerImage ?? {};
  const model = profile && modelOfProfile(profile);
  const drawn = drawnFrom(shapes);
  const parts = partsOf((stage: SharedStage): number => cpu[STAGE_WORDS[stage].role] ?? 0, { cores, hostCores: cores });
  return levels.map(({ workers, images, perSecond, stages }) => {
    const outcome = simulate({
      seed,
      images,
      arrivals: { kind: 'at once' },
      shapes: shapes.map(({ width, cells, images: share }) => ({ shape: { name: '', side: width, cells }, share })),
      workers,
      machines: 1,
      maxBatch: 1,
      batchDelayMs: 0,
      executionMs: model === null ? drawn : (count, shape, luck) => drawMs(model, count, shape, luck),
      parts: parts && { ...parts, workersOnHost: profile === null },
    });
    const wait = stages['wait'];
    const waited = (q: number, measured: number | undefined): Pair | null =>
      measured === undefined || measured <= 0 ? null : pair(measured, quantileOfSorted([...outcome.waitsMs], q));
    return {
      workers,
      // The middle of the batch, as it was measured; all of it where there is no middle.
      perSecond: pair(perSecond, capacityOf([...outcome.writtenMs])?.perSecond ?? outcome.perSecond),
      waitP95: waited(0.95, wait?.p95Ms),
      waitP99: waited(0.99, wait?.p99Ms),
    };
  });
}

const cells = (of: Pair | null) => [of?.measured ?? null, of?.simulated ?? null, of?.error ?? null];

export const checkTable = (checks: readonly LevelCheck[], simulated: boolean): ReportTable => ({
  title: 'The simulation against this sweep',
  note: `Images a second and waits of a batch with ${simulated ? 'simulated' : 'real'} workers: through the real queue and database, and in the simulation that npm run plan uses, which has ${
    simulated ? 'the profile’s times and this run’s CPU times' : 'the times and CPU times of the level with one worker'
  } and was fitted to no rate.${simulated ? '' : ' It knows nothing of what more workers than cores cost each other.'}`,
  columns: [
    { name: 'workers', unit: 'count' },
    { name: 'images/s', unit: 'count' },
    { name: 'simulated', unit: 'count' },
    { name: 'error', unit: 'ratio' },
    { name: 'wait p95', unit: 'ms' },
    { name: 'simulated', unit: 'ms' },
    { name: 'error', unit: 'ratio' },
    { name: 'wait p99', unit: 'ms' },
    { name: 'simulated', unit: 'ms' },
    { name: 'error', unit: 'ratio' },
  ],
  rows: checks.map(({ workers, perSecond, waitP95, waitP99 }) => [
    workers,
    ...cells(perSecond),
    ...cells(waitP95),
    ...cells(waitP99),
  ]),
});
