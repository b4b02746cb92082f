const UNITS_MS: Readonly<Record<string, number>> = {
  ms: 1,
  s: 1000,
  m: 60_000,
  h: 3_600_000,
  d: 86_400_000,
  w: 604_800_000,
};

/** "15m" in ms. @throws RangeError where it is no such duration */
export function durationMs(text: string): number {
  const [, count = '', unit = ''] = /^(\d+)(ms|[smhdw])$/.exec(text) ?? [];
  const ms = Number(count) * (UNITS_MS[unit] ?? Number.NaN);
  if (!(ms > 0)) throw new RangeError(`"${text}" is no duration; expected one such as 30s, 15m, 3h or 30d`);
  return ms;
}

/** "now", "now-3h" or ISO 8601, in ms since 1970. @throws RangeError */
export function momentMs(text: string, nowMs: number): number {
  const [matched, ago] = /^now(?:-(\w+))?$/.exec(text) ?? [];
  if (matched !== undefined) return nowMs - (ago === undefined ? 0 : durationMs(ago));
  const ms = Date.parse(text);
  if (Number.isNaN(ms)) throw new RangeError(`"${text}" is no time; expected now, now-3h or 2026-03-02T10:00:00Z`);
  return ms;
}

/** As Prometheus reads it. */
export const durationText = (ms: number): string => (ms % 1000 === 0 ? `${ms / 1000}s` : `${ms}ms`);

/** Steps that Grafana takes, each for spans between points below the next number; in ms (`rangeUtil.roundInterval` of @grafana/data). */
const STEPS: readonly (readonly [below: number, step: number])[] = [
  [10, 1],
  [15, 10],
  [35, 20],
  [75, 50],
  [150, 100],
  [350, 200],
  [750, 500],
  [1_500, 1_000],
  [3_500, 2_000],
  [7_500, 5_000],
  [12_500, 10_000],
  [17_500, 15_000],
  [25_000, 20_000],
  [45_000, 30_000],
  [90_000, 60_000],
  [210_000, 120_000],
  [450_000, 300_000],
  [750_000, 600_000],
  [1_050_000, 900_000],
  [1_500_000, 1_200_000],
  [2_700_000, 1_800_000],
  [5_400_000, 3_600_000],
  [9_000_000, 7_200_000],
  [16_200_000, 10_800_000],
  [32_400_000, 21_600_000],
  [86_400_000, 43_200_000],
  [604_800_000, 86_400_000],
  [1_814_400_000, 604_800_000],
  [3_628_800_000, 2_592_000_000],
];

export interface TimeRange {
  fromMs: number;
  toMs: number;
}
/** `$__interval`: a point for each pixel, but not more than one for each scrape. */
export function intervalMs({ fromMs, toMs }: TimeRange, pixels: number, scrapeMs: number): number {
  const span = (toMs - fromMs) / pixels;
  const rounded = STEPS.find(([below]) => span < below)?.[1] ?? 31_536_000_000;
  return Math.max(rounded, scrapeMs);
}
/** `$__rate_interval`: has two scrapes at least, wherever it begins (`calculateRateInterval` of Grafana's Prometheus source). */
export const rateIntervalMs = (interval: number, scrapeMs: number): number =>
  Math.max(interval + scrapeMs, 4 * scrapeMs);
