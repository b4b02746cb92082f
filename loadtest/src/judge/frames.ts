import { budgetOf } from '../../../scenarios/budgets.ts';
import type { BudgetName, Measurement, Measurements } from '../contract.ts';
import { median } from '../measure/statistics.ts';
import { holds } from './budgets.ts';

/** Frames of one kind of movement, several times: 95th percentiles of their intervals, and those of a plain page after late ones, ms. */
export interface FrameSweeps {
  p95sMs: readonly number[];
  plainP95sMs: readonly number[];
}

/** Whether such frames cross the budget's limit, so that a plain page is to be looked at, too. */
export function isLate(budget: BudgetName, ms: number): boolean {
  const { operator, limit } = budgetOf(budget);
  return !holds[operator](ms, limit);
}

export const floorOf = (plainMs: readonly number[]): Pick<Measurement, 'floor'> =>
  plainMs.length > 0 ? { floor: { actual: median(plainMs), of: 'a plain page’s frames' } } : {};

/**
 * A budget of frames: the median of the sweeps, of several kinds of movement the largest. Its floor is the lowest of those that are late, so
 * that the machine of one excuses no other.
 */
export function framesOf(budget: BudgetName, ...kinds: readonly FrameSweeps[]): Measurement {
  const floors = kinds
    .filter(({ p95sMs }) => isLate(budget, median(p95sMs)))
    .flatMap(({ plainP95sMs }) => floorOf(plainP95sMs).floor ?? []);
  return {
    ...pooled(kinds.map(({ p95sMs }) => p95sMs)),
    ...lowest(floors),
  };
}

/** @param sweeps of each kind of movement */
export const pooled = (
  sweeps: readonly (readonly number[])[],
): Required<Pick<Measurement, 'values' | 'sweeps'>> & { actual: number } => ({
  actual: Math.max(...sweeps.map(median)),
  values: sweeps.flat(),
  sweeps: sweeps.map((kind) => [...kind]),
});

/** The same of several repeats: all their sweeps together; null where one of them kept none. */
export function mergeSweeps(repeats: readonly Measurement['sweeps'][]): ReturnType<typeof pooled> | null {
  const [first] = repeats;
  const whole = repeats.filter((sweeps) => sweeps !== undefined);
  if (first === undefined || whole.length < repeats.length) return null;
  return pooled(first.map((_, kind) => whole.flatMap((sweeps) => sweeps[kind] ?? [])));
}

/** What the machine could do at its best. */
export function lowest(floors: readonly NonNullable<Measurement['floor']>[]): Pick<Measurement, 'floor'> {
  const [floor] = floors.toSorted((a, b) => a.actual - b.actual);
  return floor ? { floor } : {};
}

/** For what was planted: it is judged whatever the machine could do. */
export function withoutFloors(measurements: Measurements): Measurements {
  const bare = structuredClone(measurements);
  for (const measurement of Object.values(bare)) delete measurement.floor;
  return bare;
}
