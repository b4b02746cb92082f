import type { OverRange } from '../../prometheus/src/promql.ts';

export interface Query {
  expr: string;
  /** May name labels: `{{route}}`. */
  legend: string;
}
/** A panel as the dashboards of this project have it. */
export interface PanelSpec {
  title: string;
  /** What it shows and when to worry; in the corner of the panel. */
  description: string;
  /** A unit of Grafana: `s`, `decbytes`, `percentunit`, `reqps`, … */
  unit: string;
  queries: readonly Query[];
  /** A line at this value, which must not be crossed. */
  limit?: { value: number; good: 'below' | 'above' };
  /** Of 24 columns; 8 where absent. */
  width?: number;
  kind?: 'timeseries' | 'stat';
  /** Series are parts of a whole. */
  stacked?: boolean;
  /** Points lead to traces. */
  exemplars?: boolean;
  max?: number;
}
export interface RowSpec {
  title: string;
  panels: readonly PanelSpec[];
}
/** A variable whose values are those of a label. */
export interface VariableSpec {
  name: string;
  label: string;
  metric: string;
}
export interface DashboardSpec {
  uid: string;
  title: string;
  description: string;
  /** Of the time that is shown at first. */
  from: string;
  variables?: readonly VariableSpec[];
  rows: readonly RowSpec[];
}

/** The range that Grafana finds fit for the zoom, four scrapes at least. */
export const AUTO = '$__rate_interval';
export const one = (expr: string | OverRange, legend: string): Query[] => [
  { expr: typeof expr === 'string' ? expr : expr(AUTO), legend },
];
