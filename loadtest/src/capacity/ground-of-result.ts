import { scenarioByName, SCENARIO_NAMES } from '../../../scenarios/index.ts';
import type { ResultFile, StageSummary } from '../contract.ts';
import { SINGLE_SPREAD, UNTOLD_WORKERS, type BytesName } from './assumptions.ts';
import type { CapacityLevel, CapacitySection } from './contract.ts';
import { figure, type Figure } from './figure.ts';
import {
  SHARED_STAGES,
  STAGE_WORDS,
  TooLittleError,
  type Ground,
  type MeasuredLevel,
  type SharedStage,
} from './ground.ts';
import { cellsOfField, modelOfShapes, type ServiceModel } from './service-time.ts';
import { fitUsl, LEAST_LEVELS } from './usl.ts';

/** Normal quantile of a two-sided interval of 95 %. */
const Z95 = 1.959964;
/** Stages that a worker executes. */
const EXECUTED = ['decode', 'normalise', 'infer', 'polygons', 'encode'];
/** Of a single rate; below this the ends of a batch are most of it. */
const LEAST_IMAGES = 40;

/**
 * What a plan can stand on in a result file: its section `capacity` where it has one, else its stages and its rate.
 * @param shared CPU time of the stages beside the workers, for what the file does not say
 * @throws TooLittleError naming what is missing
 */
export function groundOfResult(
  result: ResultFile,
  file: string,
  shared: Readonly<Record<SharedStage, Figure>>,
): Ground {
  const { environment, scenario, capacity } = result;
  const { inference, cpuModel, cores } = environment;
  if (scenario === 'capacity' && (capacity?.levels.length ?? 0) < LEAST_LEVELS)
    throw new TooLittleError(
      `its sweep has ${capacity?.levels.length ?? 0} levels, at least ${LEAST_LEVELS} are needed to fit how it scales`,
    );
  if (capacity !== undefined && capacity.levels.length >= LEAST_LEVELS) fitted(capacity);
  const simulated = inference.provider === 'simulated';
  const whole = capacity !== undefined && capacity.levels.length > 0 && capacity.shapes.length > 0;
  const measured = whole ? ofSection(capacity, file, cores) : ofStages(result, file);
  return {
    file,
    kind: 'result',
    what: `${scenario}, ${simulated ? `simulated pool ${inference.pool}` : `${inference.pool} pool (${inference.provider})`}, ${inference.model}; ${cpuModel}, ${cores} cores`,
    simulated,
    illustrative: simulated ? whyOnlyShown(environment.notes) : null,
    notes: notesOf(result),
    cores,
    demands: demandsOf(capacity, file, shared),
    ...measured,
  };
}

function fitted({ levels }: CapacitySection): void {
  try {
    fitUsl(levels);
  } catch (error) {
    throw error instanceof RangeError ? new TooLittleError(error.message) : error;
  }
}

/** Of a simulated pool: the run's notes say whose times it had. */
function whyOnlyShown(notes: readonly string[]): string | null {
  const note = notes.find((text) => text.startsWith('inference is simulated by profile'));
  if (note === undefined) return 'its inference was simulated, by which profile it does not say';
  const [, why] = /illustrative: (.+)\)$/.exec(note) ?? [];
  return why === undefined ? null : `its inference was simulated by a profile that is illustrative: ${why}`;
}

function notesOf({ environment, noise, verdict }: ResultFile): string[] {
  const share = (value: number) => `${Math.round(100 * value)} %`;
  const { psiCpuSome } = environment;
  return [
    ...(verdict === 'pass' ? [] : [`the run’s verdict was ${verdict}`]),
    ...(psiCpuSome !== null && psiCpuSome > 0.5
      ? [`during ${share(psiCpuSome)} of the run some task waited for a CPU: rates of an idle machine are higher`]
      : []),
    ...((noise?.foreignCpuShare ?? 0) > 0.1
      ? [`${share(noise?.foreignCpuShare ?? 0)} of the machine’s CPU time went to others during the run`]
      : []),
  ];
}

/** Less of the cores than this was used: some had nothing to do, and who else ran took nothing from the service. */
const FULL = 0.9;

function harnessShareOf({ cpuMsPerImage, perSecond }: CapacityLevel, cores: number): number | null {
  const all = Object.values(cpuMsPerImage).reduce((sum, ms) => sum + ms, 0);
  if ((all * perSecond) / 1000 < FULL * cores) return null;
  return ((cpuMsPerImage['harness'] ?? 0) + (cpuMsPerImage['browser'] ?? 0)) / all;
}

type Measured = Pick<Ground, 'service' | 'maxBatch' | 'levels' | 'levelsSource' | 'bytes'>;

