import type { ResultFile } from '../contract.ts';
import { adviceLines } from '../report/advice-section.ts';
import { MARKS } from '../report/format.ts';
import { oneLine } from '../report/escape.ts';
import { tableCells, tableHead } from '../report/report-table.ts';
import { verdictSentence } from '../report/words.ts';

/** A comparison's tables and verdict for a terminal. */
export function compareTerminal(result: ResultFile): string {
  const tables = (result.tables ?? []).flatMap((table) => {
    const lines = [tableHead(table), ...tableCells(table)];
    const widths = tableHead(table).map((_, column) => Math.max(...lines.map((line) => line[column]?.length ?? 0)));
    const text = lines.map((line) =>
      line.map((cell, at) => (at === 0 ? cell.padEnd(widths[at] ?? 0) : cell.padStart(widths[at] ?? 0))).join('  '),
    );
    return ['', `  ${table.title}${table.note ? `: ${table.note}` : ''}`, ...text.map((line) => `  ${line.trimEnd()}`)];
  });
  const notes = result.notes.map((note) => `  note: ${oneLine(note)}`);
  const verdict = `${MARKS[result.verdict]} ${result.verdict.toUpperCase()}`;
  const advice = adviceLines(result).map((text) => `  ${text}`);
  return [...tables, '', ...notes, '', ...advice, '', `  ${verdict}  ${oneLine(verdictSentence(result))}`, ''].join(
    '\n',
  );
}
