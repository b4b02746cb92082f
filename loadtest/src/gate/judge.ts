import type { Measurement, Measurements, ReportTable } from '../contract.ts';
import { isQuiet, type NamedNoise } from './noise.ts';
import { CLOCKS, type GateProof, type Outcomes, type Power } from './played.ts';
import type { RealOutcome } from './real.ts';

/** What was played on one recording. */
export interface Played extends NamedNoise {
  proof: GateProof;
}

/** Played and real comparisons to the budgets of the gate. `wanted`: comparisons that were planned for real. Pure. */
export function gateMeasurements(
  played: readonly Played[],
  real: readonly RealOutcome[],
  wanted: { same: number; planted: number },
): Measurements {
  return {
    gate_false_alarms: worst(played.map(({ name, proof }) => [proof.same.verdicts.regression, `on ${name}`])),
    gate_power: power(played),
    gate_wrong_passes: worst(
      played.flatMap(({ name, proof }) =>
        proof.planted.map(({ name: plant, found }): [number, string] => [found.verdicts.pass, `${plant} on ${name}`]),
      ),
    ),
    ...realMeasurements(real, wanted),
  };
}

function worst(all: readonly (readonly [number, string])[]): Measurement {
  const [most] = all.toSorted(([one], [other]) => other - one);
  return most ? { actual: most[0], note: most[1] } : { actual: null, note: 'nothing was played' };
}

function power(played: readonly Played[]): Measurement {
  const found = played.flatMap(({ name, noise, proof }) =>
    proof.planted
      .filter((one) => isQuiet(noise) || !CLOCKS.includes(one.name))
      .map((one): [number, string] => [one.found.verdicts.regression, `${one.name} on ${name}`]),
  );
  const [least] = found.toSorted(([one], [other]) => one - other);
  if (!least) return { actual: null, note: 'nothing was played' };
  const quiet = played.some(({ noise }) => isQuiet(noise));
  return {
    actual: least[0],
    note: `least often found: ${least[1]}`,
    ...(quiet ? {} : { weakened: 'no recording is quiet enough to judge a clock' }),
  };
}

function realMeasurements(real: readonly RealOutcome[], wanted: { same: number; planted: number }): Measurements {
  const same = real.filter(({ plant }) => plant === null);
  const planted = real.filter(({ plant }) => plant !== null);
  const names = (outcomes: readonly RealOutcome[]) => outcomes.map(({ plant }) => plant?.name ?? 'nothing').join(', ');
  const alarms = same.filter(({ decision }) => decision.verdict === 'regression');
  const passed = planted.filter(({ decision }) => decision.verdict === 'pass');
  const untold = planted.filter(({ decision }) => decision.verdict === 'inconclusive');
  const short = (done: number, all: number) => (done < all ? { weakened: `only ${done} of ${all} were run` } : {});
  return {
    gate_real_false_alarms: {
      actual: same.length > 0 ? alarms.length : null,
      note: `${same.length} comparisons, ${same.filter(({ decision }) => decision.verdict === 'pass').length} passed`,
      ...short(same.length, wanted.same),
    },
    gate_real_missed: {
      actual: planted.length > 0 ? passed.length : null,
      note: passed.length > 0 ? names(passed) : `${planted.length - untold.length} found`,
      ...short(planted.length, wanted.planted),
      ...(untold.length > 0 ? { weakened: `this machine could not tell: ${names(untold)}` } : {}),
    },
  };
}

/** The tables of a proof, for every report. */
export function gateTables(
  played: readonly Played[],
  real: readonly RealOutcome[],
  calculated: readonly Power[] = [],
): ReportTable[] {
  return [
    ...(real.length > 0 ? [realTable(real)] : []),
    ...played.map(({ name, noise, proof }): ReportTable => ({
      title: `Played on the recording "${name}"`,
      note: `${noise.triples.length} pairs of ${noise.imagesPerBlock} images, ${noise.date}, ${noise.machine}; ${noise.load}`,
      columns: ['planted', 'comparisons', 'regression', 'pass', 'inconclusive', 'pairs, mean'].map((column) => ({
        name: column,
      })),
      rows: [row('nothing', proof.same), ...proof.planted.map(({ name: plant, found }) => row(plant, found))],
    })),
    ...(calculated.length > 0 ? [powerTable(calculated)] : []),
  ];
}

const powerTable = (calculated: readonly Power[]): ReportTable => ({
  title: 'Calculated, on noise of a given spread',
  note: `Log-normal noise of each block; regressions found in ${calculated[0]?.same.runs ?? 0} comparisons. Measured on no machine.`,
  columns: ['spread of a block', 'nothing', '+10 % CPU per image', '+15 % p50'].map((name) => ({ name })),
  rows: calculated.map(({ spread, same, cpu, p50 }) => [
    `${Math.round(spread * 100)} %`,
    ...[same, cpu, p50].map(({ verdicts }) => verdicts.regression),
  ]),
});

const row = (name: string, { runs, verdicts, meanPairs }: Outcomes) => [
  name,
  runs,
  verdicts.regression,
  verdicts.pass,
  verdicts.inconclusive,
  meanPairs.toFixed(1),
];

function realTable(real: readonly RealOutcome[]): ReportTable {
  const ratio = ({ decision }: RealOutcome, metric: string): string => {
    const found = decision.metrics.find((one) => one.metric === metric);
    return found ? `${found.ratio.toFixed(3)} (${found.low.toFixed(3)} to ${found.high.toFixed(3)})` : '–';
  };
  return {
    title: 'For real, end to end',
    note: 'Ratios of head over base with their 95 % intervals; a count that grew ends a comparison before any time is judged.',
    columns: ['planted', 'verdict', 'pairs', 'seconds', 'CPU per image', 'p50', 'why'].map((name) => ({ name })),
    rows: real.map((outcome) => [
      outcome.plant?.name ?? 'nothing',
      outcome.decision.verdict,
      outcome.triples.length,
      Math.round(outcome.tookMs / 1000),
      ratio(outcome, 'cpuMsPerImage'),
      ratio(outcome, 'imageP50Ms'),
      outcome.decision.words[0] ?? '',
    ]),
  };
}
