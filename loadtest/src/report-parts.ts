import type { BudgetUnit } from './contract.ts';

/** A table that a scenario adds to every report; a `detail` stands in the HTML report alone. A cell with a number has its column's unit. */
export interface ReportTable {
  title: string;
  /** What a reader must know to read it. */
  note?: string;
  columns: { name: string; unit?: BudgetUnit }[];
  rows: (string | number | null)[][];
  detail?: true;
}
/** Lines over a common x axis that a scenario adds to the HTML report. */
export interface ReportPlot {
  title: string;
  note?: string;
  x: { name: string; unit: BudgetUnit };
  y: { name: string; unit: BudgetUnit; limit?: number };
  series: PlotSeries[];
  /** Beneath the lines on the same x axis: a band for each, all to one scale. */
  bands?: { name: string; unit: BudgetUnit; series: PlotSeries[] };
}
export interface PlotSeries {
  name: string;
  points: [x: number, y: number][];
}
