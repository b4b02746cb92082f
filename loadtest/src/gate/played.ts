import { createNormal, createRandom, type Random } from '../images/random.ts';
import type { BlockFigures, CompareVerdict, Triple } from '../compare/contract.ts';
import { decide, logRatio } from '../compare/decide.ts';
import { looksOf } from '../compare/looks.ts';
import { comparisonsOf, type RecordedNoise } from './noise.ts';
import { PRIMARY, valueOf } from '../compare/metrics.ts';
import { BLOCKS } from '../compare/schedule.ts';
import { bootstrapInterval } from '../compare/statistics/location.ts';

/** What is planted into head's blocks. */
export type Growth = (head: BlockFigures, images: number) => BlockFigures;

export interface Outcomes {
  runs: number;
  verdicts: Record<CompareVerdict, number>;
  /** Mean of the pairs after which the runs ended. */
  meanPairs: number;
}

/** Enough for a decision; a report draws 2,000 times. */
const RESAMPLES = 100;

/**
 * Plays whole comparisons, looks and early ends included, on resampled noise. A pair is drawn with replacement from those recorded in one
 * comparison, and its three blocks change places by chance, since they are of one program. What two processes of one program differ by was measured
 * too: head gets it, up or down by the toss of a coin for each comparison. Load and lateness stay those of the recording.
 */
export function playComparisons(
  noise: RecordedNoise,
  given: { runs: number; seed: number; pairs?: number; growth?: Growth },
): Outcomes {
  const { runs, seed, pairs = 30, growth = (head) => head } = given;
  const verdicts: Outcomes['verdicts'] = { pass: 0, regression: 0, inconclusive: 0 };
  let taken = 0;
  const recorded = comparisonsOf(noise).map((pairsOfOne) => ({
    drawn: pairsOfOne,
    up: instanceRatios(pairsOfOne, 1),
    down: instanceRatios(pairsOfOne, -1),
  }));
  for (let run = 0; run < runs; run++) {
    const random = createRandom(seed, run);
    const sign = random() < 0.5 ? 1 : -1;
    const { drawn, up, down } = recorded[recorded.length > 1 ? Math.floor(random() * recorded.length) : 0]!;
    const apart = sign > 0 ? up : down;
    const triples = Array.from({ length: pairs }, () => {
      const { a, again, b } = shuffled(drawn, random);
      return { a, again, b: growth(apart(b), noise.imagesPerBlock), order: '' };
    });
    const { verdict, at } = playOne(triples, run);
    verdicts[verdict]++;
    taken += at;
  }
  return { runs, verdicts, meanPairs: taken / runs };
}

/** One comparison as the runner does it: counts after every pair, times at the looks, an end as soon as the verdict is clear. */
function playOne(triples: readonly Triple[], seed: number): { verdict: CompareVerdict; at: number } {
  const looks = looksOf(triples.length);
  for (let at = 1; at <= triples.length; at++) {
    const isLook = looks.includes(at);
    const sofar = triples.slice(0, at);
    const options = { looks, isLast: at === triples.length, seed, resamples: RESAMPLES };
    const decision = decide(sofar, { ...options, countsOnly: !isLook });
    if (decision.clear || at === triples.length) return { verdict: decision.verdict, at };
  }
  throw new RangeError('a comparison needs a pair');
}

function shuffled(triples: readonly Triple[], random: Random): Pick<Triple, 'a' | 'again' | 'b'> {
  const drawn = triples[Math.floor(random() * triples.length)]!;
  const blocks = BLOCKS.map((name) => drawn[name]);
  for (let at = blocks.length - 1; at > 0; at--) {
    const other = Math.floor(random() * (at + 1));
    [blocks[at], blocks[other]] = [blocks[other]!, blocks[at]!];
  }
  const [a, again, b] = blocks as [BlockFigures, BlockFigures, BlockFigures];
  return { a, again, b };
}

/**
 * Multiplies head's times by what the second process differed by in the recording, as far as its standard error does not explain it; or by
 * its inverse.
 */
function instanceRatios(triples: readonly Triple[], sign: number): (figures: BlockFigures) => BlockFigures {
  const ratios = PRIMARY.map((primary) => {
    const { metric } = primary;
    const logs = triples.map((triple) => logRatio(triple, (figures) => valueOf(figures, primary)));
    const { estimate, standardError } = bootstrapInterval(logs, 1, RESAMPLES);
    return { metric, ratio: Math.exp(sign * Math.sqrt(Math.max(0, estimate ** 2 - standardError ** 2))) };
  });
  return (figures) =>
    ratios.reduce(
      (changed, { metric, ratio }) => ({ ...changed, [metric]: valueOf(figures, { metric }) * ratio }),
      figures,
    );
}

