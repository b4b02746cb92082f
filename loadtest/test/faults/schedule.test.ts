import { describe, expect, it } from 'vitest';
import { FAULTS } from '../../../scenarios/faults.ts';
import { longestStallMs } from '../../src/faults/recovery.ts';
import { matrixOf, roundsOf, type Cell } from '../../src/faults/schedule.ts';
import { FAULT_TABLE } from '../../src/faults/table.ts';

const named = (cells: Iterable<Cell>) => [...cells].map(({ fault, instant }) => `${fault.id}@${instant}`);
function first(count: number, seed: number): Cell[] {
  const cells: Cell[] = [];
  for (const cell of roundsOf(seed, FAULT_TABLE)) if (cells.push(cell) === count) break;
  return cells;
}

describe('the list of faults', () => {
  it('has F1 to F17, each with a moment: armed before, or done', () => {
    const listed = FAULT_TABLE.map(({ id }) => id).filter((id) => id.startsWith('F'));
    expect(listed).toEqual(Array.from({ length: 17 }, (_, index) => `F${index + 1}`));
    expect(FAULT_TABLE.filter(({ act, arm }) => !act && !arm)).toEqual([]);
    expect(FAULT_TABLE.filter(({ act, barriers }) => !act && !barriers)).toEqual([]);
  });

  it('has a fault for every recovery that is judged', () => {
    const judged = FAULTS.budgets.map(({ name }) => name).filter((name) => name.startsWith('recovery_'));
    expect(new Set(FAULT_TABLE.flatMap(({ recovery }) => recovery ?? []))).toEqual(new Set(judged));
  });
});

describe('matrixOf', () => {
  const cells = matrixOf(7, FAULT_TABLE, FAULTS.instants);

  it('has each listed fault at each instant once', () => {
    const listed = named(cells).filter((name) => name.startsWith('F'));
    expect(new Set(listed).size).toBe(17 * 3);
    expect(listed).toHaveLength(17 * 3);
  });

  it('is the same for a seed, and another for another', () => {
    expect(named(matrixOf(7, FAULT_TABLE, FAULTS.instants))).toEqual(named(cells));
    expect(named(matrixOf(8, FAULT_TABLE, FAULTS.instants))).not.toEqual(named(cells));
    expect(named(matrixOf(8, FAULT_TABLE, FAULTS.instants)).toSorted()).toEqual(named(cells).toSorted());
  });

  it('gives each batch a threshold that no other has, within what a batch may ask for', () => {
    const thresholds = cells.flatMap((cell) => cell.thresholds);
    expect(new Set(thresholds).size).toBe(thresholds.length);
    expect(thresholds.every((threshold) => threshold >= 0.1 && threshold <= 0.9)).toBe(true);
  });
});

describe('roundsOf', () => {
  it('begins with one fault of each recovery, and has all of them in a round', () => {
    const round = first(FAULT_TABLE.length, 3);
    expect(new Set(round.slice(0, 4).map(({ fault }) => fault.recovery)).size).toBe(4);
    expect(new Set(round.map(({ fault }) => fault.id)).size).toBe(FAULT_TABLE.length);
  });

  it('is the same for a seed, and another for another', () => {
    expect(named(first(60, 3))).toEqual(named(first(60, 3)));
    expect(named(first(60, 4))).not.toEqual(named(first(60, 3)));
  });

  it('draws instants from the whole batch', () => {
    const instants = first(200, 5).map(({ instant }) => instant);
    expect(Math.min(...instants)).toBeLessThan(0.05);
    expect(Math.max(...instants)).toBeGreaterThan(0.95);
  });
});

describe('longestStallMs', () => {
  it('is the longest wait for an end, from the moment on', () => {
    expect(longestStallMs([50, 120, 130, 900, 950], 100)).toBe(770);
    expect(longestStallMs([500, 510], 100)).toBe(400);
  });
  it('is nothing where nothing was left', () => expect(longestStallMs([10, 20], 100)).toBeNull());
});
