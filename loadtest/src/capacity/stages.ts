import { figure, type Figure } from './figure.ts';
import { SHARED_STAGES, STAGE_WORDS, type Ground, type SharedStage } from './ground.ts';
import type { Question } from './question.ts';

/** What one stage lets through. */
export interface StageCapacity {
  stage: SharedStage | 'workers';
  what: string;
  /** Images a second. */
  capacity: Figure;
}

export const machinesOf = (workers: number, { perMachine }: Pick<Question, 'perMachine'>): number =>
  Math.ceil(workers / perMachine);

/** Threads or cores that a stage has beside so many workers. */
export const serversOf = (stage: SharedStage, machines: number, cores: number): number =>
  stage === 'consumer' ? machines : stage === 'postgres' ? cores : 1;

const perSecondOf = ({ demands, cores }: Ground, stage: SharedStage, machines: number): number => {
  const ms = demands[stage].value ?? 0;
  return ms > 0 ? (1000 * serversOf(stage, machines, cores)) / ms : Infinity;
};

/**
 * What is let through beside the workers: no stage does more images a second than its threads by the CPU time of an image (the
 * utilization law; Denning and Buzen, Computing Surveys 10, 1978).
 */
export const ceilingOf = (ground: Ground, machines: number): number =>
  Math.min(...SHARED_STAGES.map((stage) => perSecondOf(ground, stage, machines)));

/** Every stage with its capacity, the one that binds first. @param workersRate images a second of the workers alone */
export function stagesOf(ground: Ground, machines: number, workersRate: Figure): StageCapacity[] {
  const shared = SHARED_STAGES.map((stage): StageCapacity => {
    const demand = ground.demands[stage];
    const perSecond = perSecondOf(ground, stage, machines);
    return {
      stage,
      what: STAGE_WORDS[stage].what,
      capacity: figure(Number.isFinite(perSecond) ? perSecond : null, 'per-second', {
        origin: demand.origin,
        source: `${serversOf(stage, machines, ground.cores)} ÷ CPU time of an image; ${demand.source}`,
      }),
    };
  });
  return [{ stage: 'workers' as const, what: 'inference workers', capacity: workersRate }, ...shared].toSorted(
    (a, b) => (a.capacity.value ?? Infinity) - (b.capacity.value ?? Infinity),
  );
}
