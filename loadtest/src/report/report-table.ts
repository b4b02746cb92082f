import type { ReportTable } from '../contract.ts';
import { escapeMarkup as esc } from './escape.ts';
import { formatValue } from './format.ts';

type Cells = Pick<ReportTable, 'columns' | 'rows'>;

export const tableHead = ({ columns }: Pick<ReportTable, 'columns'>): string[] => columns.map(({ name }) => name);

/** Worth a line outside of the HTML report. */
export const isMain = ({ detail }: ReportTable): boolean => detail !== true;

/** Every cell as text, numbers in their column's unit. */
export const tableCells = ({ columns, rows }: Cells): string[][] =>
  rows.map((row) =>
    row.map((cell, at) => (typeof cell === 'string' ? cell : formatValue(cell, columns[at]?.unit ?? 'count'))),
  );

export function htmlTable(table: Cells): string {
  const right = table.columns.map(({ unit }) => (unit ? ' class="r"' : ''));
  const head = tableHead(table).map((name, at) => `<th${right[at] ?? ''}>${esc(name)}</th>`);
  const rows = tableCells(table).map(
    (cells) => `<tr>${cells.map((text, at) => `<td${right[at] ?? ''}>${esc(text)}</td>`).join('')}</tr>`,
  );
  return `<div class="scroll"><table><thead><tr>${head.join('')}</tr></thead><tbody>${rows.join('')}</tbody></table></div>`;
}
