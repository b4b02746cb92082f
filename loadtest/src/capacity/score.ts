import { mean } from '../measure/statistics.ts';
import { figure, type Figure } from './figure.ts';
import type { Ground, MeasuredLevel } from './ground.ts';
import type { Question } from './question.ts';
import { endsOf, ratesOf } from './rates.ts';

/** What was predicted of one level of a run that the plan does not stand on, and what it did. */
export interface Score {
  file: string;
  workers: number;
  /** Images a second, on the CPU that harness and browser left in that run. */
  predicted: Figure;
  /** What the prediction was multiplied by for that; 1 where cores were idle, or nobody knows. */
  cpuLeft: number;
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

/** A page that draws and a client that checks take of the same cores: another share of them than in the run that the plan stands on. */
function cpuLeftOf({ levels }: Ground, { workers, harnessShare }: MeasuredLevel): number {
  const near = levels.toSorted((a, b) => Math.abs(a.workers - workers) - Math.abs(b.workers - workers))[0];
  const before = near?.harnessShare ?? null;
  return harnessShare === null || before === null ? 1 : (1 - harnessShare) / (1 - before);
}

/** Holds the rates of a plan against other runs, with their own images and workers. Null for none. */
export function scoresOf(ground: Ground, question: Question, others: readonly Ground[]): Scores | null {
  const rows = others.flatMap((other) => {
    const rates = ratesOf(ground, { ...question, shape: other.service.typical, maxBatch: other.maxBatch });
    return other.levels.map((level): Score => {
      const { workers, perSecond } = level;
      const cpuLeft = cpuLeftOf(ground, level);
      const value = rates.at(workers) * cpuLeft;
      const { low, high } = endsOf(rates.draws.map((rate) => rate(workers) * cpuLeft));
      const { origin, source } = rates;
      return {
        file: other.file,
        workers,
        predicted: { ...figure(value, 'per-second', { origin, source, ...rates.outside(workers) }), low, high },
        cpuLeft,
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
