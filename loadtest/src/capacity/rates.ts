import { quantile } from '../measure/statistics.ts';
import { SINGLE_SPREAD, THROUGH_SHARE } from './assumptions.ts';
import { firstOutside, type Sourced } from './figure.ts';
import type { Ground } from './ground.ts';
import { MOST_WORKERS, type Question } from './question.ts';
import { rateOf, whyOutside } from './service-time.ts';
import { ceilingOf, machinesOf } from './stages.ts';
import { bootstrapUsl, drawnRates, fitUsl, LEAST_LEVELS, uslAt, type Usl } from './usl.ts';

/** Images a second by workers, as it is thought to be and as it could as well be. */
export interface Rates {
  law: 'scalability law' | 'line';
  /** Of the workers alone, nothing beside them. */
  workers: (count: number) => number;
  /** Whole: no more than the stages beside the workers let through. */
  at: (count: number) => number;
  draws: readonly ((count: number) => number)[];
  /** Fewest and most workers that were measured; null: none were in the service. */
  measured: readonly [number, number] | null;
  usl: { fit: Usl; draws: readonly Usl[] } | null;
  source: string;
  origin: Sourced['origin'];
  /** Why a rate of so many workers goes beyond what was measured. */
  outside: (count: number) => { outside?: string };
}

/** Where a question leaves it open, the workers run what they were measured with. */
export const asked = ({ service, maxBatch }: Ground, question: Question) => ({
  shape: question.shape ?? service.typical,
  batch: question.maxBatch ?? maxBatch,
});

/** A sweep of six levels is fitted by the scalability law; fewer are taken to lie on a line; a profile knows one device. */
export function ratesOf(ground: Ground, question: Question): Rates {
  const { service, levels, maxBatch } = ground;
  const { shape, batch } = asked(ground, question);
  const factor = rateOf(service, batch, shape) / rateOf(service, maxBatch, service.typical);
  const beyond = whyOutside(service, batch, shape);
  const ceilings = new Map<number, number>();
  function ceiling(machines: number): number {
    const known = ceilings.get(machines) ?? ceilingOf(ground, machines);
    ceilings.set(machines, known);
    return known;
  }
  const capped = (rate: (count: number) => number) => (count: number) =>
    Math.min(rate(count), ceiling(machinesOf(count, question)));
  const different = new Set(levels.map(({ workers }) => workers)).size;
  const measured = levels.length === 0 ? null : ([levels[0]!.workers, levels.at(-1)!.workers] as const);
  const outside = (count: number) => firstOutside(beyond, whyBeyondWorkers(count, measured));

  if (different >= LEAST_LEVELS) {
    const fit = scaled(fitUsl(levels), factor);
    const draws = bootstrapUsl(levels, question.seed).map((one) => scaled(one, factor));
    const central = (count: number) => uslAt(fit, count);
    return {
      law: 'scalability law',
      workers: central,
      at: capped(central),
      draws: draws.map((one) => capped((count) => uslAt(one, count))),
      measured,
      usl: { fit, draws },
      source: `Universal Scalability Law fitted to ${ground.levelsSource}`,
      origin: 'fitted',
      outside,
    };
  }
  const one = lineOf(ground);
  const central = (count: number) => count * one.perSecond * factor;
  return {
    law: 'line',
    workers: central,
    at: capped(central),
    draws: drawnRates(one.perSecond * factor, one.spread, question.seed).map((rate) => capped((count) => count * rate)),
    measured,
    usl: null,
    source: one.source,
    origin: one.origin,
    outside,
  };
}

const scaled = (usl: Usl, factor: number): Usl => ({ ...usl, perSecond: usl.perSecond * factor });

/** Images a second of one worker. */
function lineOf(ground: Ground): { perSecond: number; spread: number } & Pick<Sourced, 'origin' | 'source'> {
  const { levels, service, maxBatch } = ground;
  if (levels.length === 0) {
    const share = THROUGH_SHARE.value ?? 1;
    return {
      perSecond: share * rateOf(service, maxBatch, service.typical),
      spread: Math.max(service.misfit, 0.01),
      source: `${ground.levelsSource}; ${service.source}; times ${share}, ${THROUGH_SHARE.source}`,
      origin: 'assumed',
    };
  }
  // Levels count by what they tell: the inverse of their variance.
  const weights = levels.map(({ spread }) => 1 / spread ** 2);
  const total = weights.reduce((sum, weight) => sum + weight, 0);
  const log = levels.reduce((sum, { perSecond, workers }, at) => sum + weights[at]! * Math.log(perSecond / workers), 0);
  return {
    perSecond: Math.exp(log / total),
    spread: Math.max(Math.sqrt(1 / total), Math.min(...levels.map(({ spread }) => spread)), 0.01),
    source: `${ground.levelsSource}; workers taken not to hinder each other`,
    origin: levels.some(({ spread }) => spread === SINGLE_SPREAD) ? 'assumed' : 'measured',
  };
}

function whyBeyondWorkers(count: number, measured: readonly [number, number] | null): string | null {
  if (measured === null) return count > 1 ? `${count} workers: one device was measured, alone` : null;
  const [, most] = measured;
  return count > most ? `${count} workers: ${most} were measured at most` : null;
}

/** Fewest workers with this rate; Infinity where none have it. */
export function fewest(rate: (count: number) => number, needed: number): number {
  for (let count = 1; count <= MOST_WORKERS; count++) if (rate(count) >= needed) return count;
  return Infinity;
}

/** Ends of a 95 % interval over draws, infinite ones included. */
export function endsOf(values: readonly number[]): { low: number; high: number | null } {
  const high = quantile(values, 0.975);
  return { low: quantile(values, 0.025), high: Number.isFinite(high) ? high : null };
}
