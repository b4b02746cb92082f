/** A small batch behind a huge one. The pool is a timer: what is measured is the order in which images get their turn. */
import { FAIRNESS_BUDGETS } from './budgets-load.ts';
import type { FairnessScenario } from './scenario.ts';

export const FAIRNESS: FairnessScenario = {
  kind: 'fairness',
  name: 'fairness',
  title: 'a batch of 100 images behind one of 10,000, of another project and of its own',
  images: { count: 10_000, quickCount: 2000 },
  phases: { small: 100, imageMs: 20, urgent: 10 },
  budgets: FAIRNESS_BUDGETS,
  notApplicable: {},
};
