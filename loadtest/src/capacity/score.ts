import { mean } from '../measure/statistics.ts';
import { figure, type Figure } from './figure.ts';
import type { Ground } from './ground.ts';
import type { Question } from './question.ts';
import { endsOf, ratesOf } from './rates.ts';

/** What was predicted of one level of a run that the plan does not stand on, and what it did. */
export interface Score {
  file: string;
  workers: number;
  /** Images a second. */
  predicted: Figure;
  measured: number;
  /** Predicted by measured, less 1. */
  error: number;
  inside: boolean;
}
export interface Scores {
  rows: Score[];
  /** Geometric mean of predicted by measured, less 1: what all of them are off by. */
  bias: number;
  /** Share of the measured ones within their interval: 95 % where the intervals are right. */
  coverage: number;
}

/** Holds the rates of a plan against other runs, with their own images and workers. Null for none. */
export function scoresOf(ground: Ground, question: Question, others: readonly Ground[]): Scores | null {
  const rows = others.flatMap((other) => {
    const rates = ratesOf(ground, { ...question, shape: other.service.typical, maxBatch: other.maxBatch });
    return other.levels.map(({ workers, perSecond }): Score => {
      const value = rates.at(workers);
      const { low, high } = endsOf(rates.draws.map((rate) => rate(workers)));
      const { origin, source } = rates;
      return {
        file: other.file,
        workers,
        predicted: { ...figure(value, 'per-second', { origin, source, ...rates.outside(workers) }), low, high },
        measured: perSecond,
        error: value / perSecond - 1,
        inside: perSecond >= low && perSecond <= (high ?? Infinity),
      };
    });
  });
  if (rows.length === 0) return null;
  return {
    rows,
    bias: Math.exp(mean(rows.map(({ error }) => Math.log(1 + error)))) - 1,
    coverage: mean(rows.map(({ inside }) => Number(inside))),
  };
}
