import type { BudgetUnit, ResultFile } from '../contract.ts';
import { RATCHET_METRICS } from '../judge/ratchet.ts';

/** A number of a result, by the place where `result.json` has it. */
export interface ResultFigure {
  name: string;
  unit: BudgetUnit;
  value: number;
}

/** Parts of a result whose numbers are measured, not given. */
const MEASURED = ['efficiency', 'accuracy', 'database', 'batchEvents', 'client', 'stages', 'process', 'noise'] as const;
const UNITS: readonly (readonly [ending: RegExp, unit: BudgetUnit])[] = [
  [/Ms$|MsPerImage$/, 'ms'],
  [/Bytes$|BytesWire$/, 'bytes'],
  [/Ratio$|Share$|IoU$|^ap\d+$/, 'ratio'],
];
const unitOf = (key: string): BudgetUnit => UNITS.find(([ending]) => ending.test(key))?.[1] ?? 'count';

/** Every number that a run measured beside its budgets: what is derived for each image or second first, then all others. */
export function figuresOf(result: ResultFile): ResultFigure[] {
  const derived = RATCHET_METRICS.flatMap(({ name, unit, of }): ResultFigure[] => {
    const value = of(result);
    return value === null ? [] : [{ name, unit, value }];
  });
  return [...derived, ...MEASURED.flatMap((part) => numbersIn(part, result[part]))];
}

/** Lists, such as the bins of a histogram, are no figures. */
function numbersIn(path: string, value: unknown): ResultFigure[] {
  if (typeof value === 'number') {
    const key = path.split('.').at(-1) ?? path;
    return [{ name: path, unit: unitOf(key), value }];
  }
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return [];
  return Object.entries(value).flatMap(([key, inner]) => numbersIn(`${path}.${key}`, inner));
}
