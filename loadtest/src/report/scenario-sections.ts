import type { ReportPlot, ReportTable, ResultFile } from '../contract.ts';
import { escapeMarkup as esc } from './escape.ts';
import { formatValue } from './format.ts';
import { linesChart } from './html-lines.ts';

export const tableHead = ({ columns }: ReportTable): string[] => columns.map(({ name }) => name);

/** Worth a line outside of the HTML report. */
export const isMain = ({ detail }: ReportTable): boolean => detail !== true;

/** Every cell as text, numbers in their column's unit. */
export const tableCells = ({ columns, rows }: ReportTable): string[][] =>
  rows.map((row) =>
    row.map((cell, at) => (typeof cell === 'string' ? cell : formatValue(cell, columns[at]?.unit ?? 'count'))),
  );

/** What a scenario has to show beside budgets, a section each. */
export const tableSections = ({ tables = [] }: Pick<ResultFile, 'tables'>): string =>
  tables.map(tableSection).join('\n');

export const plotSections = ({ plots = [] }: Pick<ResultFile, 'plots'>): string => plots.map(plotSection).join('\n');

const noteOf = ({ note }: { note?: string }): string => (note ? `<p class="soft">${esc(note)}</p>` : '');

function tableSection(table: ReportTable): string {
  const right = table.columns.map(({ unit }) => (unit ? ' class="r"' : ''));
  const head = tableHead(table).map((name, at) => `<th${right[at] ?? ''}>${esc(name)}</th>`);
  const rows = tableCells(table).map(
    (cells) => `<tr>${cells.map((text, at) => `<td${right[at] ?? ''}>${esc(text)}</td>`).join('')}</tr>`,
  );
  return `<section><h2>${esc(table.title)}</h2>${noteOf(table)}<div class="scroll"><table><thead><tr>${head.join('')}</tr></thead><tbody>${rows.join('')}</tbody></table></div></section>`;
}

const plotSection = (plot: ReportPlot): string =>
  `<section><h2>${esc(plot.title)}</h2>${noteOf(plot)}${linesChart(plot)}</section>`;
