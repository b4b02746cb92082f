import { createNormal, createRandom } from '../images/random.ts';
import { mean } from '../measure/statistics.ts';
import { nonNegativeLeastSquares } from './least-squares.ts';

/**
 * The Universal Scalability Law, images a second of n workers: λn / (1 + α(n - 1) + βn(n - 1)). α is the share of the work that is
 * done one at a time (contention), β what each pair of workers costs (coherency). Gunther, Guerrilla Capacity Planning, 2007, chapter 4.
 */
export interface Usl {
  /** λ: images a second of one worker. */
  perSecond: number;
  alpha: number;
  beta: number;
}
/** What one step of a sweep found. */
export interface Level {
  workers: number;
  perSecond: number;
  /** Times per image of equal blocks of the level, ms: how much it varied. */
  blocksMs: readonly number[];
}

/** Three parameters, and as many left over to say how well they fit. */
export const LEAST_LEVELS = 6;
export const BOOTSTRAPS = 500;
/** Blocks of no time at all (images that one transaction ended) may be drawn together: then this. */
const LEAST_NOISE = 0.1;

export const uslAt = ({ perSecond, alpha, beta }: Usl, workers: number): number =>
  (perSecond * workers) / (1 + alpha * (workers - 1) + beta * workers * (workers - 1));

/**
 * Fits n / X(n) = 1/λ + α/λ (n - 1) + β/λ n (n - 1), which is linear in what is sought, with weights that make relative differences of
 * X count alike; nothing below 0.
 * @throws RangeError for fewer than six different numbers of workers
 */
export function fitUsl(points: readonly Pick<Level, 'workers' | 'perSecond'>[]): Usl {
  const different = new Set(points.map(({ workers }) => workers)).size;
  if (different < LEAST_LEVELS) throw new RangeError(`${different} levels, at least ${LEAST_LEVELS} are needed`);
  const [one, contention, coherency] = nonNegativeLeastSquares(
    points.map(({ workers: n }) => [1, n - 1, n * (n - 1)]),
    points.map(({ workers, perSecond }) => workers / perSecond),
    points.map(({ workers, perSecond }) => (perSecond / workers) ** 2),
  ) as [number, number, number];
  // Without a constant the law has no rate of one worker: the first level stands for it.
  if (!(one > 0)) throw new RangeError('the levels grow faster than their workers: no scalability law fits');
  return { perSecond: 1 / one, alpha: contention / one, beta: coherency / one };
}

/** Where more workers do less; null where that is nowhere. */
export function peakOf(usl: Usl): { workers: number; perSecond: number } | null {
  if (usl.beta <= 0) return null;
  const workers = Math.max(1, Math.sqrt(Math.max(0, 1 - usl.alpha) / usl.beta));
  return { workers, perSecond: uslAt(usl, workers) };
}

/**
 * Fits to levels that could have been measured as well: what the fit leaves over, drawn anew for each level and widened for the
 * parameters it has used up, times a mean of the level's own blocks drawn anew (Davison and Hinkley, Bootstrap Methods and their
 * Application, 1997, 6.3 and 8.2). The same seed gives the same fits.
 */
export function bootstrapUsl(levels: readonly Level[], seed: number, resamples = BOOTSTRAPS): Usl[] {
  const fit = fitUsl(levels);
  const used = 1 + Number(fit.alpha > 0) + Number(fit.beta > 0);
  const wide = Math.sqrt(levels.length / (levels.length - used));
  const left = levels.map((level) => wide * Math.log(level.perSecond / uslAt(fit, level.workers)));
  const random = createRandom(seed, levels.length);
  const oneOf = <T>(values: readonly T[]): T => values[Math.floor(random() * values.length)]!;
  const blockNoise = ({ blocksMs }: Level): number =>
    blocksMs.length < 2 ? 1 : 1 / Math.max(LEAST_NOISE, mean(blocksMs.map(() => oneOf(blocksMs))) / mean(blocksMs));
  const fits: Usl[] = [];
  for (let tries = 0; fits.length < resamples && tries < 3 * resamples; tries++) {
    const again = levels.map((level) => ({
      workers: level.workers,
      perSecond: uslAt(fit, level.workers) * Math.exp(oneOf(left)) * blockNoise(level),
    }));
    try {
      fits.push(fitUsl(again));
    } catch (error) {
      if (!(error instanceof RangeError)) throw error;
    }
  }
  return fits;
}

/** Rates of one worker that could have been measured as well, log-normal. @param spread standard deviation of their logarithm */
export function drawnRates(perSecond: number, spread: number, seed: number, resamples = BOOTSTRAPS): number[] {
  const normal = createNormal(createRandom(seed, 1));
  return Array.from({ length: resamples }, () => perSecond * Math.exp(spread * normal()));
}
