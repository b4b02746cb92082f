import type { BudgetVerdict, ResultFile, Verdict } from '../contract.ts';
import { adviceLines } from './advice-section.ts';
import { oneLine } from './escape.ts';
import { MARKS, durationMs, formatActual, formatLimit, formatMs, imageWord } from './format.ts';
import { ratchetLines } from './ratchet.ts';
import { withoutLines } from './without.ts';
import { proofSentences, verdictSentence } from './words.ts';

/** SGR colour codes; 0 leaves the text alone. */
const COLOURS: Readonly<Record<BudgetVerdict | Verdict, number>> = {
  pass: 32,
  fail: 31,
  regression: 31,
  error: 31,
  inconclusive: 33,
  interrupted: 33,
  'not-run': 33,
  'n/a': 2,
};

/** The table at the end of a run. @param options.colour only for a terminal. */
export function terminalReport(result: ResultFile, options: { colour: boolean }): string {
  const paint = (verdict: BudgetVerdict | Verdict, text: string): string =>
    options.colour ? `\u001b[${COLOURS[verdict]}m${text}\u001b[0m` : text;
  const rows = result.budgets.map((budget) => ({
    cells: [budget.name, formatActual(budget), formatLimit(budget)],
    verdict: budget.verdict,
    note: budget.verdict === 'pass' ? '' : oneLine(budget.note ?? ''),
  }));
  const head = ['budget', 'actual', 'limit'];
  const widths = head.map((title, column) =>
    Math.max(title.length, ...rows.map(({ cells }) => cells[column]?.length ?? 0)),
  );
  const line = (cells: readonly string[]): string =>
    cells.map((cell, at) => (at === 0 ? cell.padEnd(widths[at] ?? 0) : cell.padStart(widths[at] ?? 0))).join('  ');
  const table = rows.map(({ cells, verdict, note }) => {
    const judged = paint(verdict, `${MARKS[verdict]} ${verdict}`);
    return `  ${line(cells)}  ${judged}${note === '' ? '' : `  (${note})`}`;
  });
  const sentences = [
    ...proofSentences(result),
    ...result.notes.map((note) => `note: ${note}`),
    ...(result.baseline?.notes ?? []).map((note) => `baseline: ${note}`),
    ...ratchetLines(result),
  ];
  const took = formatMs(durationMs(result.startedAt, result.finishedAt));
  const verdict = paint(result.verdict, `${MARKS[result.verdict]} ${result.verdict.toUpperCase()}`);
  return [
    '',
    `  ${line(head)}  verdict`,
    ...table,
    '',
    ...sentences.map((text) => `  ${oneLine(text)}`),
    '',
    ...withoutLines(result).map((text) => (text === '' ? '' : `  ${text}`)),
    ...adviceLines(result).map((text) => `  ${text}`),
    '',
    `  ${verdict}  ${oneLine(verdictSentence(result))}  (${result.scenario}, ${result.clientMode} client, ${result.images.count} ${imageWord(result.images.count)}, seed ${result.seed}, ${took})`,
    '',
  ].join('\n');
}
