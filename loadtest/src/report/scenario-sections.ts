import type { ReportPlot, ReportTable, ResultFile } from '../contract.ts';
import { linesChart } from './charts/lines.ts';
import { escapeMarkup as esc } from './escape.ts';
import { htmlTable } from './report-table.ts';

/** What a scenario has to show beside budgets, a section each. */
export const tableSections = ({ tables = [] }: Pick<ResultFile, 'tables'>): string =>
  tables.map(tableSection).join('\n');

export const plotSections = ({ plots = [] }: Pick<ResultFile, 'plots'>): string => plots.map(plotSection).join('\n');

const noteOf = ({ note }: { note?: string }): string => (note ? `<p class="soft">${esc(note)}</p>` : '');

const tableSection = (table: ReportTable): string =>
  `<section><h2>${esc(table.title)}</h2>${noteOf(table)}${htmlTable(table)}</section>`;

const plotSection = (plot: ReportPlot): string =>
  `<section><h2>${esc(plot.title)}</h2>${noteOf(plot)}${linesChart(plot)}</section>`;
