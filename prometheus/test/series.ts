/** Series of `promtool test rules`, made of phases; one sample an interval. */
export interface InputSeries {
  series: string;
  values: string;
}
/** For how many intervals, and by how much a counter grows in each, or what a gauge is. */
export type Phase = readonly [intervals: number, value: number];

const step = (start: number, by: number, count: number): string =>
  `${start}${by < 0 ? '-' : '+'}${Math.abs(by)}x${count - 1}`;

/** Starts at 0. */
export function counter(series: string, given: readonly Phase[]): InputSeries {
  const phases = given.filter(([intervals]) => intervals > 0);
  let last = 0;
  const parts = phases.map(([intervals, growth], index) => {
    const first = index === 0 ? 0 : last + growth;
    last = first + growth * (intervals - 1);
    return step(first, growth, intervals);
  });
  return { series, values: parts.join(' ') };
}
export const gauge = (series: string, phases: readonly Phase[]): InputSeries => ({
  series,
  values: phases
    .filter(([intervals]) => intervals > 0)
    .map(([intervals, value]) => step(value, 0, intervals))
    .join(' '),
});
/** Falls or rises by the same each interval. */
export const line = (series: string, start: number, by: number, intervals: number): InputSeries => ({
  series,
  values: step(start, by, intervals),
});

/** A classic histogram with one edge: events below and above it in each interval. */
export function buckets(
  name: string,
  labels: string,
  edge: number,
  phases: readonly (readonly [intervals: number, good: number, bad: number])[],
): InputSeries[] {
  const all = phases.map(([intervals, good, bad]) => [intervals, good + bad] as const);
  const good = phases.map(([intervals, within]) => [intervals, within] as const);
  const with_ = (more: string) => `{${[labels, more].filter((text) => text !== '').join(',')}}`;
  return [
    counter(`${name}_bucket${with_(`le="${edge}"`)}`, good),
    counter(`${name}_bucket${with_('le="+Inf"')}`, all),
    counter(`${name}_count${with_('')}`, all),
  ];
}
