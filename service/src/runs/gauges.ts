import { Gauge } from 'prom-client';
import type { Run } from '#contract/runs.ts';
import type { Metrics } from '../metrics.ts';
import { createProbe } from '../probe.ts';
import type { RunStore } from './store.ts';

/** A folder is read no oftener than this. */
const KEPT_MS = 60_000;
/** Of the newest runs, the last one of each scenario and client is shown. */
const RUNS = 50;

type LabelName = 'scenario' | 'client' | 'budget' | 'unit';
interface Row {
  labels: Partial<Record<LabelName, string>>;
  value: number;
}

const BUDGET_LABELS = ['scenario', 'client', 'budget', 'unit'] as const;
const RUN_LABELS = ['scenario', 'client'] as const;
const VERDICT: Readonly<Record<string, number>> = { pass: 1, fail: 0 };

function ofBudgets(run: Run, value: (budget: Run['budgets'][number]) => number | null): Row[] {
  return run.budgets.flatMap((budget) => {
    const number = value(budget);
    const { scenario, client } = run;
    const labels = { scenario, client, budget: budget.name, unit: budget.unit };
    return number === null ? [] : [{ labels, value: number }];
  });
}

/** Named as in the bench's own `metrics.prom`, so that both draw into the same charts. */
const FAMILIES: readonly { name: string; help: string; labelNames: readonly LabelName[]; rows: (run: Run) => Row[] }[] =
  [
    {
      name: 'segbench_bench_budget_actual',
      help: 'Measured value of a budget in the last run of its scenario; absent when it was not measured.',
      labelNames: BUDGET_LABELS,
      rows: (run) => ofBudgets(run, ({ actual }) => actual),
    },
    {
      name: 'segbench_bench_budget_limit',
      help: 'Limit of a budget in that run.',
      labelNames: BUDGET_LABELS,
      rows: (run) => ofBudgets(run, ({ limit }) => limit),
    },
    {
      name: 'segbench_bench_budget_ok',
      help: 'Whether a budget held in that run: 1 pass, 0 fail; absent when it was not judged.',
      labelNames: BUDGET_LABELS,
      rows: (run) => ofBudgets(run, ({ verdict }) => VERDICT[verdict] ?? null),
    },
    {
      name: 'segbench_bench_finished_timestamp_seconds',
      help: 'When the last run of a scenario ended, Unix time.',
      labelNames: RUN_LABELS,
      rows: ({ scenario, client, finishedAt }) => [
        { labels: { scenario, client }, value: Date.parse(finishedAt) / 1000 },
      ],
    },
  ];

/** The newest first. */
function lastOfEach(runs: readonly Run[]): Run[] {
  const last = new Map<string, Run>();
  for (const run of runs) {
    const key = `${run.scenario} ${run.client}`;
    if (!last.has(key)) last.set(key, run);
  }
  return [...last.values()];
}

/** The last run of each scenario that this machine has, for a history that Prometheus keeps. */
export function showRuns({ registers }: Pick<Metrics, 'registers'>, store: Pick<RunStore, 'list'>): void {
  const last = createProbe(async () => lastOfEach((await store.list({ limit: RUNS, offset: 0 })).items), {
    keptMs: KEPT_MS,
  });
  for (const { name, help, labelNames, rows } of FAMILIES)
    new Gauge({
      name,
      help,
      labelNames,
      registers,
      async collect() {
        const runs = (await last()) ?? [];
        this.reset();
        for (const { labels, value } of runs.flatMap(rows)) if (Number.isFinite(value)) this.set(labels, value);
      },
    });
}
