import type { FilePanel } from './file.ts';
import { intervalMs, type TimeRange } from './time.ts';
import { interpolate, timeValues, type Values } from './variables.ts';

export interface PlannedQuery {
  refId: string;
  legend: string;
  /** As Prometheus gets it. */
  expr: string;
  /** Absent: the value at `endS` alone. In seconds. */
  stepS?: number;
  startS: number;
  endS: number;
}
export interface Circumstances {
  range: TimeRange;
  /** Of the data source: how often Prometheus scrapes. */
  scrapeMs: number;
  /** Of the dashboard's variables. */
  variables: Values;
}

/** What Grafana asks Prometheus for a panel that is so many pixels wide: over whole steps, as its data source does. @throws Error */
export function planPanel(panel: FilePanel, pixels: number, { range, scrapeMs, variables }: Circumstances) {
  const values = { ...variables, ...timeValues(range, pixels, scrapeMs) };
  const stepMs = intervalMs(range, pixels, scrapeMs);
  const whole = (ms: number): number => (Math.floor(ms / stepMs) * stepMs) / 1000;
  return (panel.targets ?? []).map(({ expr, refId = '?', legendFormat = '', instant = false }): PlannedQuery => {
    const query = { refId, legend: legendFormat, expr: interpolate(expr, values) };
    return instant
      ? { ...query, startS: range.toMs / 1000, endS: range.toMs / 1000 }
      : { ...query, stepS: stepMs / 1000, startS: whole(range.fromMs), endS: whole(range.toMs) };
  });
}
