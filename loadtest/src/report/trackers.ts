import type { BudgetUnit, JudgedBudget, ResultFile } from '../contract.ts';

const UNITS: Readonly<Record<BudgetUnit, string>> = {
  ms: 'ms',
  bytes: 'bytes',
  count: 'count',
  ratio: 'ratio',
  'per-minute': '1/min',
};
const isUpper = ({ operator }: Pick<JudgedBudget, 'operator'>): boolean => operator !== '>=';
const rangeOf = (values: readonly number[]): string | undefined =>
  values.length < 2 ? undefined : `${Math.min(...values)} to ${Math.max(...values)}`;

const measuredOf = (result: ResultFile) =>
  result.budgets.flatMap((budget) => (budget.actual === null ? [] : [{ ...budget, actual: budget.actual }]));

/**
 * For github-action-benchmark, a file for each of its two tools `customSmallerIsBetter` and `customBiggerIsBetter`: it takes no
 * directions within one. Source: https://github.com/benchmark-action/github-action-benchmark
 */
export function actionBenchmark(result: ResultFile, better: 'smaller' | 'bigger'): string {
  const entries = measuredOf(result)
    .filter((budget) => isUpper(budget) === (better === 'smaller'))
    .map((budget) => {
      const range = rangeOf(budget.values);
      return {
        name: `${result.scenario}/${result.clientMode}/${budget.name}`,
        unit: UNITS[budget.unit],
        value: budget.actual,
        ...(range === undefined ? {} : { range }),
        extra: `limit ${budget.operator} ${budget.limit}, ${budget.verdict}`,
      };
    });
  return `${JSON.stringify(entries, null, 2)}\n`;
}

/**
 * Bencher Metric Format: benchmark, then measure, then value with the repeats' lowest and highest.
 * Source: https://bencher.dev/docs/reference/bencher-metric-format/
 */
export function bencherMetrics(result: ResultFile): string {
  const measures = measuredOf(result).map(({ name, actual, values }) => [
    name,
    {
      value: actual,
      ...(values.length > 1 ? { lower_value: Math.min(...values), upper_value: Math.max(...values) } : {}),
    },
  ]);
  return `${JSON.stringify({ [`${result.scenario}/${result.clientMode}`]: Object.fromEntries(measures) }, null, 2)}\n`;
}
