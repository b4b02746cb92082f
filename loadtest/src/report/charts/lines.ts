import { areaY, axisFy, lineY, ruleY, text } from '@observablehq/plot';
import type { ReportPlot } from '../../contract.ts';
import { escapeMarkup as esc, oneLine } from '../escape.ts';
import { formatValue } from '../format.ts';
import { axisOf, type Axis } from './axis.ts';
import { draw, FONT_SIZE, roomFor, WIDTH } from './draw.ts';
import { lineMarks, spread, symbolMarks, type Point } from './looks.ts';

const HEIGHT = 260;
const BAND_HEIGHT = 38;
const MARGIN = { left: 64, bands: 110, top: 24, bottom: 40, right: 40 };
/** Of a name at the end of a line; longer ones are cut. */
const NAME_WIDTH = 200;
const LABEL_GAP = FONT_SIZE + 2;
const LABEL_AT = 10;

interface Series {
  name: string;
  points: Point[];
}

/**
 * Lines over one x axis from 0 upwards, each with its own dash, symbol and name at its end; the limit as a line with its value. `bands` stand
 * beneath on the same x axis: an area for each, to one scale. A series that has no points is named as such.
 */
export function linesChart(given: ReportPlot): string {
  const { title, x, y, series, bands } = given;
  const all = [...series, ...(bands?.series ?? [])].flatMap(({ points }) => points);
  const ys = series.flatMap(({ points }) => points.map(([, value]) => value));
  if (ys.length === 0) return '<p class="soft">No point was measured.</p>';
  const [from, to] = extent(all.map(([at]) => at));
  const axisX = axisOf(x, to);
  const top = Math.max(y.limit ?? 0, extent(ys)[1]) * 1.05 || 1;
  const axisY = axisOf(y, top);
  const shown = scaled(series, axisX, axisY);
  const drawn = shown.filter(({ points }) => points.length > 0);
  const names = [...drawn, ...(bands?.series ?? [])].map(({ name }) => name);
  const frame = {
    domain: [axisX.of(from), axisX.of(to)],
    marginLeft: bands ? MARGIN.bands : MARGIN.left,
    marginRight: drawn.length > 1 || bands ? roomFor(['at most 0.00', ...names], LABEL_AT + 16) : MARGIN.right,
    labelX: oneLine(axisX.label),
  };
  const lines = draw(`${title}: ${y.name} over ${x.name}`, {
    ...sidesOf(frame),
    height: Math.max(HEIGHT, LABEL_GAP * drawn.length + MARGIN.top + MARGIN.bottom),
    // The bands beneath have the axis of both.
    ...(bands ? { marginBottom: 8 } : {}),
    x: { domain: frame.domain, label: frame.labelX, axis: bands ? null : 'bottom', grid: bands !== undefined },
    y: { domain: [0, axisY.of(top)], label: oneLine(axisY.label), grid: true },
    marks: [
      ...limitMarks(y, axisY, frame.domain[0]!),
      ...drawn.flatMap(({ points }, at) => lineMarks(points, at, drawn.length)),
      ...(drawn.length > 1 ? labelMarks(drawn, axisY.of(top), frame.domain[1]!) : []),
    ],
  });
  const empty = shown.filter(({ points }) => points.length === 0).map(({ name }) => name);
  return `${lines}${bands ? bandsChart(bands, { ...frame, axisX, xName: x.name }) : ''}${
    empty.length > 0 ? `<p class="soft">No points: ${esc(empty.join(', '))}.</p>` : ''
  }`;
}

interface Frame {
  domain: number[];
  marginLeft: number;
  marginRight: number;
  labelX: string;
}
const sidesOf = ({ marginLeft, marginRight }: Frame) => ({
  width: WIDTH,
  marginLeft,
  marginRight,
  marginTop: MARGIN.top,
  marginBottom: MARGIN.bottom,
});

