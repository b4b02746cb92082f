import type { Forecast, Forecasts, ScoredForecast } from '../contract/forecasts.ts';

/** One image that this model segmented: pixels, milliseconds in its worker, bytes of its outlines. */
export interface Measured {
  px: number;
  ms: number;
  bytes: number;
}
/** A batch that ended: what its images alone were reckoned to take on its workers, and what it took, in seconds. */
export interface Past {
  workers: number;
  workSeconds: number;
  tookSeconds: number;
}
export interface Demand {
  images: number;
  /** Pixels of an image: mean, least and most. */
  px: { mean: number; min: number; max: number };
  /** Images of the same project that wait, and of each other project: projects take turns. */
  ahead: { own: number; others: number[] };
}
export interface Ground {
  measured: readonly Measured[];
  ownProject: boolean;
  past: readonly Past[];
}

/** What is kept with a batch: `workSeconds` is what later forecasts learn from. */
export type KeptForecast = Forecast & { workSeconds: number };
/** A forecast as others see it. */
export const shown = ({ workSeconds: _workSeconds, ...forecast }: KeptForecast): Forecast => forecast;

/** Fewer say nothing. */
export const MIN_MEASURED = 8;
export const MAX_PAST = 20;
/** Until the first image runs, and from the last result to its event: windows of relay, writer and sequencer. */
const START_SECONDS = 0.2;
const MIN_PAST = 3;
/** Until three forecasts were held against batches: workers are taken to be busy nine tenths of the time, and the range is wide. */
const ASSUMED = { factor: 1 / 0.9, spread: 1.6 };
/** No machine repeats itself better; a shorter history that happens to agree must not promise it. */
const MIN_DEVIATION = 0.04;
/** Two-sided 95 % quantiles of Student's t for 2 to 19 degrees of freedom (NIST/SEMATECH e-Handbook, 1.3.6.7.2). */
const T95 = [
  4.303, 3.182, 2.776, 2.571, 2.447, 2.365, 2.306, 2.262, 2.228, 2.201, 2.179, 2.16, 2.145, 2.131, 2.12, 2.11, 2.101,
  2.093,
];

const mean = (values: readonly number[]): number => values.reduce((sum, value) => sum + value, 0) / values.length;

/** `value` of an image of `px` pixels: by a line where measured sizes differ by half, else in proportion to them. */
function atSize(measured: readonly Measured[], value: (one: Measured) => number, px: number): number {
  const sizes = measured.map((one) => one.px);
  const [meanPx, meanValue] = [mean(sizes), mean(measured.map(value))];
  const inProportion = (meanValue * px) / meanPx;
  if (Math.max(...sizes) < 1.5 * Math.min(...sizes)) return inProportion;
  const spread = measured.reduce((sum, one) => sum + (one.px - meanPx) ** 2, 0);
  const slope = measured.reduce((sum, one) => sum + (one.px - meanPx) * (value(one) - meanValue), 0) / spread;
  const fixed = meanValue - slope * meanPx;
  return slope >= 0 && fixed >= 0 ? fixed + slope * px : inProportion;
}

const round = (value: number, digits: number): number => Number(value.toFixed(digits));

/** A batch four times as large, or on half as many workers more, counts for three fifths of one that is alike. */
const ALIKE = { size: Math.log(4), workers: Math.log(1.5) };

interface Learnt {
  /** Geometric mean of took / reckoned. */
  factor: number;
  /** To both sides of it, what holds 19 of 20 further batches. */
  spread: number;
  /** How many batches like this one that is from. */
  alike: number;
}
/** What batches took in proportion to what they were reckoned to take; those that are most like this one count most. */
function learnt(past: readonly Past[], here: Pick<Past, 'workSeconds' | 'workers'>): Learnt {
  const seen = past.slice(0, MAX_PAST).map(({ workSeconds, tookSeconds, workers }) => {
    const off = [
      Math.log(workSeconds / here.workSeconds) / ALIKE.size,
      Math.log(workers / here.workers) / ALIKE.workers,
    ];
    return { log: Math.log(tookSeconds / workSeconds), weight: Math.exp(-(off[0]! ** 2 + off[1]! ** 2) / 2) };
  });
  const alike = seen.reduce((sum, { weight }) => sum + weight, 0);
  if (alike < 0.5) return { ...ASSUMED, alike: 0 };
  const centre = seen.reduce((sum, { log, weight }) => sum + weight * log, 0) / alike;
  const factor = Math.exp(centre);
  if (Math.round(alike) < MIN_PAST) return { factor, spread: ASSUMED.spread, alike: Math.round(alike) };
  const squares = seen.reduce((sum, { log, weight }) => sum + weight * (log - centre) ** 2, 0);
  const count = Math.round(alike);
  const deviation = Math.max(Math.sqrt(squares / (alike - 1)), MIN_DEVIATION) * Math.sqrt(1 + 1 / alike);
  return { factor, spread: Math.exp(T95[count - MIN_PAST]! * deviation), alike: count };
}

/**
 * What a batch will take on `workers` inference processes.
 *
 * Work is images, own and those ahead, times the milliseconds of one in its worker, shared by the workers; what batches took in
 * proportion to that, the last twenty of them, corrects it and says how far off it may be (a log-normal prediction interval).
 * @returns null with fewer than eight measured images, no worker or no image
 */
export function predict({ measured, ownProject, past }: Ground, demand: Demand, workers: number): KeptForecast | null {
  if (measured.length < MIN_MEASURED || workers < 1 || demand.images < 1) return null;
  const { images, px, ahead } = demand;
  const sizes = measured.map((one) => one.px);
  const line = images + ahead.own;
  const imagesAhead = ahead.own + ahead.others.reduce((sum, waiting) => sum + Math.min(waiting, line), 0);
  const own = images * atSize(measured, ({ ms }) => ms, px.mean);
  const others = imagesAhead * mean(measured.map(({ ms }) => ms));
  const workSeconds = START_SECONDS + (own + others) / workers / 1000;
  const { factor, spread, alike } = learnt(past, { workSeconds, workers });
  const seconds = workSeconds * factor;
  return {
    images,
    workers,
    imagesAhead,
    seconds: round(seconds, 1),
    low: round(seconds / spread, 1),
    high: round(seconds * spread, 1),
    resultBytes: Math.round(images * atSize(measured, ({ bytes }) => bytes, px.mean)),
    basis: {
      images: measured.length,
      ownProject,
      batches: alike,
      outside: px.min < 0.9 * Math.min(...sizes) || px.max > 1.1 * Math.max(...sizes),
    },
    workSeconds: round(workSeconds, 3),
  };
}

/** How well forecasts held; null without any. */
export function score(items: readonly ScoredForecast[]): Forecasts['score'] {
  if (items.length === 0) return null;
  const ratios = items.map(({ tookSeconds, forecast }) => tookSeconds / forecast.seconds);
  const off = ratios.map((ratio) => Math.abs(ratio - 1)).sort((a, b) => a - b);
  const middle = off.length / 2;
  return {
    batches: items.length,
    bias: round(Math.exp(mean(ratios.map(Math.log))) - 1, 3),
    error: round((off[Math.ceil(middle) - 1]! + off[Math.floor(middle)]!) / 2, 3),
    coverage: round(items.filter(({ inside }) => inside).length / items.length, 3),
  };
}
