import { readFile, readdir } from 'node:fs/promises';
import { basename, dirname, join, resolve } from 'node:path';
import type { BudgetUnit, ResultFile } from '../contract.ts';
import { isSameMachine, isSameWork } from '../judge/baseline.ts';
import { median } from '../measure/statistics.ts';
import { sparkline } from './charts/sparkline.ts';
import { escapeMarkup as esc } from './escape.ts';
import { figuresOf, type ResultFigure } from './figures.ts';
import { formatValue } from './format.ts';

/** Earlier runs that are looked at; the oldest of more are left out. */
const MOST_RUNS = 50;
/** Fewer tell no more than a baseline would. */
const LEAST_RUNS = 3;

/**
 * The results that lie beside this run's folder: of the same work, on an equal machine, that ended by themselves; oldest first. What cannot be read
 * is no result.
 */
export async function readHistory(result: ResultFile, folder: string): Promise<ResultFile[]> {
  const [parent, own] = [dirname(resolve(folder)), basename(resolve(folder))];
  const names = (await readdir(parent).catch(() => []))
    .filter((name) => name !== own && /^\d{4}-\d\d-\d\dT/.test(name) && name.includes(result.scenario))
    .toSorted()
    .slice(-MOST_RUNS);
  const results = await Promise.allSettled(
    names.map(async (name) => {
      const one = JSON.parse(await readFile(join(parent, name, 'result.json'), 'utf8')) as ResultFile;
      return isEarlier(one, result) ? [one] : [];
    }),
  );
  return results.flatMap((one) => (one.status === 'fulfilled' ? one.value : []));
}

const ENDED = ['pass', 'fail', 'regression', 'inconclusive'];
const isEarlier = (one: ResultFile, now: ResultFile): boolean =>
  one.schemaVersion === 1 &&
  Array.isArray(one.budgets) &&
  one.startedAt < now.startedAt &&
  ENDED.includes(one.verdict) &&
  isSameWork(now, one) &&
  isSameMachine(now, one);

interface Row {
  name: string;
  unit: BudgetUnit;
  now: number;
  before: number[];
}

/** Each budget over the runs before this one, and folded away every other number; nothing where there are too few runs. */
export function historySection(result: ResultFile, before: readonly ResultFile[]): string {
  if (before.length < LEAST_RUNS) return '';
  const budgets = rowsOf([...before, result].map(budgetFigures));
  const others = rowsOf([...before, result].map(figuresOf));
  if (budgets.length + others.length === 0) return '';
  const moved = others.filter(({ now, before: values }) => values.some((value) => value !== now));
  const still = others.length - moved.length;
  const since = before[0]?.startedAt.slice(0, 10) ?? '';
  return `<section><h2>Over the stored results</h2><p class="soft">${before.length} runs of the same work on this machine since ${esc(since)}, this one last. No part of the verdict.</p>${rowsTable('budget', budgets)}${
    moved.length > 0
      ? `<details><summary>${moved.length} more figures</summary>${rowsTable('figure', moved)}${still > 0 ? `<p class="soft">${still} others never differed.</p>` : ''}</details>`
      : ''
  }</section>`;
}

const budgetFigures = ({ budgets }: ResultFile): ResultFigure[] =>
  budgets.flatMap(({ name, unit, actual }) => (actual === null ? [] : [{ name, unit, value: actual }]));

/** Figures of the last run that enough of those before it have too. @param runs oldest first */
function rowsOf(runs: readonly (readonly ResultFigure[])[]): Row[] {
  const earlier = runs.slice(0, -1).map((figures) => new Map(figures.map(({ name, value }) => [name, value])));
  return (runs.at(-1) ?? []).flatMap(({ name, unit, value: now }) => {
    const before = earlier.flatMap((values) => values.get(name) ?? []);
    return before.length < LEAST_RUNS ? [] : [{ name, unit, now, before }];
  });
}

function rowsTable(what: string, rows: readonly Row[]): string {
  if (rows.length === 0) return '';
  const head = ['now', 'median before', 'least', 'most'].map((name) => `<th class="r">${name}</th>`).join('');
  const lines = rows.map(({ name, unit, now, before }) => {
    const cells = [now, median(before), Math.min(...before), Math.max(...before)].map(
      (value) => `<td class="r">${esc(formatValue(value, unit))}</td>`,
    );
    return `<tr><td><code>${esc(name)}</code></td>${cells.join('')}<td>${sparkline([...before, now])}</td></tr>`;
  });
  return `<div class="scroll"><table><thead><tr><th>${what}</th>${head}<th>run by run</th></tr></thead><tbody>${lines.join('')}</tbody></table></div>`;
}
