import { ALL_BUDGETS } from '../../scenarios/budgets.ts';
import { BENCH_BUDGET_PANELS } from './budget-panels.ts';
import { one, type DashboardSpec } from './panel.ts';

const OF = 'scenario=~"$scenario", client=~"$client"';
const EXACT = ALL_BUDGETS.filter(({ operator }) => operator === '=').map(({ name }) => name);
const last = (what: string, only = ''): string =>
  `max by (scenario, client, budget) (segbench_bench_budget_${what}{${OF}${only}})`;
/** Value by limit, of budgets with room. */
const SHARE = `(${last('actual', `, budget!~"${EXACT.join('|')}"`)} / (${last('limit')} > 0))`;
const HELD = last('ok');

export const BENCH: DashboardSpec = {
  uid: 'segbench-bench',
  title: 'segbench: bench history',
  description:
    'The last run of each scenario that an API process finds in RESULTS_DIR, over the time that Prometheus keeps. The page /runs has each run, and compares two.',
  from: 'now-30d',
  variables: [
    { name: 'scenario', label: 'Scenario', metric: 'segbench_bench_budget_actual' },
    { name: 'client', label: 'Client', metric: 'segbench_bench_budget_actual' },
  ],
  rows: [
    {
      title: 'Runs',
      panels: [
        {
          title: 'Budgets that failed',
          description: 'Of the last run of each scenario. The naive client fails on purpose.',
          unit: 'short',
          queries: one(
            `sum by (scenario, client) (1 - max by (scenario, client, budget) (segbench_bench_budget_ok{${OF}}))`,
            '{{scenario}} {{client}}',
          ),
          limit: { value: 1, good: 'below' },
          width: 12,
        },
        {
          title: 'Since the last run',
          description: 'How old what is shown here is.',
          unit: 's',
          queries: one(
            `time() - max by (scenario, client) (segbench_bench_finished_timestamp_seconds{${OF}})`,
            '{{scenario}} {{client}}',
          ),
          width: 12,
        },
        {
          title: 'Nearest to the limit',
          description:
            'Of the budgets of all scenarios that held, those without a panel of their own too: the ten with the least room. At 100 % there is none; budgets that ask for one exact value are left out.',
          unit: 'percentunit',
          queries: one(
            `topk(10, (${SHARE} <= 1 or 1 / ${SHARE}) and ${HELD} == 1)`,
            '{{scenario}} {{client}} {{budget}}',
          ),
          limit: { value: 1, good: 'below' },
          width: 24,
        },
      ],
    },
    { title: 'Budgets of the main scenario', panels: BENCH_BUDGET_PANELS },
  ],
};
