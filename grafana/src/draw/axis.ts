import { labelsOf } from './units.ts';

export interface Axis {
  from: number;
  to: number;
  marks: { at: number; label: string }[];
}
/** Steps between marks of each power of the base. */
const STEPS: Readonly<Record<string, { base: number; steps: readonly number[] }>> = {
  bytes: { base: 2, steps: [1] },
};
const DECIMAL = { base: 10, steps: [1, 2, 5] };
/** From a minute on people do not count in tens. */
const LONG_SECONDS = [60, 120, 300, 600, 1200, 1800, 3600, 7200, 14_400, 21_600, 43_200, 86_400];
const PERS: Readonly<Record<string, number>> = { s: 1, ms: 1000 };

/** The least step between marks that leaves so many of them at most. */
function stepOf(span: number, most: number, unit: string): number {
  const least = span / most;
  const second = PERS[unit];
  if (second !== undefined && least > 30 * second) {
    const long = LONG_SECONDS.find((step) => step * second >= least);
    if (long !== undefined) return long * second;
  }
  const { base, steps } = STEPS[unit] ?? DECIMAL;
  const power = base ** Math.floor(Math.log(least) / Math.log(base) + 1e-9);
  return [...steps.map((step) => step * power), base * power].find((step) => step >= least * 0.999) ?? base * power;
}

export interface AxisLimits {
  /** The axis goes so far at least. */
  softMin?: number | undefined;
  softMax?: number | undefined;
  /** And so far at most. */
  max?: number | undefined;
}
const EMPTY_TOP = 1;

/** An axis that has room for all values, with at most so many marks above its start. */
export function valueAxis(values: readonly number[], limits: AxisLimits, unit: string, most: number): Axis {
  const highest = values.reduce((a, b) => Math.max(a, b), Number.NEGATIVE_INFINITY);
  const lowest = values.reduce((a, b) => Math.min(a, b), Number.POSITIVE_INFINITY);
  const low = Math.min(limits.softMin ?? lowest, lowest, highest);
  const start = Number.isFinite(low) ? low : 0;
  const top = limits.max ?? Math.max(limits.softMax ?? Number.NEGATIVE_INFINITY, highest);
  const span = Number.isFinite(top) && top > start ? top - start : EMPTY_TOP;
  const step = stepOf(span, most, unit);
  const from = Math.floor(start / step + 1e-9) * step;
  // where the file does not say how far, up to the next mark
  const to =
    limits.max ?? (top === limits.softMax && top > start ? top : Math.ceil((start + span) / step - 1e-9) * step);
  const marks: number[] = [];
  for (let at = from; at <= to + step * 1e-6; at += step) marks.push(Number(at.toPrecision(12)));
  const labels = labelsOf(marks, unit);
  return {
    from,
    to: Math.max(to, from + step * 1e-3),
    marks: marks.map((at, index) => ({ at, label: labels[index]! })),
  };
}

const DAY_S = 86_400;
const CLOCK_STEPS = [5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600, 7200, 10_800, 21_600, 43_200, DAY_S];
const LABEL_PX = 76;

/** Of time in seconds since 1970, in UTC. */
export function timeAxis(from: number, to: number, pixels: number): Axis {
  const least = ((to - from) * LABEL_PX) / pixels;
  const step = CLOCK_STEPS.find((each) => each >= least) ?? Math.ceil(least / DAY_S) * DAY_S;
  const marks: Axis['marks'] = [];
  for (let at = Math.ceil(from / step) * step; at <= to; at += step) marks.push({ at, label: clockLabel(at, step) });
  return { from, to, marks };
}
function clockLabel(at: number, step: number): string {
  const iso = new Date(at * 1000).toISOString();
  if (at % DAY_S === 0 && step >= 3600) return iso.slice(5, 10);
  return step < 60 ? iso.slice(11, 19) : iso.slice(11, 16);
}
