import { setImmediate as turn } from 'node:timers/promises';
import type { GateProofScenario } from '../../../scenarios/scenario.ts';
import { UsageError } from '../cli/usage-error.ts';
import type { SideInfo } from '../compare/contract.ts';
import { describeHead } from '../compare/side/checkout.ts';
import type { RunData } from '../contract.ts';
import { pressureBetween, readCpuPressure } from '../measure/psi.ts';
import { blankRunData } from '../run/run-data.ts';
import { poolText, type RunInput } from '../run/run-input.ts';
import { stoppedBy } from '../run/stop.ts';
import { gateMeasurements, gateTables, type Played } from './judge.ts';
import { forRecording, readRecordings, type RecordedNoise } from './noise.ts';
import { REAL_PLANTS, type RealPlant } from './plants.ts';
import { calculatePower, FALSE_ALARM_RUNS, POWER_RUNS, playOn, type Power } from './played.ts';
import { compareForReal, type RealOutcome } from './real.ts';

/** Fewer pairs of this run's own are no recording to play on. */
const LEAST_RECORDED = 20;

/** First for real, since that takes a machine that does nothing else; then on what was recorded, this run's own pairs included. */
export async function runGateProof(scenario: GateProofScenario, startedAt: Date, input: RunInput): Promise<RunData> {
  const { options, folder, progress, stop } = input;
  const { phases, images } = scenario;
  const head = await describeHead();
  if (head.commit.endsWith('+changes'))
    throw new UsageError('the working tree has changes that are not committed: base would not be the same program');
  const base: SideInfo = { name: 'base', ref: 'HEAD', commit: head.commit };
  const blockImages = options.count ?? (options.quick ? images.quickCount : images.count);
  const plan: (RealPlant | null)[] = [
    // Few and small blocks show counts alone.
    ...REAL_PLANTS.filter(({ times }) => !options.quick || !times),
    ...Array.from({ length: options.quick ? phases.quickSame : phases.same }, () => null),
  ];
  const real: RealOutcome[] = [];
  const played: Played[] = [];
  const calculated: Power[] = [];
  const entries: RunData['phases'] = [];
  const pressure = await readCpuPressure();
  const untilMs = startedAt.getTime() + (options.duration ?? Infinity) * 1000;
  let stopped: RunData['stopped'];
  async function phase<T>(name: string, work: () => Promise<T>): Promise<T> {
    const began = Date.now();
    progress.line(`· ${name}`);
    try {
      return await work();
    } finally {
      entries.push({ name, startedAt: new Date(began).toISOString(), durationMs: Date.now() - began });
    }
  }
  try {
    for (const [at, plant] of plan.entries()) {
      if (Date.now() > untilMs) break;
      const name = `${at + 1} of ${plan.length}: ${plant?.name ?? 'one program with itself'}`;
      const { pairs, quickPairs, minutes } = phases;
      const given = {
        base,
        head,
        minutes,
        progress,
        stop,
        workers: options.workers,
        pool: poolText(options),
        images: blockImages,
        pairs: options.quick ? quickPairs : pairs,
      };
      const outcome = await phase(name, () => compareForReal(given, plant, options.seed + at));
      real.push(outcome);
      progress.line(`  ${outcome.decision.words.join(' ')}`);
      outcome.triples.forEach((triple, pair) =>
        folder.event({ comparison: at + 1, plant: plant?.name, pair, ...triple }),
      );
    }
    const recordings = await readRecordings();
    const own = ownRecording(real, { base, images: blockImages, workers: options.workers, startedAt });
    if (own) {
      await folder.json('raw/noise.json', own);
      recordings.push({ name: 'this run', noise: own });
    }
    for (const recording of recordings) {
      const proof = await phase(`play on "${recording.name}"`, () =>
        playOn(recording.noise, {
          same: FALSE_ALARM_RUNS,
          planted: POWER_RUNS,
          // Interrupts are heard between comparisons.
          between: async () => {
            await turn();
            stop.signal.throwIfAborted();
          },
        }),
      );
      played.push({ ...recording, proof });
    }
    const [any] = recordings;
    if (any) calculated.push(...calculatePower(any.noise));
  } catch (error) {
    stopped = stoppedBy(stop.signal.aborted ? stop.signal.reason : error);
    progress.line(`stopped: ${stopped.message}`);
  }
  const blank = await blankRunData({
    scenario: scenario.name,
    client: options.client,
    seed: options.seed,
    source: 'synthetic',
    pool: poolText(options),
    startedAt,
    psiCpuSome: pressureBetween(pressure, await readCpuPressure()),
    ...(stopped ? { stopped } : {}),
  });
  const same = plan.filter((plant) => plant === null).length;
  return {
    ...blank,
    images: { ...blank.images, count: blockImages },
    measurements: gateMeasurements(played, real, { same, planted: plan.length - same }),
    phases: entries,
    tables: gateTables(played, real, calculated),
  };
}

/** The pairs of one program with itself, as a recording. */
function ownRecording(
  real: readonly RealOutcome[],
  given: { base: SideInfo; images: number; workers: number; startedAt: Date },
): RecordedNoise | undefined {
  const same = real.filter(({ plant }) => plant === null);
  const triples = same.flatMap((outcome) => outcome.triples);
  if (triples.length < LEAST_RECORDED) return undefined;
  return {
    date: given.startedAt.toISOString().slice(0, 10),
    machine: 'the machine of this run',
    load: 'as it was',
    commit: given.base.commit,
    imagesPerBlock: given.images,
    workers: given.workers,
    comparisons: same.map((outcome) => outcome.triples.length),
    triples: forRecording(triples),
  };
}
