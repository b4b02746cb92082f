import { BUDGETS } from '../../../scenarios/budgets.ts';
import type { BudgetUnit, RunData, WithoutComparison, WithoutRow } from '../contract.ts';

interface Figure {
  metric: string;
  unit: BudgetUnit;
  of: (run: RunData) => number | null;
}

const phaseMs = (run: RunData, phase: string): number | null =>
  run.phases.find(({ name }) => name === phase)?.durationMs ?? null;
const cpuMs = (run: RunData, role: string): number | null => {
  const use = run.process[role];
  return use ? use.cpuSeconds * 1000 : null;
};

/** Beside the budgets: what a switch acts on directly, and what that costs where. */
const FIGURES: readonly Figure[] = [
  ...BUDGETS.map(({ name, unit }): Figure => ({
    metric: name,
    unit,
    of: (run) => run.measurements[name]?.actual ?? null,
  })),
  { metric: 'event frames at the page', unit: 'count', of: (run) => run.clientSummary.eventFrames ?? null },
  { metric: 'result bytes on the wire', unit: 'bytes', of: (run) => run.clientSummary.resultBytesWire },
  { metric: 'settle of the batch itself', unit: 'ms', of: (run) => run.clientSummary.batchSettleMs },
  { metric: 'duration of the burst', unit: 'ms', of: (run) => phaseMs(run, 'burst') },
  { metric: 'duration of browsing', unit: 'ms', of: (run) => phaseMs(run, 'browse') },
  { metric: 'CPU of the API', unit: 'ms', of: (run) => cpuMs(run, 'api') },
  { metric: 'CPU of inference', unit: 'ms', of: (run) => cpuMs(run, 'inference') },
  { metric: 'queries per image', unit: 'count', of: (run) => run.database?.queriesPerImage ?? null },
];

/** Two runs one after the other: a time counts as moved from a quarter on, what no clock is part of from a twentieth on. */
const TIMED: readonly BudgetUnit[] = ['ms', 'per-minute'];
const MOVED = { timed: 1.25, exact: 1.05 };

/** What one optimisation is worth: figures of the run with it beside those of a run without. Pure, and no part of a verdict. */
export function compareWithout(
  switched: Pick<WithoutComparison, 'name' | 'setting'>,
  runs: { with: RunData; without: RunData },
): WithoutComparison {
  const rows = FIGURES.map(({ metric, unit, of }) => rowOf(metric, unit, of(runs.with), of(runs.without)));
  const { stopped } = runs.without;
  return { ...switched, rows, ...(stopped ? { stopped: stopped.message } : {}) };
}

function rowOf(metric: string, unit: BudgetUnit, on: number | null, off: number | null): WithoutRow {
  const ratio = on === null || off === null || on === 0 ? null : off / on;
  const limit = TIMED.includes(unit) ? MOVED.timed : MOVED.exact;
  const moved = ratio === null ? on === 0 && (off ?? 0) !== 0 : ratio >= limit || ratio <= 1 / limit;
  return { metric, unit, with: on, without: off, ratio, moved };
}
