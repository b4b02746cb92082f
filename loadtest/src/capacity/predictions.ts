import type { ResultFile } from '../contract.ts';
import { TooLittleError, type Ground } from './ground.ts';
import type { Question } from './question.ts';
import { readGround } from './read-ground.ts';
import { scoresOf, type Scores } from './score.ts';
import { LEAST_LEVELS } from './usl.ts';

/** A kept result and where it lies. */
export interface Kept {
  path: string;
  /** As a reader should see it. */
  name: string;
  result: ResultFile;
}
/** What a sweep says of runs that it was not fitted on. */
export interface Predictions {
  sweep: string;
  simulated: boolean;
  scores: Scores;
}

/** Others' work is in a rate, and no law foresees it. */
const FOREIGN_MAX = 0.1;

/** Shape and batch are asked of each run as it was. */
const ASKED: Question = {
  images: 1000,
  deadlineMs: 3_600_000,
  p99Ms: null,
  shape: null,
  maxBatch: null,
  batchDelayMs: 0,
  perMachine: 8,
  seed: 1,
};

const isSweep = ({ result }: Kept): boolean =>
  result.scenario === 'capacity' && (result.capacity?.levels.length ?? 0) >= LEAST_LEVELS;
const isQuiet = ({ result }: Kept): boolean => (result.noise?.foreignCpuShare ?? 0) <= FOREIGN_MAX;
/** Runs that say what their images were: bulk runs as people run them, and other sweeps. */
const hasShapes = ({ result: { capacity, clientMode } }: Kept): boolean =>
  capacity !== undefined && capacity.levels.length > 0 && capacity.shapes.length > 0 && clientMode === 'optimized';
const isOn = (a: ResultFile['environment'], b: ResultFile['environment']): boolean =>
  a.cpuModel === b.cpuModel && a.cores === b.cores && a.inference.pool === b.inference.pool;

async function groundOf({ path, name }: Kept): Promise<Ground | null> {
  try {
    return { ...(await readGround(path)), file: name };
  } catch (error) {
    if (error instanceof TooLittleError) return null;
    throw error;
  }
}

/**
 * The first quiet sweep of each pool, held against every other quiet run of that pool on such a machine.
 * @param kept in the order of their names, which decides what is the ground
 */
export async function predictionsOf(kept: readonly Kept[]): Promise<Predictions[]> {
  const made: Predictions[] = [];
  const pools = new Set<string>();
  for (const sweep of kept.filter((one) => isSweep(one) && isQuiet(one))) {
    const { environment } = sweep.result;
    if (pools.has(environment.inference.pool)) continue;
    pools.add(environment.inference.pool);
    const ground = await groundOf(sweep);
    if (ground === null) continue;
    const others = kept.filter(
      (one) => one !== sweep && isQuiet(one) && hasShapes(one) && isOn(one.result.environment, environment),
    );
    const grounds = (await Promise.all(others.map(groundOf))).filter((one) => one !== null);
    const scores = scoresOf(ground, ASKED, grounds);
    if (scores !== null) made.push({ sweep: sweep.name, simulated: ground.simulated, scores });
  }
  return made;
}
