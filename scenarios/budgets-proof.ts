/** Budgets of the delivery proof: all are counts of what must not happen. `scenarios/budgets.ts` joins them to the others. */
import type { BudgetName, BudgetSpec } from '../loadtest/src/contract.ts';

const none = (name: BudgetName, description: string): BudgetSpec => ({
  name,
  unit: 'count',
  operator: '=',
  limit: 0,
  description,
  source: 'segbench: nothing lost, nothing twice',
});

export const PROOF_BUDGETS: readonly BudgetSpec[] = [
  none('proof_not_accepted', 'Images that were sent and not accepted, or got the id of another one'),
  none('proof_not_ended', 'Accepted images that never ended completed or failed, asked at last'),
  none('proof_lost', 'Images that ended, and whose end the client was never told'),
  none('proof_twice', 'Ends that were told more than once, and those of images that were never sent'),
  none('proof_late', 'Ends that were told more than 5 s after the target, asked, had said that the image ended'),
  none('proof_untrue', 'Ends as told that are not so when the target is asked, and completed images without a result'),
  none('proof_gaps', 'Events whose number, by the target’s own counting, skips, repeats or goes back'),
];
