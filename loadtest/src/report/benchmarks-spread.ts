import type { JudgedBudget, ResultFile } from '../contract.ts';
import { median } from '../measure/statistics.ts';
import { titleOf } from './benchmarks-titles.ts';
import { formatValue } from './format.ts';

/** What must be equal before the values of two kept runs of a scenario make a spread; a seed may differ. */
const kindOf = (result: ResultFile): string => {
  const { cpuModel, cores, provider, inference } = result.environment;
  // A run of a part of a scenario leaves the budgets of the rest unjudged.
  const budgets = result.budgets.flatMap(({ name, verdict }) => (verdict === 'n/a' ? [] : [name]));
  const settings = Object.entries(result.settings ?? {});
  return JSON.stringify([
    titleOf(result),
    cpuModel,
    cores,
    provider,
    inference.provider,
    inference.model,
    settings,
    budgets,
  ]);
};

/** The kept runs of a scenario by what they are runs of, in their order. */
export const kindsOf = (results: readonly ResultFile[]): ResultFile[][] => [...Map.groupBy(results, kindOf).values()];

/** `one run`, or `2 of 3`. */
export function placeOf(result: ResultFile, kinds: readonly (readonly ResultFile[])[]): string {
  const kind = kinds.find((runs) => runs.includes(result)) ?? [result];
  return kind.length === 1 ? 'one run' : `${kind.indexOf(result) + 1} of ${kind.length}`;
}

/** `114 ms (105 to 173 ms)`: a budget over runs of one kind; fewer than two values have no spread. */
export function spreadOf({ name, unit }: Pick<JudgedBudget, 'name' | 'unit'>, runs: readonly ResultFile[]): string {
  const values = runs.flatMap(({ budgets }) => budgets.find((budget) => budget.name === name)?.actual ?? []);
  if (values.length < 2) return '–';
  const [middle, least, most] = [median(values), Math.min(...values), Math.max(...values)].map((value) =>
    formatValue(value, unit),
  );
  return least === most ? `${middle} (always)` : `${middle} (${least} to ${most})`;
}
