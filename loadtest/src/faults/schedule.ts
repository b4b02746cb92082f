import { createRandom, type Random } from '../images/random.ts';
import type { Fault } from './table.ts';

/** One batch with one fault. */
export interface Cell {
  index: number;
  fault: Fault;
  /** Share of the batch (or of the upload) that has ended when the fault comes, 0 to 1. */
  instant: number;
  /** Whether a real page is open. */
  page: boolean;
  /** Of the cell's batches, each its own: results of one cell are no other's. */
  thresholds: readonly [first: number, second: number];
}

const LOWEST = 0.1;
const STEP = 0.002;
/** So many cells have thresholds of their own within 0.1 to 0.9. */
const MOST = 199;
const thresholdsOf = (index: number): Cell['thresholds'] => {
  const first = LOWEST + 2 * STEP * (index % MOST);
  return [round(first), round(first + STEP)];
};
const round = (value: number) => Math.round(value * 1000) / 1000;

function shuffled<T>(items: readonly T[], random: Random): T[] {
  const all = [...items];
  for (let last = all.length - 1; last > 0; last--) {
    const other = Math.floor(random() * (last + 1));
    [all[last], all[other]] = [all[other] as T, all[last] as T];
  }
  return all;
}

/** Every fault at every instant once, in an order that the seed gives. A page is open where half of the batch has ended. */
export function matrixOf(seed: number, faults: readonly Fault[], instants: readonly number[]): Cell[] {
  const pairs = faults.flatMap((fault) => (fault.instants ?? instants).map((instant) => ({ fault, instant })));
  return shuffled(pairs, createRandom(seed)).map((pair, index) => ({
    ...pair,
    index,
    page: pair.instant === 0.5,
    thresholds: thresholdsOf(index),
  }));
}

/**
 * Faults without end, in rounds of all of them; those that a recovery time is judged of come first, the first fault included in
 * every run however short. Instants are drawn; the seed gives both. Every fifth batch has a page.
 */
export function* roundsOf(seed: number, faults: readonly Fault[]): Generator<Cell, never> {
  const random = createRandom(seed);
  for (let index = 0; ;) {
    const judged = shuffled(
      [...Map.groupBy(faults, ({ recovery }) => recovery)].flatMap(([name, all]) =>
        name === undefined ? [] : [all[Math.floor(random() * all.length)] as Fault],
      ),
      random,
    );
    const others = shuffled(
      faults.filter((fault) => !judged.includes(fault)),
      random,
    );
    for (const fault of [...judged, ...others]) {
      const instant = Math.round(random() * 100) / 100;
      yield { index, fault, instant, page: index % 5 === 0, thresholds: thresholdsOf(index) };
      index++;
    }
  }
}
