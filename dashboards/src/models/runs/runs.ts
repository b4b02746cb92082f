import type { Run, RunBudget, RunFact } from '#contract/runs.ts';
import { rangeOf, type ChartData } from '../charts.ts';
import { formatBytes, formatCount, formatMs, formatNumber, formatPercent } from '../format.ts';

export type Tone = 'good' | 'warn' | 'bad' | 'unknown';
const TONES: Readonly<Record<string, Tone>> = {
  pass: 'good',
  fail: 'bad',
  regression: 'bad',
  error: 'bad',
  inconclusive: 'warn',
  interrupted: 'warn',
};
export const toneOfVerdict = (verdict: string): Tone => TONES[verdict] ?? 'unknown';

export const formatUnit = (value: number | null, unit: string): string => {
  if (value === null) return '–';
  if (unit === 'ms') return formatMs(value);
  if (unit === 'bytes') return formatBytes(value);
  if (unit === 'ratio') return formatPercent(value);
  return unit === 'per-minute' ? `${formatNumber(value)} /min` : formatCount(value);
};
export const limitWords = ({ operator, limit, unit }: RunBudget): string => `${operator} ${formatUnit(limit, unit)}`;

/** Budgets that were judged, and those of them that held. */
export function heldOf({ budgets }: Run): { held: number; judged: number } {
  const judged = budgets.filter(
    ({ verdict }) => verdict === 'pass' || verdict === 'fail' || verdict === 'inconclusive',
  );
  return { held: judged.filter(({ verdict }) => verdict === 'pass').length, judged: judged.length };
}

export interface Difference {
  name: string;
  base: string;
  now: string;
}
export function differences(base: readonly RunFact[], now: readonly RunFact[]): Difference[] {
  const before = new Map(base.map(({ name, value }) => [name, value]));
  const after = new Map(now.map(({ name, value }) => [name, value]));
  return [...new Set([...before.keys(), ...after.keys()])]
    .map((name) => ({ name, base: before.get(name) ?? '', now: after.get(name) ?? '' }))
    .filter((each) => each.base !== each.now);
}

export type Change = 'better' | 'worse' | 'same' | 'differs' | 'incomparable' | 'missing';
export interface CompareRow {
  name: string;
  unit: string;
  base: number | null;
  now: number | null;
  /** now / base; null where there is nothing to divide, or to compare. */
  ratio: number | null;
  /** Half of how far repeats inside a run were apart, as a share; of the two runs the larger one. Null where both measured it once. */
  noise: number | null;
  limit: string;
  verdict: string;
  change: Change;
}
/** Measured by a clock: they are the machine's as much as the program's. */
const TIMED: readonly string[] = ['ms', 'per-minute'];
/** What counts as the same: one run each tells no more. */
const SAME: Readonly<Record<string, number>> = { ms: 0.1, 'per-minute': 0.1, bytes: 0.05, ratio: 0.02, count: 0 };

function changeOf(
  { operator, unit }: RunBudget,
  base: number | null,
  now: number | null,
  noise: number | null,
): Change {
  if (base === null || now === null) return 'missing';
  if (Math.abs(now - base) <= Math.abs(base) * Math.max(SAME[unit] ?? 0, noise ?? 0)) return 'same';
  if (operator === '=') return 'differs';
  const lessIsBetter = operator.startsWith('<');
  return now < base === lessIsBetter ? 'better' : 'worse';
}

/** Two runs side by side. Different work: nothing is comparable. Different machines: no time is. */
export function compareRuns(base: Run, now: Run) {
  const work = differences(base.work, now.work);
  const machine = differences(base.machine, now.machine);
  const before = new Map(base.budgets.map((budget) => [budget.name, budget]));
  const after = new Map(now.budgets.map((budget) => [budget.name, budget]));
  const rows = [...new Set([...after.keys(), ...before.keys()])].map((name): CompareRow => {
    const budget = after.get(name) ?? before.get(name)!;
    const [was, is] = [before.get(name)?.actual ?? null, after.get(name)?.actual ?? null];
    const incomparable = work.length > 0 || (machine.length > 0 && TIMED.includes(budget.unit));
    const spreads = [before.get(name)?.spread, after.get(name)?.spread].filter((each) => typeof each === 'number');
    const noise = spreads.length === 0 ? null : Math.max(...spreads) / 2;
    const ratio = was === null || is === null || was === 0 || incomparable ? null : is / was;
    return {
      name,
      unit: budget.unit,
      base: was,
      now: is,
      ratio,
      noise,
      limit: limitWords(budget),
      verdict: after.get(name)?.verdict ?? 'not-run',
      change: incomparable ? 'incomparable' : changeOf(budget, was, is, noise),
    };
  });
  return { work, machine, rows };
}

/** Names of what runs of a scenario were judged by, those with a value first found first. */
export const metricsOf = (runs: readonly Run[], scenario: string): string[] => [
  ...new Set(runs.filter((run) => run.scenario === scenario).flatMap(({ budgets }) => budgets.map(({ name }) => name))),
];

/** More machines than this have one line together. */
const MACHINES_MAX = 3;
export interface History {
  unit: string;
  limit: RunBudget | null;
  /** The runs of the points, oldest first. */
  runs: Run[];
  /** Of each machine its own line: times of two are no trend. */
  machines: number;
  data: ChartData;
}

/** The negative control: it has to be red, and is no part of how a metric went. */
export const isControl = ({ client }: Pick<Run, 'client'>): boolean => client === 'naive';

/** A metric from run to run, oldest first; null where no run measured it. */
export function historyOf(runs: readonly Run[], scenario: string, metric: string): History | null {
  const found = runs
    .filter((run) => run.scenario === scenario && !isControl(run) && !Number.isNaN(Date.parse(run.startedAt)))
    .flatMap((run) => {
      const budget = run.budgets.find(({ name }) => name === metric);
      return budget && budget.actual !== null ? [{ run, budget, value: budget.actual }] : [];
    })
    .toSorted((a, b) => (a.run.startedAt < b.run.startedAt ? -1 : 1));
  if (found.length === 0) return null;
  const prints = [...new Set(found.map(({ run }) => JSON.stringify(run.machine)))];
  const machines = Math.min(MACHINES_MAX, prints.length);
  const lineOf = (run: Run) => Math.min(machines - 1, prints.indexOf(JSON.stringify(run.machine)));
  const lines = Array.from({ length: machines }, (_, line) =>
    found.map(({ run, value }) => (lineOf(run) === line ? value : null)),
  );
  const newest = found.at(-1)!.budget;
  const marks = [{ kind: 'budget' as const, value: newest.limit, line: 0 }];
  return {
    unit: newest.unit,
    limit: newest,
    runs: found.map(({ run }) => run),
    machines,
    data: {
      columns: [found.map((_, index) => index + 1), ...lines],
      marks,
      range: rangeOf(
        found.map(({ value }) => value),
        marks,
        false,
      ),
    },
  };
}
