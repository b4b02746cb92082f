import { quantileOfSorted } from '../measure/statistics.ts';
import { figure, type Figure } from './figure.ts';
import type { Ground } from './ground.ts';
import { pipelineOf } from './pipeline.ts';
import type { Plan } from './plan.ts';
import type { Question } from './question.ts';
import { asked, ratesOf } from './rates.ts';
import { simulate } from './simulate/simulate.ts';
import { tailMs, workersNeeded } from './workers-needed.ts';

/** What may be turned, with the most that it may be. */
export const KNOBS = {
  workers: { min: 1, max: 4096, what: 'workers' },
  batch: { min: 1, max: 64, what: 'images of a batch (MAX_BATCH)' },
  delay: { min: 0, max: 60_000, what: 'ms that an image waits for others (BATCH_DELAY_MS)' },
  side: { min: 16, max: 16_384, what: 'pixels of a side' },
  cells: { min: 0, max: 100_000, what: 'cells of an image' },
} as const;
export type Knob = keyof typeof KNOBS;
export const KNOB_NAMES = Object.keys(KNOBS) as Knob[];

export interface WhatIf {
  knob: Knob;
  value: number;
  /** Null value where none suffices, or nothing may be bought by it. */
  workers: Figure;
  /** With the workers of the plan, or as many as were asked for. */
  withWorkers: number;
  tookMs: Figure;
  /** Simulated, images coming evenly over the time to the deadline. */
  p99Ms: Figure;
  meanBatch: Figure;
}

/** Enough for a p99, and a fraction of a second. */
const IMAGES = 5000;
/** More than this of the workers busy, and the queue grows and grows: its tail says nothing. */
const FULL = 0.98;

/** The plan again with one thing turned, all else as it was. */
export function whatIf(ground: Ground, question: Question, plan: Plan, knob: Knob, value: number): WhatIf {
  const { shape } = asked(ground, question);
  const turned: Question = {
    ...question,
    ...(knob === 'batch' ? { maxBatch: value } : {}),
    ...(knob === 'delay' ? { batchDelayMs: value } : {}),
    ...(knob === 'side' ? { shape: { ...shape, name: 'what if', side: value } } : {}),
    ...(knob === 'cells' ? { shape: { ...shape, name: 'what if', cells: value } } : {}),
  };
  const withWorkers = knob === 'workers' ? value : (plan.workers.value ?? 1);
  const rates = ratesOf(ground, turned);
  const perSecond = (question.images / question.deadlineMs) * 1000;
  const run =
    perSecond >= FULL * rates.at(withWorkers)
      ? null
      : simulate(
          pipelineOf(ground, turned, rates, {
            workers: withWorkers,
            images: IMAGES,
            arrivals: { kind: 'random', perSecond },
          }),
        );
  const source = `simulated run of ${IMAGES.toLocaleString('en-US')} images, ${perSecond.toFixed(2)} a second`;
  const simulated = (found: number | null, unit: Figure['unit']): Figure =>
    figure(found, unit, { origin: 'simulated', source: found === null ? `more comes than ends; ${source}` : source });
  const illustrative = ground.illustrative;
  return {
    knob,
    value,
    workers:
      illustrative === null
        ? workersNeeded(ground, turned, rates).workers
        : figure(null, 'count', { origin: rates.origin, source: `no answer to buy by: ${illustrative}` }),
    withWorkers,
    tookMs: figure((1000 * question.images) / rates.at(withWorkers) + tailMs(ground, turned), 'ms', {
      origin: rates.origin,
      source: rates.source,
      ...rates.outside(withWorkers),
    }),
    p99Ms: simulated(run && quantileOfSorted(run.staysMs, 0.99), 'ms'),
    meanBatch: simulated(run && run.meanBatch, 'count'),
  };
}
