import type { ResultFile, WithoutComparison } from '../contract.ts';
import { escapeMarkup as esc } from './escape.ts';
import { formatValue } from './format.ts';

export const WITHOUT_HEAD = ['figure', 'with', 'without', 'ratio'] as const;

/** The figures that moved, as text: metric, with, without, ratio. */
export function movedRows({ rows }: WithoutComparison): string[][] {
  return rows
    .filter(({ moved }) => moved)
    .map((row) => [
      row.metric,
      formatValue(row.with, row.unit),
      formatValue(row.without, row.unit),
      row.ratio === null ? '–' : row.ratio.toFixed(2),
    ]);
}

export function withoutTitle({ name, setting, rows, stopped }: WithoutComparison): string {
  const still = rows.filter(({ moved }) => !moved).length;
  const end = stopped === undefined ? '' : `; the run without it ended early: ${stopped}`;
  return `Without ${name} (${setting}): ${rows.length - still} figures moved, ${still} did not${end}`;
}

/** For a terminal. */
export function withoutLines(result: Pick<ResultFile, 'without'>): string[] {
  return (result.without ?? []).flatMap((comparison) => {
    const table = [[...WITHOUT_HEAD], ...movedRows(comparison)];
    const widths = WITHOUT_HEAD.map((_, column) => Math.max(...table.map((row) => row[column]?.length ?? 0)));
    const lines = table.map((row) =>
      row
        .map((cell, column) => (column === 0 ? cell.padEnd(widths[column] ?? 0) : cell.padStart(widths[column] ?? 0)))
        .join('  '),
    );
    return [withoutTitle(comparison), ...(table.length > 1 ? lines : []), ''];
  });
}

export function withoutSection({ without = [] }: Pick<ResultFile, 'without'>): string {
  if (without.length === 0) return '';
  const tables = without.map((comparison) => {
    const rows = movedRows(comparison).map(
      ([metric = '', ...cells]) =>
        `<tr><td>${esc(metric)}</td>${cells.map((cell) => `<td class="r">${esc(cell)}</td>`).join('')}</tr>`,
    );
    const head = WITHOUT_HEAD.map((cell, at) => `<th${at === 0 ? '' : ' class="r"'}>${cell}</th>`).join('');
    const table = `<div class="scroll"><table><thead><tr>${head}</tr></thead><tbody>${rows.join('')}</tbody></table></div>`;
    return `<p>${esc(withoutTitle(comparison))}</p>${rows.length > 0 ? table : ''}`;
  });
  return `<section><h2>What each switch is worth</h2>${tables.join('')}</section>`;
}
