import type { ReportTable } from '../contract.ts';
import { MARKS, formatValue } from '../report/format.ts';
import { median } from '../measure/statistics.ts';
import type { CompareSection, CountDecision, MetricDecision, SideInfo } from './contract.ts';
import { percent } from './decide.ts';
import { REPORTED } from './metrics.ts';

const ratioText = (ratio: number): string => (Number.isFinite(ratio) ? ratio.toFixed(3) : '–');
const intervalText = ({ low, high }: { low: number; high: number }): string =>
  `${ratioText(low)} to ${ratioText(high)}`;
const COLUMNS = [
  'metric',
  'base',
  'now',
  'ratio',
  '95 % interval',
  'limit',
  'base against base',
  'would have seen',
  'verdict',
];

function metricRow(metric: MetricDecision): string[] {
  const { verdict, why } = metric;
  return [
    metric.name,
    formatValue(metric.base, metric.unit),
    formatValue(metric.now, metric.unit),
    ratioText(metric.ratio),
    intervalText(metric),
    ratioText(1 + metric.limit),
    intervalText(metric.control),
    metric.smallest === null ? 'nothing' : percent(metric.smallest),
    `${MARKS[verdict]} ${verdict}${verdict === 'pass' ? '' : `: ${why}`}`,
  ];
}

function countRow({ name, unit, base, now, limit, verdict, why }: CountDecision): string[] {
  const ratio = base === null || now === null || base <= 0 ? '–' : ratioText(now / base);
  const values = [base, now].map((value) => formatValue(value, unit));
  return [
    name,
    ...values,
    ratio,
    '–',
    formatValue(limit, unit),
    '–',
    '–',
    `${MARKS[verdict]} ${verdict}${why ? `: ${why}` : ''}`,
  ];
}

const named = ({ ref, commit }: SideInfo, digits: number): string =>
  commit === '' ? ref : `${ref} (${commit.slice(0, digits)})`;

/** The tables of a comparison, for every report: the verdict's, what is reported only, and where a change sits. */
export function compareTables(compare: CompareSection): ReportTable[] {
  const { base, head, pairs, plannedPairs, imagesPerBlock, simulated } = compare;
  const what = `base ${named(base, 12)}, head ${named(head, 20)}; ${pairs} of at most ${plannedPairs} pairs of blocks of ${imagesPerBlock} images, seed ${compare.seed}`;
  const verdicts: ReportTable = {
    title: 'Head against base',
    note: simulated ? `Simulated: no model ran on either side. ${what}` : what,
    columns: COLUMNS.map((name) => ({ name })),
    rows: [...compare.metrics.map(metricRow), ...compare.counts.map(countRow)],
  };
  return pairs === 0 ? [verdicts] : [verdicts, reportedTable(compare), stageTable(compare)];
}

const told = (values: readonly (number | null)[]): number[] => values.filter((value) => value !== null);

function reportedTable({ triples }: CompareSection): ReportTable {
  const rows = REPORTED.flatMap(({ metric, name }) => {
    const base = told(triples.flatMap(({ a, again }) => [a[metric], again[metric]]));
    const now = told(triples.map(({ b }) => b[metric]));
    if (base.length === 0 || now.length === 0) return [];
    const [before, after] = [median(base), median(now)];
    return [[name, before.toFixed(2), after.toFixed(2), ratioText(after / before)]];
  });
  const columns = ['figure', 'base', 'now', 'ratio'].map((name) => ({ name }));
  return { title: 'Reported, not judged', note: 'Medians over blocks; times in ms.', columns, rows };
}

function stageTable({ stages }: CompareSection): ReportTable {
  const columns = ['', 'base', 'now', 'ratio', '95 % interval', 'moved'].map((name) => ({ name }));
  const rows = stages.map((move) => [
    move.kind === 'cpu' ? `CPU of ${move.name}` : `stage ${move.name}`,
    formatValue(move.baseMs, 'ms'),
    formatValue(move.nowMs, 'ms'),
    ratioText(move.ratio),
    intervalText(move),
    move.moved ? 'yes' : 'no',
  ]);
  return {
    title: 'Which stage moved',
    note: 'Mean time of an image; a stage that waits for another moves with it. No part of the verdict.',
    columns,
    rows,
  };
}