export interface PlantedGrowth {
  name: string;
  growth: Growth;
}

const times = (value: number | null, by: number): number | null => (value === null ? null : value * by);

/** Growths that only a clock sees. */
export const CLOCKS: readonly string[] = ['+15 % p50'];

/** What a regression looks like in a block: each must be found in 95 of 100 comparisons. */
export const PLANTED: readonly PlantedGrowth[] = [
  { name: '+10 % CPU per image', growth: (head) => ({ ...head, cpuMsPerImage: times(head.cpuMsPerImage, 1.1) }) },
  { name: '+15 % p50', growth: (head) => ({ ...head, imageP50Ms: head.imageP50Ms * 1.15 }) },
  {
    name: 'one extra query per image',
    growth: (head) => ({ ...head, queriesPerImage: head.queriesPerImage === null ? null : head.queriesPerImage + 1 }),
  },
  { name: '+20 % bytes', growth: (head) => ({ ...head, apiBytesPerImage: times(head.apiBytesPerImage, 1.2) }) },
  { name: 'a dropped batch window', growth: (head, images) => ({ ...head, framesPerBatch: 2 * images }) },
  { name: 'a leaked listener', growth: (head) => ({ ...head, listenerWarnings: 1 }) },
];

export const FALSE_ALARM_RUNS = 473;
export const POWER_RUNS = 100;
const SEED = 20_261;

export interface GateProof {
  same: Outcomes;
  planted: { name: string; found: Outcomes }[];
}

/** Spreads of the logarithm of a block's times for which the power is calculated: a quiet machine to a busy one. */
const SPREADS = [0.03, 0.05, 0.08, 0.12];
const CALCULATED_PAIRS = 200;

/** Pairs of a program with itself whose times are log-normal about those of the recording's first block: calculated, not measured. */
export function calculatedNoise(
  { triples, comparisons: _all, ...about }: RecordedNoise,
  spread: number,
): RecordedNoise {
  const normal = createNormal(createRandom(SEED, Math.round(spread * 1000)));
  const [first] = triples;
  if (first === undefined) throw new RangeError('the recording has no pair');
  const block = (): BlockFigures => ({
    ...first.a,
    ...Object.fromEntries(
      PRIMARY.map((metric) => [metric.metric, valueOf(first.a, metric) * Math.exp(spread * normal())]),
    ),
    foreignCpuShare: null,
    generatorLagP99Ms: null,
  });
  const calculated = Array.from({ length: CALCULATED_PAIRS }, () => ({
    a: block(),
    again: block(),
    b: block(),
    order: '',
  }));
  return { ...about, load: 'calculated', triples: calculated };
}

export interface Power {
  spread: number;
  same: Outcomes;
  cpu: Outcomes;
  p50: Outcomes;
}

/** How often a tenth more CPU and 15 % on p50 are found, by the spread of the noise. */
export const calculatePower = (noise: RecordedNoise, runs = POWER_RUNS): Power[] =>
  SPREADS.map((spread) => {
    const calculated = calculatedNoise(noise, spread);
    const play = (growth?: Growth): Outcomes =>
      playComparisons(calculated, { runs, seed: SEED, ...(growth ? { growth } : {}) });
    return { spread, same: play(), cpu: play(PLANTED[0]?.growth), p50: play(PLANTED[1]?.growth) };
  });

/** All figures of the proof; the same recording gives the same figures. `between` comparisons others get their turn. */
export async function playOn(
  noise: RecordedNoise,
  given: { same: number; planted: number; between?: () => Promise<void> },
): Promise<GateProof> {
  const play = async (runs: number, seed: number, growth?: Growth): Promise<Outcomes> => {
    await given.between?.();
    return playComparisons(noise, { runs, seed, ...(growth ? { growth } : {}) });
  };
  const same = await play(given.same, SEED);
  const planted: GateProof['planted'] = [];
  for (const [at, { name, growth }] of PLANTED.entries())
    planted.push({ name, found: await play(given.planted, SEED + 1 + at, growth) });
  return { same, planted };
}
