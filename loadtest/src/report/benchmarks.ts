import type { Predictions } from '../capacity/predictions.ts';
import type { EnvironmentInfo, JudgedBudget, ResultFile } from '../contract.ts';
import {
  MARKS,
  durationMs,
  formatActual,
  formatBytes,
  formatCount,
  formatLimit,
  formatMs,
  formatValue,
} from './format.ts';
import { figureChapter } from './benchmarks-figures.ts';
import { kindsOf, placeOf, spreadOf } from './benchmarks-spread.ts';
import { titlesOf } from './benchmarks-titles.ts';
import type { KeptFigure } from './kept-figure.ts';
import { escapeMarkdown, table } from './markdown-table.ts';
import { scoreTable } from './plan-tables.ts';
import { isMain, tableCells, tableHead } from './report-table.ts';
import { WITHOUT_HEAD, movedRows } from './without.ts';
import { hasPage } from './words.ts';

/** Pure: a chapter for each scenario, in which each result has a column, in the order given. @throws RangeError for no results. */
export function benchmarksMarkdown(
  results: readonly ResultFile[],
  predictions: readonly Predictions[] = [],
  figures: readonly KeptFigure[] = [],
): string {
  if (results.length === 0) throw new RangeError('BENCHMARKS.md needs at least one result.json');
  const scenarios = [...new Set(results.map(({ scenario }) => scenario))];
  return [
    '# Benchmarks',
    '',
    'Made by `npm run bench:report` from the result files in `bench-results/reference/`; nothing here is typed by hand.',
    'Numbers of different machines, images or clients stand side by side but are not comparable unless the lines below agree.',
    '',
    ...scenarios.flatMap((scenario) =>
      chapter(
        scenario,
        results.filter((result) => result.scenario === scenario),
      ),
    ),
    ...predictionChapter(predictions),
    ...figureChapter(figures),
    '## Machines',
    '',
    ...[...new Set(results.map((result) => machineOf(result.environment)))].map(
      (machine) => `- ${escapeMarkdown(machine)}`,
    ),
    '',
  ].join('\n');
}

/** What `npm run plan` says, from a sweep, of runs that it was not fitted on. */
function predictionChapter(predictions: readonly Predictions[]): string[] {
  if (predictions.length === 0) return [];
  return [
    '## Predictions',
    '',
    'Each sweep, and what `npm run plan -- --from SWEEP --score RUN` says of the quiet runs of the same pool on such a machine. None of them was used to fit it.',
    '',
    ...predictions.flatMap(({ sweep, simulated, scores }) => {
      const made = scoreTable(scores);
      return [
        `### From ${escapeMarkdown(sweep)}${simulated ? ', simulated workers' : ''}`,
        '',
        escapeMarkdown(made.note ?? ''),
        '',
        ...table(tableHead(made), tableCells(made)),
        '',
      ];
    }),
  ];
}

function chapter(scenario: string, results: readonly ResultFile[]): string[] {
  const { names, titles } = titlesOf(results);
  const kinds = kindsOf(results);
  const several = kinds.filter(({ length }) => length > 1);
  const spreads = several.map((runs) => `${names[results.indexOf(runs[0]!)]}: median and range of ${runs.length} runs`);
  const bulk = results.some(hasPage);
  return [
    `## ${scenario}`,
    '',
    ...table(['', ...titles], runRows(results, kinds)),
    '',
    ...table(['budget', 'limit', ...spreads, ...titles], budgetRows(results, several)),
    '',
    ...(bulk ? [...table(['', ...titles], outcomeRows(results)), ''] : []),
    ...switchSection(results),
    ...results.flatMap((result, at) => stageSection(result, titles[at] ?? '')),
    ...results.flatMap((result, at) => scenarioTables(result, titles[at] ?? '')),
  ];
}

/** A table of so many rows opens when it is asked for. */
const FOLDED_FROM = 20;

/** What a scenario shows beside budgets. */
function scenarioTables({ tables = [] }: ResultFile, title: string): string[] {
  return tables.filter(isMain).flatMap((one) => {
    const lines = [...(one.note ? [escapeMarkdown(one.note), ''] : []), ...table(tableHead(one), tableCells(one)), ''];
    const isLong = one.rows.length > FOLDED_FROM;
    const heading = `${escapeMarkdown(one.title)}: ${escapeMarkdown(title)}`;
    return isLong
      ? [`<details><summary>${heading} (${one.rows.length} rows)</summary>`, '', ...lines, '</details>', '']
      : [`### ${heading}`, '', ...lines];
  });
}

