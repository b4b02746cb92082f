/** Budgets of the proof of the gate. `scenarios/budgets.ts` joins them to the others. */
import type { BudgetSpec } from '../loadtest/src/contract.ts';

const SOURCE = 'segbench: stops a real regression, and never cries wolf';

export const GATE_BUDGETS: readonly BudgetSpec[] = [
  {
    name: 'gate_false_alarms',
    unit: 'count',
    operator: '<=',
    limit: 1,
    description:
      'Regressions found in 473 comparisons of a program with itself, on recorded noise, of the worst recording',
    source: SOURCE,
  },
  {
    name: 'gate_power',
    unit: 'count',
    operator: '>=',
    limit: 95,
    description:
      'Of 100 comparisons with a planted growth on recorded noise, those that find it, of the growth that is found least; clocks on quiet recordings only',
    source: SOURCE,
  },
  {
    name: 'gate_wrong_passes',
    unit: 'count',
    operator: '<=',
    limit: 5,
    description: 'Of 100 comparisons with a planted growth on recorded noise, those that pass it, on any recording',
    source: SOURCE,
  },
  {
    name: 'gate_real_false_alarms',
    unit: 'count',
    operator: '=',
    limit: 0,
    description: 'Regressions found between two processes of one program, for real',
    source: SOURCE,
  },
  {
    name: 'gate_real_missed',
    unit: 'count',
    operator: '=',
    limit: 0,
    description: 'Planted growths that were passed, for real',
    source: SOURCE,
  },
];
