import { barX, dot, ruleY, text, tickX, type PlotOptions } from '@observablehq/plot';
import type { ResultFile, StageSummary } from '../../contract.ts';
import { escapeMarkup as esc, oneLine } from '../escape.ts';
import { formatMs, formatValue } from '../format.ts';
import { wayOf } from '../way.ts';
import { axisOf } from './axis.ts';
import { draw, FONT_SIZE, rowsOf } from './draw.ts';

const ROW = 26;
/** A stage with more than this share of the whole stands beside the chart: next to it all others would be a line. */
const PRESSES = 0.6;
/** Shorter than a microsecond is no time to draw on a logarithmic axis. */
const LEAST_MS = 0.001;

/** Percentiles, and the sign of each: told apart by shape. */
const SIGNS = [
  { name: 'p50', sign: '●', symbol: 'circle', of: ({ p50Ms }: StageSummary) => p50Ms },
  { name: 'p95', sign: '■', symbol: 'square', of: ({ p95Ms }: StageSummary) => p95Ms },
  { name: 'p99', sign: '▲', symbol: 'triangle', of: ({ p99Ms }: StageSummary) => p99Ms },
  { name: 'slowest', sign: '◆', symbol: 'diamond', of: ({ maxMs }: StageSummary) => maxMs },
] as const;

const percentiles = ({ p50Ms, p95Ms, p99Ms }: StageSummary): string =>
  `p50 ${formatMs(p50Ms)}, p95 ${formatMs(p95Ms)}, p99 ${formatMs(p99Ms)}`;

interface StageRow {
  name: string;
  stage: StageSummary;
}
/** A row for each stage, whose percentiles are told to who sees no chart. */
function drawRows(title: string, rows: readonly StageRow[], { y, ...options }: PlotOptions): string {
  const names = rows.map(({ name }) => name);
  return draw(`${title}: ${rows.map(({ name, stage }) => `${name} ${percentiles(stage)}`).join('; ')}`, {
    ...rowsOf(names, ROW),
    y: { domain: names, label: null, ...y },
    ...options,
  });
}

/** What an image goes through, one stage after the other at their medians. Empty where none was measured. */
export function waterfall(stages: ResultFile['stages']): string {
  const all = wayOf(stages);
  const total = all.reduce((sum, { stage }) => sum + stage.p50Ms, 0);
  if (total === 0) return '';
  const beside = all.filter(({ stage }) => all.length > 1 && stage.p50Ms > PRESSES * total);
  let at = 0;
  const rows = all
    .filter((one) => !beside.includes(one))
    .map(({ name, stage }) => {
      const from = at;
      at += stage.p50Ms;
      return { name: oneLine(name), from, stage };
    });
  const most = Math.max(...rows.map(({ from, stage }) => from + Math.max(stage.p95Ms, stage.p99Ms)));
  const axis = axisOf({ name: beside.length > 0 ? 'time since the rest began' : 'time', unit: 'ms' }, most);
  const bars = rows.map(({ name, from, stage }) => ({
    name,
    from: axis.of(from),
    p50: axis.of(from + stage.p50Ms),
    p95: axis.of(from + stage.p95Ms),
    p99: axis.of(from + stage.p99Ms),
    words: [stage.p50Ms, stage.p95Ms, stage.p99Ms].map(formatMs).join(' · '),
  }));
  const y = 'name';
  const chart = drawRows('Stages of an image', rows, {
    marginRight: 190,
    x: { label: axis.label, grid: true },
    y: { padding: 0.25 },
    marks: [
      barX(bars, { y, x1: 'from', x2: 'p95', fill: 'var(--accent)', fillOpacity: 0.3 }),
      barX(bars, { y, x1: 'from', x2: 'p50', fill: 'var(--accent)' }),
      tickX(bars, { y, x: 'p99', strokeWidth: 2 }),
      text(bars, { y, text: 'words', frameAnchor: 'right', textAnchor: 'start', dx: 12 }),
    ],
  });
  const left = beside.map(
    ({ name, stage }) =>
      `${name} is ${formatValue(stage.p50Ms / total, 'ratio')} of the whole and not drawn: ${percentiles(stage)}. `,
  );
  return `${chart}<p class="soft">${esc(left.join(''))}Solid: p50. Pale: to p95. Upright line: p99. At the right: p50 · p95 · p99. The median of the whole is not the sum of medians.</p>`;
}

/** Each stage for itself on one logarithmic axis. */
export function spreadOfStages(stages: ResultFile['stages']): string {
  const rows = Object.entries(stages).map(([name, stage]) => ({
    name: oneLine(name),
    stage,
    least: Math.max(LEAST_MS, stage.p50Ms),
    most: Math.max(LEAST_MS, stage.maxMs),
  }));
  const points = rows.flatMap(({ name, stage }) =>
    SIGNS.map(({ name: what, of }) => ({ name, what, ms: Math.max(LEAST_MS, of(stage)) })),
  );
  const chart = drawRows('Time in each stage', rows, {
    marginRight: 40,
    x: { type: 'log', label: 'time, logarithmic', grid: true, ticks: 6, tickFormat: formatMs },
    symbol: { domain: SIGNS.map(({ name }) => name), range: SIGNS.map(({ symbol }) => symbol) },
    marks: [
      ruleY(rows, { y: 'name', x1: 'least', x2: 'most', strokeOpacity: 0.4 }),
      dot(points, { x: 'ms', y: 'name', symbol: 'what', fill: 'var(--accent)', r: FONT_SIZE / 3 }),
    ],
  });
  return `${chart}<p class="soft">${SIGNS.map(({ name, sign }) => `${sign} ${name}`).join(', ')}.</p>`;
}
