import { readFile, readdir } from 'node:fs/promises';
import { basename, dirname, join, resolve } from 'node:path';
import type { ResultFile } from '../contract.ts';
import { isSameMachine, isSameWork } from '../judge/baseline.ts';
import { median } from '../measure/statistics.ts';
import { escapeMarkup as esc } from './escape.ts';
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

/** Each budget over the runs before this one; nothing where there are too few. */
export function historySection(result: ResultFile, before: readonly ResultFile[]): string {
  if (before.length < LEAST_RUNS) return '';
  const rows = result.budgets.flatMap(({ name, unit, actual }) => {
    const values = before.flatMap((one) => one.budgets.find((budget) => budget.name === name)?.actual ?? []);
    if (actual === null || values.length < LEAST_RUNS) return [];
    const cells = [actual, median(values), Math.min(...values), Math.max(...values)].map((value) =>
      formatValue(value, unit),
    );
    return [
      `<tr><td><code>${esc(name)}</code></td>${cells.map((text) => `<td class="r">${esc(text)}</td>`).join('')}<td>${sparkline([...values, actual])}</td></tr>`,
    ];
  });
  if (rows.length === 0) return '';
  const head = ['now', 'median before', 'least', 'most'].map((name) => `<th class="r">${name}</th>`).join('');
  const since = before[0]?.startedAt.slice(0, 10) ?? '';
  return `<section><h2>Over the stored results</h2><p class="soft">${before.length} runs of the same work on this machine since ${esc(since)}, this one last. No part of the verdict.</p><div class="scroll"><table><thead><tr><th>budget</th>${head}<th>run by run</th></tr></thead><tbody>${rows.join('')}</tbody></table></div></section>`;
}

const WIDTH = 120;
const HEIGHT = 24;

/** A line of values in the colour of the text, the last one dotted; between its own least and most. */
function sparkline(values: readonly number[]): string {
  const [least, most] = [Math.min(...values), Math.max(...values)];
  const points = values.map((value, at) => [
    2 + (at / (values.length - 1)) * (WIDTH - 4),
    most > least ? HEIGHT - 2 - ((value - least) / (most - least)) * (HEIGHT - 4) : HEIGHT / 2,
  ]);
  const [x = 0, y = 0] = points.at(-1) ?? [];
  const line = points.map((point) => point.map((one) => one.toFixed(1)).join(',')).join(' ');
  return `<svg viewBox="0 0 ${WIDTH} ${HEIGHT}" width="${WIDTH}" height="${HEIGHT}" aria-hidden="true"><polyline points="${line}" fill="none" stroke="currentColor" stroke-width="1.5"/><circle cx="${x.toFixed(1)}" cy="${y.toFixed(1)}" r="2.5" fill="currentColor"/></svg>`;
}