function ofSection(
  { levels, shapes, maxBatch, bytes, simulated }: CapacitySection,
  file: string,
  cores: number,
): Measured {
  const images = shapes.reduce((sum, one) => sum + one.images, 0);
  const word = simulated ? 'simulated executions' : 'executions';
  const measuredBytes = Object.entries(bytes).flatMap(([name, value]): [BytesName, Figure][] =>
    value === null
      ? []
      : [
          [
            name as BytesName,
            figure(value, 'bytes', { origin: 'measured', source: `${file}: capacity.bytes.${name}` }),
          ],
        ],
  );
  return {
    service: modelOfShapes(shapes, `${file}: ${word} of ${images} images, ${shapes.length} shapes (capacity.shapes)`),
    maxBatch,
    levels: levels
      .map((level): MeasuredLevel => {
        const { workers, perSecond, low, blocksMs } = level;
        const known = Math.log(perSecond / low) / Z95;
        const spread = Number.isFinite(known) && known > 0 ? known : SINGLE_SPREAD;
        return { workers, perSecond, blocksMs, spread, harnessShare: harnessShareOf(level, cores) };
      })
      .toSorted((a, b) => a.workers - b.workers),
    levelsSource: `${file}: ${levels.length === 1 ? 'the middle of its batch' : `sweep of ${levels.length} levels`} (capacity.levels)`,
    bytes: Object.fromEntries(measuredBytes),
  };
}

/** The fields that every result has. */
function ofStages(result: ResultFile, file: string): Measured {
  const { efficiency, images, workers, delivery } = result;
  const perSecond = efficiency.imagesPerSecond;
  const stages = EXECUTED.flatMap((name) => result.stages[name] ?? []);
  const missing = [
    ...(perSecond === null || !(perSecond > 0) ? ['rate (efficiency.imagesPerSecond)'] : []),
    ...(stages.length === 0 ? [`times of executions (stages ${EXECUTED.join(', ')})`] : []),
  ];
  if (missing.length > 0 || perSecond === null) throw new TooLittleError(`it has no ${missing.join(' and no ')}`);
  if (delivery.completed < LEAST_IMAGES)
    throw new TooLittleError(`${delivery.completed} images completed, at least ${LEAST_IMAGES} are needed`);
  const told = workers === undefined ? `${UNTOLD_WORKERS} workers taken for granted, it does not say` : 'workers';
  const bytes: Measured['bytes'] =
    images.count > 0 && images.bytes > 0
      ? {
          file: figure(images.bytes / images.count, 'bytes', {
            origin: 'measured',
            source: `${file}: images.bytes / images.count`,
          }),
        }
      : {};
  return {
    service: modelOfStages(result, stages, file),
    maxBatch: 1,
    levels: [
      { workers: workers ?? UNTOLD_WORKERS, perSecond, blocksMs: [], spread: SINGLE_SPREAD, harnessShare: null },
    ],
    levelsSource: `${file}: efficiency.imagesPerSecond over ${told}; one run without an interval, 95 % of equal runs taken to lie within a quarter`,
    bytes,
  };
}

/**
 * Executions from the percentiles of their stages, which are taken to rise together: the slow image is slow in all of them. It makes
 * the tail of the sum no thinner than it was.
 */
function modelOfStages({ scenario }: ResultFile, stages: readonly StageSummary[], file: string): ServiceModel {
  const knots: [share: number, of: (stage: StageSummary) => number][] = [
    [0, ({ p50Ms }) => p50Ms / 2],
    [0.5, ({ p50Ms }) => p50Ms],
    [0.95, ({ p95Ms }) => p95Ms],
    [0.99, ({ p99Ms }) => p99Ms],
    [1, ({ maxMs }) => maxMs],
  ];
  const at = (share: number): number => {
    const above = Math.max(
      1,
      knots.findIndex(([knot]) => share <= knot),
    );
    const [[from, low], [to, high]] = [knots[above - 1]!, knots[above]!];
    const part = (share - from) / (to - from);
    return stages.reduce((sum, stage) => sum + low(stage) + part * (high(stage) - low(stage)), 0);
  };
  const quantilesMs = Array.from({ length: 101 }, (_, nth) => at((nth + 0.5) / 101));
  const side = SCENARIO_NAMES.includes(scenario) ? sideOf(scenario) : 256;
  const shape = { width: side, height: side, cells: cellsOfField(side), images: stages[0]!.count, meanBatch: 1 };
  const meanMs = quantilesMs.reduce((sum, ms) => sum + ms, 0) / quantilesMs.length;
  return modelOfShapes(
    [{ ...shape, meanMs, quantilesMs }],
    `${file}: p50, p95, p99 and maximum of stages ${EXECUTED.join(', ')}, taken to rise together`,
  );
}

function sideOf(name: string): number {
  const { images } = scenarioByName(name);
  return 'medianSide' in images ? images.medianSide : 256;
}

/** From the level with the highest rate: there what is spent on waiting weighs least. */
function demandsOf(
  capacity: CapacitySection | undefined,
  file: string,
  shared: Readonly<Record<SharedStage, Figure>>,
): Ground['demands'] {
  const level = capacity?.levels.toSorted((a, b) => b.perSecond - a.perSecond)[0];
  const of = (stage: SharedStage): Figure => {
    const ms = level?.cpuMsPerImage[STAGE_WORDS[stage].role];
    if (ms === undefined || !(ms > 0)) return shared[stage];
    return figure(ms, 'ms', {
      origin: 'measured',
      source: `${file}: CPU time of ${STAGE_WORDS[stage].role} at ${level?.workers} workers, an image`,
    });
  };
  return Object.fromEntries(SHARED_STAGES.map((stage) => [stage, of(stage)])) as Ground['demands'];
}
