import { createRandom, type Random } from '../images/random.ts';
import type { BlockFigures, CompareVerdict, Triple } from './contract.ts';
import { decide, logRatio } from './decide.ts';
import { looksOf } from './looks.ts';
import { PRIMARY } from './metrics.ts';
import { BLOCKS } from './schedule.ts';
import { hodgesLehmann } from './statistics/location.ts';

/** Blocks of one program against itself, measured once for real, and where. */
export interface RecordedNoise {
  date: string;
  machine: string;
  load: string;
  commit: string;
  imagesPerBlock: number;
  workers: number;
  triples: Triple[];
}

/** What is planted into head's blocks. */
export type Growth = (head: BlockFigures, images: number) => BlockFigures;

export interface Outcomes {
  runs: number;
  verdicts: Record<CompareVerdict, number>;
  /** Mean of the pairs after which the runs ended. */
  meanPairs: number;
}

/** Enough for a decision; a report draws 2,000 times. */
const RESAMPLES = 200;

/**
 * Plays whole comparisons, looks and early ends included, on resampled noise. A pair is drawn with replacement from those recorded and
 * its three blocks change places by chance, since they are of one program. What two processes of one program differ by was measured
 * too: head gets that difference, up or down by the toss of a coin for each comparison. Load and lateness are left out, so that no
 * comparison escapes into "noisy": this judges the statistics alone.
 */
export function playComparisons(
  noise: RecordedNoise,
  given: { runs: number; seed: number; pairs?: number; growth?: Growth },
): Outcomes {
  const { runs, seed, pairs = 30, growth = (head) => head } = given;
  const verdicts: Outcomes['verdicts'] = { pass: 0, regression: 0, inconclusive: 0 };
  let taken = 0;
  for (let run = 0; run < runs; run++) {
    const random = createRandom(seed, run);
    const sign = random() < 0.5 ? 1 : -1;
    const apart = instanceRatios(noise.triples, sign);
    const triples = Array.from({ length: pairs }, () => {
      const { a, again, b } = shuffled(noise.triples, random);
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
  const quiet = BLOCKS.map((name): BlockFigures => ({
    ...drawn[name],
    foreignCpuShare: null,
    generatorLagP99Ms: null,
  }));
  for (let at = quiet.length - 1; at > 0; at--) {
    const other = Math.floor(random() * (at + 1));
    [quiet[at], quiet[other]] = [quiet[other]!, quiet[at]!];
  }
  const [a, again, b] = quiet as [BlockFigures, BlockFigures, BlockFigures];
  return { a, again, b };
}

/** Multiplies head's times by what the second process differed by in the recording, or by its inverse. */
function instanceRatios(triples: readonly Triple[], sign: number): (figures: BlockFigures) => BlockFigures {
  const ratios = PRIMARY.map(({ metric }) => ({
    metric,
    ratio: Math.exp(sign * hodgesLehmann(triples.map((triple) => logRatio(triple, (figures) => figures[metric])))),
  }));
  return (figures) =>
    ratios.reduce((changed, { metric, ratio }) => ({ ...changed, [metric]: figures[metric] * ratio }), figures);
}

export interface PlantedGrowth {
  name: string;
  growth: Growth;
}

/** What a regression looks like in a block: each must be found in 95 of 100 comparisons. */
export const PLANTED: readonly PlantedGrowth[] = [
  { name: '+10 % CPU per image', growth: (head) => ({ ...head, cpuMsPerImage: head.cpuMsPerImage * 1.1 }) },
  { name: '+15 % p50', growth: (head) => ({ ...head, imageP50Ms: head.imageP50Ms * 1.15 }) },
  {
    name: 'one extra query per image',
    growth: (head) => ({ ...head, queriesPerImage: head.queriesPerImage === null ? null : head.queriesPerImage + 1 }),
  },
  { name: '+20 % bytes', growth: (head) => ({ ...head, apiBytesPerImage: head.apiBytesPerImage * 1.2 }) },
  { name: 'a dropped batch window', growth: (head, images) => ({ ...head, framesPerBatch: 2 * images }) },
];

export const FALSE_ALARM_RUNS = 473;
export const POWER_RUNS = 100;
const SEED = 20_261;

export interface GateProof {
  same: Outcomes;
  planted: { name: string; found: Outcomes }[];
}

/** All figures of the proof; the same recording gives the same figures. */
export const proveGate = (noise: RecordedNoise): GateProof => ({
  same: playComparisons(noise, { runs: FALSE_ALARM_RUNS, seed: SEED }),
  planted: PLANTED.map(({ name, growth }, at) => ({
    name,
    found: playComparisons(noise, { runs: POWER_RUNS, seed: SEED + 1 + at, growth }),
  })),
});

/** The proof as it stands in docs/verdicts.md. */
export function gateProofTable({ same, planted }: GateProof): string[] {
  const row = (name: string, { runs, verdicts, meanPairs }: Outcomes): string =>
    `| ${name} | ${runs} | ${verdicts.regression} | ${verdicts.pass} | ${verdicts.inconclusive} | ${meanPairs.toFixed(1)} |`;
  return [
    '| planted | comparisons | regression | pass | inconclusive | pairs, mean |',
    '| --- | --- | --- | --- | --- | --- |',
    row('nothing', same),
    ...planted.map(({ name, found }) => row(name, found)),
  ];
}
