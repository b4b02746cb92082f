import type { BudgetName, BudgetSpec, BudgetUnit } from '../../loadtest/src/contract.ts';
import { BUDGETS, budgetOf } from '../../scenarios/budgets.ts';
import { isShare } from '../../prometheus/src/burn.ts';
import { LIVE_BUDGETS, limitOf, type LiveBudget } from '../../prometheus/src/live-budgets.ts';
import { one, type PanelSpec } from './panel.ts';

const goodSide = ({ operator }: BudgetSpec): 'below' | 'above' => (operator === '>=' ? 'above' : 'below');
/** Of values in base units. */
const LIVE_UNIT: Readonly<Record<BudgetUnit, string>> = {
  ms: 's',
  // as budgets are written: 512 MB are 512e6 bytes
  bytes: 'decbytes',
  ratio: 'percentunit',
  count: 'short',
  'per-minute': 'cpm',
};
/** Of values as the bench writes them. */
const BENCH_UNIT: Readonly<Record<BudgetUnit, string>> = { ...LIVE_UNIT, ms: 'ms' };

const sentence = (text: string): string => (text.endsWith('.') ? text : `${text}.`);

function liveBudget({ budgets: [name, ...others], title, caveat, value }: LiveBudget): PanelSpec {
  const spec = budgetOf(name);
  const also = others.length === 0 ? '' : ` The same limit: ${others.join(', ')}.`;
  return {
    title,
    description: `${name}: ${sentence(spec.description)}${caveat === undefined ? '' : ` ${caveat}`}${also} Limit by: ${sentence(spec.source)}`,
    unit: LIVE_UNIT[spec.unit],
    queries: one(value, name),
    limit: { value: limitOf(spec), good: goodSide(spec) },
  };
}
/** One for each budget that a running service can be held to. */
export const LIVE_BUDGET_PANELS: readonly PanelSpec[] = LIVE_BUDGETS.map(liveBudget);

/** Of a budget that a share of events may miss: how much of what it allows is used. */
export const BURN_PANEL: PanelSpec = {
  title: 'Burn of the budgets',
  description:
    'Share of bad events, by what the budget allows: at 1 it is used up as fast as it may be. From the recording rules; tickets come at 14.4 and 6 (fast), 3 and 1 (slow) over longer windows.',
  unit: 'short',
  queries: LIVE_BUDGETS.filter(isShare).map(({ budgets: [name], objective }) => ({
    expr: `segbench:budget_bad:rate5m{budget="${name}"} / segbench:budget_events:rate5m{budget="${name}"} / ${Number((1 - objective).toFixed(6))}`,
    legend: name,
  })),
  limit: { value: 1, good: 'below' },
  width: 24,
};

function benchBudget(name: BudgetName): PanelSpec {
  const spec = budgetOf(name);
  return {
    title: name,
    description: `${sentence(spec.description)} Limit by: ${sentence(spec.source)}`,
    unit: BENCH_UNIT[spec.unit],
    queries: one(
      `max by (scenario, client) (segbench_bench_budget_actual{budget="${name}", scenario=~"$scenario", client=~"$client"})`,
      '{{scenario}} {{client}}',
    ),
    limit: { value: spec.limit, good: goodSide(spec) },
  };
}
/** One for each budget of the main scenario. */
export const BENCH_BUDGET_PANELS: readonly PanelSpec[] = BUDGETS.map(({ name }) => benchBudget(name));
