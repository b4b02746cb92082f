/** What is read of a dashboard's file: Grafana's own names, of the fields that matter for drawing. */
export interface Target {
  expr: string;
  refId?: string;
  /** May name labels: `{{route}}`. */
  legendFormat?: string;
  /** The value at the end of the time, not over it. */
  instant?: boolean;
}
export interface ThresholdStep {
  /** Null: from the lowest value on. */
  value: number | null;
  color: string;
}
export interface GridPos {
  /** Of 24 columns. */
  x: number;
  y: number;
  w: number;
  h: number;
}
export interface FilePanel {
  id?: number;
  type: string;
  title?: string;
  gridPos: GridPos;
  targets?: Target[];
  fieldConfig?: {
    defaults: {
      unit?: string;
      max?: number;
      thresholds?: { steps: ThresholdStep[] };
      custom?: {
        axisSoftMin?: number;
        axisSoftMax?: number;
        fillOpacity?: number;
        stacking?: { mode?: string };
        thresholdsStyle?: { mode: string };
      };
    };
  };
}
export interface FileVariable {
  name: string;
  label?: string;
  allValue?: string;
  current?: { text?: string | string[]; value?: string | string[] };
}
export interface DashboardFile {
  uid: string;
  title: string;
  time: { from: string; to: string };
  templating?: { list?: FileVariable[] };
  panels: FilePanel[];
}
