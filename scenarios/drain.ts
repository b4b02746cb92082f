/** A rolling restart during a batch, behind a balancer that asks /readyz. The pool is a timer. */
import { DRAIN_BUDGETS } from './budgets-load.ts';
import type { DrainScenario } from './scenario.ts';

export const DRAIN: DrainScenario = {
  kind: 'drain',
  name: 'drain',
  title: 'a rolling restart of two APIs and two workers during a batch, seen from behind a balancer',
  images: { count: 2500, quickCount: 600 },
  phases: { imageMs: 50, requestsPerSecond: 40, checkMs: 100, drainMs: 2000, restMs: 1500 },
  budgets: DRAIN_BUDGETS,
  notApplicable: {},
};