function runRows(results: readonly ResultFile[], kinds: readonly ResultFile[][]): string[][] {
  const row = (name: string, of: (result: ResultFile) => string): string[] => [name, ...results.map(of)];
  return [
    row('verdict', (r) => `${MARKS[r.verdict]} ${r.verdict}`),
    row('kept runs of this kind', (r) => placeOf(r, kinds)),
    row('date', (r) => r.startedAt.slice(0, 10)),
    row('seed', (r) => String(r.seed)),
    row('images', (r) => formatCount(r.images.count) + (r.images.bytes > 0 ? `, ${formatBytes(r.images.bytes)}` : '')),
    row('SHA-256 of the set', (r) => (r.images.sha256OfSet === '' ? '–' : `\`${r.images.sha256OfSet.slice(0, 12)}\``)),
    row('whole run', (r) => formatMs(durationMs(r.startedAt, r.finishedAt))),
    row('tool', (r) => `${r.tool.version} (${r.tool.commit.slice(0, 12)})`),
    row('servers', (r) => r.environment.provider),
    row('some task waited for a CPU', (r) => share(r.environment.psiCpuSome)),
    row('CPU taken by others', (r) => share(r.noise?.foreignCpuShare)),
    row('CPU', (r) => `${r.environment.cpuModel}, ${r.environment.cores} cores`),
    row(
      'inference',
      (r) => `${r.environment.inference.model}, ${r.environment.inference.pool}/${r.environment.inference.provider}`,
    ),
  ];
}

const share = (value: number | null | undefined): string => formatValue(value ?? null, 'ratio');

function budgetRows(results: readonly ResultFile[], several: readonly ResultFile[][]): string[][] {
  const first = new Map<string, JudgedBudget>();
  for (const budget of results.flatMap((result) => result.budgets))
    if (!first.has(budget.name)) first.set(budget.name, budget);
  return [...first.values()].map((budget) => [
    `\`${budget.name}\``,
    formatLimit(budget),
    ...several.map((runs) => spreadOf(budget, runs)),
    ...results.map((result) => {
      const own = result.budgets.find(({ name }) => name === budget.name);
      return own
        ? `${formatActual(own)} ${MARKS[own.verdict]}${own.verdict === 'pass' || own.verdict === 'fail' ? '' : ` ${own.verdict}`}`
        : '–';
    }),
  ]);
}

function outcomeRows(results: readonly ResultFile[]): string[][] {
  const row = (name: string, of: (result: ResultFile) => string): string[] => [name, ...results.map(of)];
  const fixed = (value: number | null | undefined, digits: number): string =>
    typeof value === 'number' ? value.toFixed(digits) : '–';
  return [
    row(
      'terminal events at the page',
      (r) => `${formatCount(r.delivery.terminalEventsReceived)} of ${formatCount(r.delivery.submitted)}`,
    ),
    row(
      'missing, duplicates, gaps',
      (r) => `${r.delivery.missing}, ${r.delivery.duplicates}, ${r.delivery.sequenceGaps}`,
    ),
    row('failed with a code', (r) => formatCount(r.delivery.failed)),
    row('images/s, whole path', (r) => fixed(r.efficiency.imagesPerSecond, 1)),
    row('images/s, bare loop', (r) => fixed(r.efficiency.rawImagesPerSecond, 1)),
    row('CPU ratio', (r) => fixed(r.efficiency.cpuRatio, 2)),
    row('AP at IoU 0.5', (r) => fixed(r.accuracy?.ap50, 3)),
    row('AP at IoU 0.75', (r) => fixed(r.accuracy?.ap75, 3)),
    row('mean IoU', (r) => fixed(r.accuracy?.meanIoU, 3)),
    row('labelled images', (r) =>
      r.accuracy
        ? `${formatCount(r.accuracy.images)} (${r.accuracy.dataset}${r.accuracy.split ? `, ${r.accuracy.split}` : ''})`
        : '–',
    ),
  ];
}

/** What each switch moved, over all results that were run without some of them (`npm run bench -- --without all`). */
function switchSection(results: readonly ResultFile[]): string[] {
  const comparisons = results.flatMap(({ without = [] }) => without);
  if (comparisons.length === 0) return [];
  const rows = comparisons.flatMap((comparison) =>
    movedRows(comparison).map(([metric = '', ...cells], at) => [
      at === 0 ? `${comparison.name} (\`${comparison.setting}\`)` : '',
      metric,
      ...cells,
    ]),
  );
  return [
    '### Switches',
    '',
    'Each optimisation turned off alone, in the same command as the run with all of them. Only figures that moved: times by a quarter, all',
    'others by a twentieth. Ratio: without over with.',
    '',
    ...table(['switched off', ...WITHOUT_HEAD], rows),
    '',
  ];
}

function stageSection(result: ResultFile, title: string): string[] {
  const rows = Object.entries(result.stages).map(([name, stage]) => [
    name,
    ...[stage.p50Ms, stage.p95Ms, stage.p99Ms, stage.maxMs, stage.cpuMsPerImage].map(formatMs),
  ]);
  if (rows.length === 0) return [];
  return [
    `### Stages: ${escapeMarkdown(title)}`,
    '',
    ...table(['stage', 'p50', 'p95', 'p99', 'max', 'CPU per image'], rows),
    '',
  ];
}

function machineOf(e: EnvironmentInfo): string {
  return `${e.cpuModel}, ${e.cores} cores, ${formatBytes(e.memoryBytes)}; ${e.os}; Node ${e.node}, PostgreSQL ${e.postgres}, Redis ${e.redis} (${e.provider}), ${e.browser}`;
}
