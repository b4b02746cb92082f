/** Grounds of tests: a run of two workers as the contract has it, a sweep, and a profile that answers. */
import type { Profile } from '../../../service/src/inference/sim/profile.ts';
import type { CapacitySection } from '../../src/capacity/contract.ts';
import { figure, type Figure } from '../../src/capacity/figure.ts';
import { SHARED_STAGES, type SharedStage } from '../../src/capacity/ground.ts';
import type { Question } from '../../src/capacity/question.ts';
import { uslAt, type Usl } from '../../src/capacity/usl.ts';
import type { ResultFile } from '../../src/contract.ts';
import { resultOf } from '../report/results.ts';

export const QUESTION: Question = {
  images: 50_000,
  deadlineMs: 8 * 3_600_000,
  p99Ms: null,
  shape: null,
  maxBatch: null,
  batchDelayMs: 0,
  perMachine: 8,
  seed: 1,
};

export const SHARED = Object.fromEntries(
  SHARED_STAGES.map((stage, at) => [stage, figure(0.2 + 0.1 * at, 'ms', { origin: 'measured', source: 'a kept run' })]),
) as Record<SharedStage, Figure>;

/** As independent clients know it: only what the contract names. Two workers, 40 images a second. */
export const plainResult = (): ResultFile =>
  resultOf({ efficiency: { cpuRatio: 0.8, imagesPerSecond: 40, rawImagesPerSecond: 60, throughputRatio: 0.67 } });

export const LAW: Usl = { perSecond: 20, alpha: 0.04, beta: 0.0005 };
const quantiles = (meanMs: number) => Array.from({ length: 101 }, (_, at) => meanMs * (0.8 + (0.4 * at) / 100));
/** 5 ms, 300 ms a megapixel, 0.1 ms a cell. */
export const executionMs = (side: number, cells: number): number => 5 + 3e-4 * side * side + 0.1 * cells;

export function section(changes: Partial<CapacitySection> = {}, workers = [1, 2, 4, 8, 16, 32]): CapacitySection {
  return {
    simulated: false,
    maxBatch: 1,
    levels: workers.map((count) => {
      const perSecond = uslAt(LAW, count);
      return {
        workers: count,
        images: 500,
        perSecond,
        low: perSecond * 0.97,
        high: perSecond * 1.03,
        blocksMs: [1000 / perSecond],
        cpuMsPerImage: { api: 0.2, relay: 0.5, worker: 1, inference: 40, PostgreSQL: 1.6, 'Redis (queue)': 0.2 },
        stages: {},
        inService: null,
      };
    }),
    shapes: [
      [128, 5],
      [256, 15],
      [256, 90],
      [512, 120],
    ].map(([side, cells]) => {
      const meanMs = executionMs(side!, cells!);
      return {
        width: side!,
        height: side!,
        cells: cells!,
        images: 100,
        meanBatch: 1,
        meanMs,
        quantilesMs: quantiles(meanMs),
      };
    }),
    bytes: { file: 60_000, polygons: 5000, database: 9000, events: 300, job: null },
    ...changes,
  };
}
export const sweptResult = (changes: Partial<CapacitySection> = {}): ResultFile => ({
  ...resultOf({ scenario: 'capacity', capacity: section(changes) }),
  verdict: 'pass',
});

export const PROFILE: Profile = {
  name: 'bought',
  device: 'a device',
  model: 'a model',
  versions: {},
  source: 'a test',
  statistic: 'median',
  covers: 'decode to polygons',
  points: [256, 512, 1024].flatMap((side) =>
    [1, 4, 16].map((images) => ({ images, width: side, height: side, ms: 10 + 1e-4 * images * side * side, n: 9 })),
  ),
  time: { fixedMs: 10, msPerMegapixel: 100, residual: 0.03, r2: 0.99 },
  residuals: Array.from({ length: 21 }, (_, at) => 0.9 + 0.01 * at),
  coldStartMs: 0,
  failureRatio: 0,
};
