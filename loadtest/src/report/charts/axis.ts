import type { BudgetUnit } from '../../contract.ts';

const HOUR = 3_600_000;
/** From how much on which unit is read with fewest digits. */
const STEPS: Readonly<Record<BudgetUnit, readonly (readonly [from: number, by: number, name: string])[]>> = {
  ms: [
    [3 * HOUR, HOUR, 'h'],
    [180_000, 60_000, 'min'],
    [3_000, 1_000, 's'],
    [0, 1, 'ms'],
  ],
  bytes: [
    [2e9, 1e9, 'GB'],
    [2e6, 1e6, 'MB'],
    [2e3, 1e3, 'kB'],
    [0, 1, 'B'],
  ],
  ratio: [[0, 0.01, '%']],
  'per-minute': [[0, 1, 'a minute']],
  count: [[0, 1, '']],
};

export interface Axis {
  label: string;
  of: (value: number) => number;
}

/** What an axis counts in, so that its ticks are round numbers of a unit that people know. */
export function axisOf({ name, unit }: { name: string; unit: BudgetUnit }, most: number): Axis {
  const [, by, unitName] = STEPS[unit].find(([from]) => most >= from) ?? STEPS[unit].at(-1)!;
  return { label: unitName === '' ? name : `${name}, ${unitName}`, of: (value) => value / by };
}
