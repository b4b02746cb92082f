import { Gauge } from 'prom-client';
import { BUDGET_LIMITS } from './budget-limits.gen.ts';
import type { Metrics } from './metrics.ts';

/** What the project promises, beside what it does: pages and rules outside can draw and compare it without a copy of the numbers. */
export function showBudgets({ registers }: Pick<Metrics, 'registers'>): void {
  const limits = new Gauge({
    name: 'segbench_budget_limit',
    help: 'Limit of a budget, in the unit that the label names.',
    labelNames: ['budget', 'unit', 'operator'] as const,
    registers,
  });
  for (const [budget, unit, operator, limit] of BUDGET_LIMITS) limits.set({ budget, unit, operator }, limit);
}
