import type { RunDetail, RunStage } from '#contract/runs.ts';

/** Bins of a doubling in the result file: bin k holds 2^(k/8) to 2^((k+1)/8) ms. */
export const PER_OCTAVE = 8;
/** A stage that always took the same is a needle: it gets some room beside it. */
const ROOM = 4;

/** One stage of two runs over the same axis, in bins from `low` up to and without `high`. */
export interface StagePair {
  name: string;
  base: RunStage;
  now: RunStage;
  low: number;
  high: number;
  /** The largest share of a run's values in one bin: the top of the drawing. */
  top: number;
}
export const msOf = (bin: number): number => 2 ** (bin / PER_OCTAVE);

const largest = ({ histogram, count }: RunStage): number => Math.max(...histogram.map(([, n = 0]) => n / count));

/** Stages that both runs have bins of, in the order of the newer one. */
export function stagePairs(base: Pick<RunDetail, 'stages'>, now: Pick<RunDetail, 'stages'>): StagePair[] {
  const before = new Map(base.stages.map((stage) => [stage.name, stage]));
  return now.stages.flatMap((stage) => {
    const other = before.get(stage.name);
    if (!other || other.histogram.length === 0 || stage.histogram.length === 0) return [];
    const bins = [...other.histogram, ...stage.histogram].map(([k = 0]) => k);
    return [
      {
        name: stage.name,
        base: other,
        now: stage,
        low: Math.min(...bins) - ROOM,
        high: Math.max(...bins) + 1 + ROOM,
        top: Math.max(largest(other), largest(stage)),
      },
    ];
  });
}

/** An SVG path of the shares of one run: steps, closed along the floor. */
export function stepsOf(
  { histogram, count }: RunStage,
  { low, high, top }: Pick<StagePair, 'low' | 'high' | 'top'>,
  width: number,
  height: number,
): string {
  const counts = new Map(histogram.map(([k = 0, n = 0]) => [k, n]));
  const step = width / (high - low);
  const round = (value: number): number => Math.round(value * 10) / 10;
  let path = `M0 ${height}`;
  let level = height;
  for (let bin = low; bin < high; bin++) {
    const y = round(height - ((counts.get(bin) ?? 0) / count / top) * height);
    if (y !== level) path += `H${round((bin - low) * step)}V${y}`;
    level = y;
  }
  return `${path}H${width}V${height}Z`;
}
