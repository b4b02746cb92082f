/** Budgets of more workers. `scenarios/budgets.ts` joins them to the others. */
import type { BudgetSpec } from '../loadtest/src/contract.ts';

const SOURCE = 'segbench: twice the workers, twice the images';

export const SCALE_BUDGETS: readonly BudgetSpec[] = [
  {
    name: 'scale_share_to_4',
    unit: 'ratio',
    timed: true,
    operator: '>=',
    limit: 0.95,
    description: 'Images a second of up to 4 workers, by as many times those of one, the least of all steps',
    source: SOURCE,
  },
  {
    name: 'scale_share',
    unit: 'ratio',
    timed: true,
    operator: '>=',
    limit: 0.9,
    description: 'Images a second of up to 32 workers, by as many times those of one, the least of all steps',
    source: SOURCE,
  },
  {
    name: 'scale_kill_lost_ms',
    unit: 'ms',
    timed: true,
    operator: '<=',
    limit: 10_000,
    description:
      'Time that a batch took longer than by arithmetic, half of whose workers were killed; their lease is 5 s',
    source: SOURCE,
  },
  {
    name: 'scale_images_wrong',
    unit: 'count',
    operator: '=',
    limit: 0,
    description: 'Images that did not complete, and counters that differ from rows',
    source: SOURCE,
  },
  {
    name: 'scale_events_wrong',
    unit: 'count',
    operator: '=',
    limit: 0,
    description: 'Images whose end a reader was not told exactly once',
    source: SOURCE,
  },
];
