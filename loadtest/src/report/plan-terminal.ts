import { oneLine } from './escape.ts';
import { figuresOf, planTables, type WrittenPlan } from './plan-tables.ts';
import { tableCells, tableHead } from './report-table.ts';
import type { ReportTable } from '../contract.ts';

/** The answer in words, then its tables, then where each number comes from. */
export function planTerminal(plan: WrittenPlan): string {
  const sources = new Map<string, string[]>();
  for (const [name, { origin, source }] of [
    ...figuresOf(plan),
    ...plan.stages.map(({ what, capacity }) => [what, capacity] as const),
  ]) {
    const key = `${origin}: ${source}`;
    sources.set(key, [...(sources.get(key) ?? []), name]);
  }
  return [
    '',
    ...plan.words.map((text) => `  ${oneLine(text)}`),
    ...planTables(plan).flatMap(tableLines),
    '',
    '  Where each number comes from',
    ...[...sources].map(([source, names]) => `    ${oneLine(names.join(', '))}: ${oneLine(source)}`),
    `  Ground: ${oneLine(plan.ground.file)} (${oneLine(plan.ground.what)}); seed ${plan.question.seed}`,
    '',
    '',
  ].join('\n');
}

function tableLines(table: ReportTable): string[] {
  const rows = [tableHead(table), ...tableCells(table)].map((cells) => cells.map(oneLine));
  const widths = table.columns.map((_, column) => Math.max(...rows.map((cells) => cells[column]?.length ?? 0)));
  const line = (cells: readonly string[]): string =>
    `    ${cells.map((cell, at) => (at === 0 ? cell.padEnd(widths[at] ?? 0) : cell.padStart(widths[at] ?? 0))).join('  ')}`.trimEnd();
  return ['', `  ${table.title}`, ...(table.note ? [`  ${oneLine(table.note)}`] : []), ...rows.map(line)];
}