/** Each at its own height and all to one scale, so that they are told apart by place and compared by size. */
function bandsChart(
  { name, unit, series }: NonNullable<ReportPlot['bands']>,
  { axisX, xName, ...frame }: Frame & { axisX: Axis; xName: string },
): string {
  const most = Math.max(...series.flatMap(({ points }) => points.map(([, value]) => value))) || 1;
  const axisY = axisOf({ name, unit }, most);
  const shown = scaled(series, axisX, axisY).filter(({ points }) => points.length > 0);
  const rows = shown.flatMap(({ name: band, points }) => points.map((point) => ({ ...point, band })));
  const peaks = shown.map(({ name: band, points }) => ({
    band,
    words: `at most ${formatValue(Math.max(...points.map(({ y }) => y)), 'count')}`,
  }));
  return draw(`${name} over ${xName}: ${peaks.map(({ band, words }) => `${band} ${words}`).join(', ')}`, {
    ...sidesOf(frame),
    marginTop: 0,
    height: BAND_HEIGHT * shown.length + MARGIN.bottom,
    x: { domain: frame.domain, label: frame.labelX, grid: true },
    y: { domain: [0, axisY.of(most)], axis: null },
    fy: { domain: shown.map(({ name: band }) => band), label: oneLine(axisY.label), padding: 0.15 },
    marks: [
      axisFy({ anchor: 'left', fontSize: FONT_SIZE }),
      areaY(rows, { x: 'x', y: 'y', fy: 'band', fill: 'var(--accent)', fillOpacity: 0.35 }),
      lineY(rows, { x: 'x', y: 'y', fy: 'band', stroke: 'var(--accent)', strokeWidth: 1 }),
      ruleY([0], { strokeOpacity: 0.4 }),
      text(peaks, { fy: 'band', text: 'words', frameAnchor: 'right', textAnchor: 'start', dx: LABEL_AT }),
    ],
  });
}

function limitMarks({ limit, unit }: ReportPlot['y'], axis: Axis, left: number) {
  if (limit === undefined) return [];
  const at = axis.of(limit);
  return [
    ruleY([at], { stroke: 'var(--fail)', strokeWidth: 2, strokeDasharray: '4 4' }),
    text([{ x: left, y: at, words: `limit ${formatValue(limit, unit)}` }], {
      x: 'x',
      y: 'y',
      text: 'words',
      textAnchor: 'start',
      dx: 6,
      dy: -8,
      fill: 'var(--fail)',
    }),
  ];
}

/** The name of each line at its end, with its symbol; names that would lie on each other make room. */
function labelMarks(series: readonly Series[], top: number, right: number) {
  const height = Math.max(HEIGHT - MARGIN.top - MARGIN.bottom, LABEL_GAP * series.length);
  const order = series
    .map(({ name, points }, at) => ({ name, at, y: points.at(-1)?.y ?? 0 }))
    .toSorted((one, other) => one.y - other.y);
  const places = spread(
    order.map(({ y }) => y),
    (LABEL_GAP / height) * top,
    top,
  );
  const labels = order.map(({ name, at }, index) => ({ at, x: right, y: places[index] ?? 0, name: oneLine(name) }));
  return [
    ...labels.map((label) => symbolMarks([label], label.at, { dx: LABEL_AT })),
    text(labels, {
      x: 'x',
      y: 'y',
      text: 'name',
      textAnchor: 'start',
      dx: LABEL_AT + 8,
      textOverflow: 'ellipsis',
      lineWidth: NAME_WIDTH / FONT_SIZE,
    }),
  ];
}

const scaled = (series: ReportPlot['series'], axisX: Axis, axisY: Axis): Series[] =>
  series.map(({ name, points }) => ({
    name,
    points: points.map(([x, y]) => ({ x: axisX.of(x), y: axisY.of(y) })),
  }));

function extent(values: readonly number[]): [least: number, most: number] {
  const least = values.reduce((one, other) => Math.min(one, other), Infinity);
  const most = values.reduce((one, other) => Math.max(one, other), -Infinity);
  return [least, most > least ? most : least + 1];
}
