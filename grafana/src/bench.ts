import { BENCH_BUDGET_PANELS } from './budget-panels.ts';
import { one, type DashboardSpec } from './panel.ts';

const OF = 'scenario=~"$scenario", client=~"$client"';

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
          title: 'Share of the limit, every budget',
          description:
            'Value by limit: under 1 is good where a value must stay below its limit. Budgets of all scenarios, those without a panel of their own too.',
          unit: 'percentunit',
          queries: one(
            `max by (scenario, client, budget) (segbench_bench_budget_actual{${OF}}) / max by (scenario, client, budget) (segbench_bench_budget_limit{${OF}} > 0)`,
            '{{scenario}} {{client}} {{budget}}',
          ),
          width: 24,
        },
      ],
    },
    { title: 'Budgets of the main scenario', panels: BENCH_BUDGET_PANELS },
  ],
};
