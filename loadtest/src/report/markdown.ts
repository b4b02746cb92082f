import type { ResultFile } from '../contract.ts';
import { adviceMarkdown } from './advice-section.ts';
import { MARKS, formatActual, formatLimit, formatMs, formatValue, imageWord } from './format.ts';
import { ledgerTable } from './ledger.ts';
import { RATCHET_HEAD, ratchetRows } from './ratchet.ts';
import { escapeMarkdown, table } from './markdown-table.ts';
import { isMain, tableCells, tableHead } from './report-table.ts';
import { WITHOUT_HEAD, movedRows, withoutTitle } from './without.ts';
import { proofSentences, rejectedLines, verdictSentence } from './words.ts';

/** `summary.md`, also the step summary of a CI job. */
export function markdownSummary(result: ResultFile): string {
  const budgets = result.budgets.map((budget) => [
    `\`${budget.name}\``,
    formatActual(budget),
    formatLimit(budget),
    `${MARKS[budget.verdict]} ${budget.verdict}`,
    budget.note ?? '',
  ]);
  const stages = Object.entries(result.stages).map(([name, stage]) => [
    name,
    ...[stage.p50Ms, stage.p95Ms, stage.p99Ms, stage.maxMs, stage.cpuMsPerImage].map(formatMs),
  ]);
  const { environment: e } = result;
  const sentences = proofSentences(result);
  const ledger = ledgerTable(result);
  const notes = [
    ...result.notes,
    ...e.notes,
    ...rejectedLines(result),
    ...(result.baseline?.notes ?? []),
    ...(result.ratchet?.notes ?? []),
  ];
  return [
    `## ${MARKS[result.verdict]} ${result.scenario}: ${result.verdict}`,
    '',
    `${escapeMarkdown(verdictSentence(result))} ${result.clientMode} client, ${result.images.count} ${imageWord(result.images.count)} (${result.images.source}), seed ${result.seed}.`,
    '',
    ...(budgets.length > 0 ? [...table(['budget', 'actual', 'limit', 'verdict', 'note'], budgets), ''] : []),
    ...sentences.map((text) => `- ${escapeMarkdown(text)}`),
    '',
    ...(ledger ? [...table(tableHead(ledger), tableCells(ledger)), ''] : []),
    ...(stages.length > 0 ? [...table(['stage', 'p50', 'p95', 'p99', 'max', 'CPU per image'], stages), ''] : []),
    ...(result.baseline ? [...baselineTable(result.baseline), ''] : []),
    ...(result.ratchet?.rows.length ? [...table(RATCHET_HEAD, ratchetRows(result)), ''] : []),
    ...withoutTables(result),
    ...scenarioTables(result),
    ...(notes.length > 0 ? ['Notes:', '', ...notes.map((note) => `- ${escapeMarkdown(note)}`), ''] : []),
    escapeMarkdown(
      `${e.cpuModel}, ${e.cores} cores, ${formatValue(e.memoryBytes, 'bytes')}; ${e.os}; Node ${e.node}, PostgreSQL ${e.postgres}, Redis ${e.redis}, ${e.browser}; ${e.inference.model} on ${e.inference.pool}/${e.inference.provider}; ${result.tool.name} ${result.tool.version} (${result.tool.commit}).`,
    ),
    '',
    ...adviceMarkdown(result),
  ].join('\n');
}

function scenarioTables({ tables = [] }: ResultFile): string[] {
  return tables
    .filter(isMain)
    .flatMap((one) => [
      `### ${escapeMarkdown(one.title)}`,
      '',
      ...(one.note ? [escapeMarkdown(one.note), ''] : []),
      ...table(tableHead(one), tableCells(one)),
      '',
    ]);
}

function withoutTables({ without = [] }: ResultFile): string[] {
  return without.flatMap((comparison) => [
    escapeMarkdown(withoutTitle(comparison)),
    '',
    ...table(WITHOUT_HEAD, movedRows(comparison)),
    '',
  ]);
}

function baselineTable(baseline: NonNullable<ResultFile['baseline']>): string[] {
  const rows = baseline.rows.map((row) => [
    row.metric,
    formatValue(row.base, row.unit),
    formatValue(row.now, row.unit),
    row.ratio === null ? '–' : row.ratio.toFixed(3),
    row.verdict,
  ]);
  return table(['against the baseline', 'base', 'now', 'ratio', 'verdict'], rows);
}
