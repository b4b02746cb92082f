import { timeAxis, valueAxis, type Axis } from './axis.ts';
import type { FilePanel } from './file.ts';
import { legendBelow, legendOf, LEGEND_ROW_PX, type Legend } from './legend.ts';
import type { PlannedQuery } from './plan.ts';
import { timesOf, type Answered } from './prometheus.ts';
import type { TimeRange } from './time.ts';
import { unitOf } from './units.ts';

/** What Prometheus answered to each query of a panel. */
export interface Answer {
  query: PlannedQuery;
  series: Answered[];
}
export interface Line {
  name: string;
  color: string;
  times: number[];
  /** As drawn: of a stacked panel the sum of those below, too. */
  values: (number | null)[];
  /** Of a stacked panel: where its area begins. */
  base: (number | null)[] | null;
}
export interface Limit {
  at: number;
  color: string;
}
/** A panel, ready to be drawn. */
export type View =
  | { kind: 'row' }
  | { kind: 'empty' }
  | { kind: 'error'; message: string }
  | { kind: 'stat'; value: string; color: string }
  | {
      kind: 'timeseries';
      lines: Line[];
      limits: Limit[];
      x: Axis;
      y: Axis;
      legend: Legend;
      /** Of the plot with its axes, in pixels. */
      width: number;
      height: number;
      /** Of the areas under lines, 0 to 1. */
      fill: number;
    };
export interface Area {
  range: TimeRange;
  /** Of the panel without its title, in pixels. */
  width: number;
  height: number;
}

/** Names of Grafana's colours that the files have, as its light theme shows them. */
const COLORS: Readonly<Record<string, string>> = { green: '#1a7f4b', red: '#c4162a' };
const colorOf = (name: string): string => {
  const color = Object.hasOwn(COLORS, name) ? COLORS[name] : undefined;
  if (color === undefined)
    throw new Error(`the colour "${name}" is not drawn; there are ${Object.keys(COLORS).join(', ')}`);
  return color;
};
/** Of lines in their order, then from the first again. */
const PALETTE = (
  '#56a64b #e0a800 #3274d9 #ff780a #e02f44 #8f3bb8 #00838f #795548 ' +
  '#c2185b #5c6bc0 #9e9d24 #00acc1 #7e57c2 #6d4c41 #ef6c00 #43a047'
).split(' ');
const PIXELS_A_MARK = 34;
/** Of the panel's height, which the legend takes at most. */
const LEGEND_SHARE = 0.4;

const defaultsOf = ({ fieldConfig }: FilePanel) => fieldConfig?.defaults ?? {};
const numbers = (values: readonly (number | null)[]): number[] => values.filter((value) => value !== null);

/** Each on those before it, where they have a number at that time. */
function stacked(lines: readonly Line[]): Line[] {
  const top: Record<number, number> = {};
  return lines.map((line) => {
    const base = line.values.map((value, at) => (value === null ? null : (top[at] ?? 0)));
    const values = line.values.map((value, at) => (value === null ? null : value + (top[at] ?? 0)));
    for (const [at, value] of values.entries()) if (value !== null) top[at] = value;
    return { ...line, values, base };
  });
}

function timeseries(panel: FilePanel, answers: readonly Answer[], { range, width, height }: Area): View {
  const { unit = 'short', custom = {}, thresholds, max } = defaultsOf(panel);
  const plain = answers.flatMap(({ query, series }) =>
    series.map(({ labels, values }) => ({
      name: legendOf(query.legend, labels, query.expr),
      times: timesOf(query),
      values,
      base: null,
    })),
  );
  const colored = plain.map((line, index) => ({ ...line, color: PALETTE[index % PALETTE.length]! }));
  const lines = custom.stacking?.mode === 'normal' ? stacked(colored) : colored;
  const limits =
    custom.thresholdsStyle?.mode === 'dashed'
      ? (thresholds?.steps ?? []).flatMap(({ value, color }) =>
          value === null ? [] : [{ at: value, color: colorOf(color) }],
        )
      : [];
  const legend = legendBelow(
    colored.map(({ name, color, values }) => ({ name, color, weight: numbers(values).reduce((a, b) => a + b, 0) })),
    width,
    height * LEGEND_SHARE,
  );
  const plotHeight = height - legend.rows * LEGEND_ROW_PX;
  const marks = Math.max(2, Math.floor(plotHeight / PIXELS_A_MARK));
  const soft = { softMin: custom.axisSoftMin, softMax: custom.axisSoftMax, max };
  return {
    kind: 'timeseries',
    lines,
    limits,
    x: timeAxis(range.fromMs / 1000, range.toMs / 1000, width),
    y: valueAxis(
      lines.flatMap(({ values }) => numbers(values)),
      soft,
      unit,
      marks,
    ),
    legend,
    width,
    height: plotHeight,
    fill: (custom.fillOpacity ?? 0) / 100,
  };
}

/** The last number of the first series, in the colour of the step that it has reached. */
function stat(panel: FilePanel, answers: readonly Answer[]): View {
  const { unit = 'short', thresholds } = defaultsOf(panel);
  const value = numbers(answers.flatMap(({ series }) => series).flatMap(({ values }) => values)).at(0);
  if (value === undefined) return { kind: 'empty' };
  const step = (thresholds?.steps ?? []).findLast((each) => each.value === null || value >= each.value);
  return { kind: 'stat', value: unitOf(unit)(value), color: colorOf(step?.color ?? 'green') };
}

/** By Grafana's types. */
const VIEWS: Readonly<Record<string, (panel: FilePanel, answers: readonly Answer[], area: Area) => View>> = {
  row: () => ({ kind: 'row' }),
  timeseries,
  stat,
};

/** @throws Error for a type that is not drawn here, a unit or a colour */
export function viewOf(panel: FilePanel, answers: readonly Answer[], area: Area): View {
  const view = Object.hasOwn(VIEWS, panel.type) ? VIEWS[panel.type] : undefined;
  if (view === undefined)
    throw new Error(`panels of the type "${panel.type}" are not drawn; there are ${Object.keys(VIEWS).join(', ')}`);
  unitOf(defaultsOf(panel).unit ?? 'short');
  if (panel.type !== 'row' && !answers.some(hasNumber)) return { kind: 'empty' };
  return view(panel, answers, area);
}
export const hasNumber = ({ series }: Answer): boolean =>
  series.some(({ values }) => values.some((value) => value !== null));
