import type { JudgedBudget, ResultFile } from '../contract.ts';
import { budgetUse, formatActual, formatLimit, formatValue } from './format.ts';
import { cpuShares, timeShares, withoutQueue, type Share } from './way.ts';

/** A budget of which this share is used up is the next to fail. */
export const CLOSE = 0.8;
/** From this share of the time on which tasks wait for a CPU, the machine is too small for what it does. */
export const WAITED_SHARE = 0.25;
/** From this share of the time after the queue on a stage is worth a look though no CPU works on it. */
export const IDLE_SHARE = 0.25;

export interface Step {
  what: string;
  gain: string;
}
export interface Bottleneck {
  stage: string;
  /** Of an image's time, of what is left of that after the queue, and of its CPU time; null: it has none. */
  time: number | null;
  afterQueue: number | null;
  cpu: number | null;
}
export interface Advice {
  /** Budgets by how far they are from what they should be: failed ones, then those that are close. */
  targets: { name: string; now: string; target: string; gap: string }[];
  bottlenecks: Bottleneck[];
  /** What to do, each with what may be expected of it, the largest first. */
  steps: Step[];
  /** What one setting does. */
  quick: (Step & { setting: string })[];
  /** What to say where there is nothing to do. */
  nothing: string;
}

/** Share of a budget that is used up. Of a share that should be large, what is lacking counts: 95 % by 90 % has half of it left. */
export function usedOf(budget: JudgedBudget): number | null {
  const { unit, operator, actual, limit } = budget;
  const isShare = unit === 'ratio' && operator === '>=' && limit < 1;
  return isShare && actual !== null ? (1 - actual) / (1 - limit) : budgetUse(budget);
}

/** Failed ones in their order, then those that are close, the closest first. */
export function needy(budgets: readonly JudgedBudget[]): JudgedBudget[] {
  const used = (budget: JudgedBudget): number => usedOf(budget) ?? 0;
  const close = budgets.filter((budget) => budget.verdict === 'pass' && used(budget) >= CLOSE);
  return [
    ...budgets.filter(({ verdict }) => verdict === 'fail'),
    ...close.toSorted((one, other) => used(other) - used(one)),
  ];
}

export const targetOf = (budget: JudgedBudget): Advice['targets'][number] => ({
  name: budget.name,
  now: formatActual(budget),
  target: formatLimit(budget),
  gap: gapOf(budget),
});

/** How far a budget is from its limit, and on which side. */
export function gapOf({ actual, limit, unit, operator, verdict }: JudgedBudget): string {
  if (actual === null) return 'not measured';
  const away = formatValue(Math.abs(actual - limit), unit);
  if (verdict !== 'fail') return `${away} left`;
  return `${away} ${operator === '>=' ? 'short' : 'beyond'}`;
}

/** Stages by their share of an image's time. */
export function bottlenecksOf(stages: ResultFile['stages']): Bottleneck[] {
  const after = withoutQueue(stages);
  const cpu = cpuShares(stages);
  return timeShares(stages).map(({ stage, share }) => ({
    stage,
    time: share,
    afterQueue: shareOf(after, stage),
    cpu: shareOf(cpu, stage),
  }));
}

export const shareOf = (shares: readonly Share[], name: string): number | null =>
  shares.find(({ stage }) => stage === name)?.share ?? null;
