import type { Forecast, Forecasts, ScoredForecast } from '../contract/forecasts.ts';

/** One image that this model segmented: pixels, milliseconds in its worker, bytes of its outlines. */
export interface Measured {
  px: number;
  ms: number;
  bytes: number;
}
/** A batch that ended: what the work was reckoned to take on its workers, what an image of it was, and what it took. */
export interface Past {
  workers: number;
  /** Milliseconds of one of its images in a worker; null where a forecast of an earlier version did not keep it. */
  imageMs: number | null;
  workSeconds: number;
  tookSeconds: number;
}
/** Images of open batches of one project, and what one of them was reckoned to take in a worker; null where nothing was. */
export interface Waiting {
  images: number;
  imageMs: number | null;
}
export interface Demand {
  images: number;
  /** Pixels of an image: mean, least and most. */
  px: { mean: number; min: number; max: number };
  /** What waits of the same project, and of each other project: projects take turns. */
  ahead: { own: Waiting; others: Waiting[] };
}
export interface Ground {
  measured: readonly Measured[];
  ownProject: boolean;
  past: readonly Past[];
}

/** What is kept with a batch: later forecasts learn from `workSeconds`, and reckon with `imageMs` while it runs before them. */
export type KeptForecast = Forecast & { workSeconds: number; imageMs: number };
/** A forecast as others see it. */
export const shown = ({ workSeconds: _workSeconds, imageMs: _imageMs, ...forecast }: KeptForecast): Forecast =>
  forecast;

/** Fewer say nothing. */
export const MIN_MEASURED = 8;
export const MAX_PAST = 50;
/** Until the first image runs, and from the last result to its event: windows of relay, writer and sequencer. */
const START_SECONDS = 0.2;
/**
 * What is believed of took / reckoned before any batch ended, as a normal-inverse-gamma distribution of its logarithm: workers are busy
 * nine tenths of the time, which counts as one batch, and batches vary by a fifth, which counts as two.
 */
const BEFORE = { log: Math.log(1 / 0.9), batches: 1, deviation: 0.2, degrees: 2 };
/** Two-sided 95 % quantiles of Student's t for 2 to 30 degrees of freedom (NIST/SEMATECH e-Handbook, 1.3.6.7.2). */
const T95 = [
  4.303, 3.182, 2.776, 2.571, 2.447, 2.365, 2.306, 2.262, 2.228, 2.201, 2.179, 2.16, 2.145, 2.131, 2.12, 2.11, 2.101,
  2.093, 2.086, 2.08, 2.074, 2.069, 2.064, 2.06, 2.056, 2.052, 2.048, 2.045, 2.042,
];
const t95 = (degrees: number): number => T95[Math.min(Math.floor(degrees) - BEFORE.degrees, T95.length - 1)]!;

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

/** A batch four times as large, of images four times as heavy, or on half as many workers more, counts for three fifths of one that is alike. */
const ALIKE = { size: Math.log(4), image: Math.log(4), workers: Math.log(1.5) };

interface Learnt {
  /** Median of took / reckoned. */
  factor: number;
  /** To both sides of it, what holds 19 of 20 further batches. */
  spread: number;
  /** How many batches like this one that is from. */
  alike: number;
}
/** What batches took in proportion to what they were reckoned to take; those that are most like this one count most. */
function learnt(past: readonly Past[], here: { workSeconds: number; workers: number; imageMs: number }): Learnt {
  const seen = past.slice(0, MAX_PAST).map(({ workSeconds, tookSeconds, workers, imageMs }) => {
    const size = Math.log(workSeconds / here.workSeconds) / ALIKE.size;
    const image = Math.log((imageMs ?? here.imageMs) / here.imageMs) / ALIKE.image;
    const pool = Math.log(workers / here.workers) / ALIKE.workers;
    return { log: Math.log(tookSeconds / workSeconds), weight: Math.exp(-(size ** 2 + image ** 2 + pool ** 2) / 2) };
  });
  const alike = seen.reduce((sum, { weight }) => sum + weight, 0);
  const weighed = (value: (log: number) => number) =>
    seen.reduce((sum, { log, weight }) => sum + weight * value(log), 0);
  const centre = alike > 0 ? weighed((log) => log) / alike : BEFORE.log;
  const batches = BEFORE.batches + alike;
  const degrees = BEFORE.degrees + alike;
  // Posterior predictive: a t distribution, see Gelman et al., Bayesian Data Analysis, 3.3.
  const squares =
    BEFORE.degrees * BEFORE.deviation ** 2 +
    weighed((log) => (log - centre) ** 2) +
    ((BEFORE.batches * alike) / batches) * (centre - BEFORE.log) ** 2;
  const deviation = Math.sqrt((squares / degrees) * (1 + 1 / batches));
  return {
    factor: Math.exp((BEFORE.batches * BEFORE.log + alike * centre) / batches),
    spread: Math.exp(t95(degrees) * deviation),
    alike: Math.round(alike),
  };
}

/**
 * What a batch will take on `workers` inference processes.
 *
 * Work is images, own and those ahead, times the milliseconds of one in its worker, shared by the workers; what batches took in
 * proportion to that, the last fifty of them, corrects it and says how far off it may be (a log-normal prediction interval).
 * @returns null with fewer than eight measured images, no worker or no image
 */
export function predict({ measured, ownProject, past }: Ground, demand: Demand, workers: number): KeptForecast | null {
  if (measured.length < MIN_MEASURED || workers < 1 || demand.images < 1) return null;
  const { images, px, ahead } = demand;
  const sizes = measured.map((one) => one.px);
  const imageMs = atSize(measured, ({ ms }) => ms, px.mean);
  const line = images + ahead.own.images;
  const before = [ahead.own, ...ahead.others.map((one) => ({ ...one, images: Math.min(one.images, line) }))];
  const imagesAhead = before.reduce((sum, one) => sum + one.images, 0);
  const aheadMs = before.reduce((sum, one) => sum + one.images * (one.imageMs ?? imageMs), 0);
  const workSeconds = START_SECONDS + (images * imageMs + aheadMs) / workers / 1000;
  const { factor, spread, alike } = learnt(past, { workSeconds, workers, imageMs });
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
    imageMs: round(imageMs, 3),
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
