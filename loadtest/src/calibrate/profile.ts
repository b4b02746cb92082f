import { fitLine } from '../../../service/src/inference/pool/fit.ts';
import type { Profile } from '../../../service/src/inference/sim/profile.ts';
import { median, quantileOfSorted } from '../measure/statistics.ts';
import type { Execution } from './sweep.ts';

const MEGA = 1e6;
/** Evenly spaced in probability; enough for a p99. */
const RESIDUALS = 101;

/** Fits `T = t0 + k · images · megapixels` to the medians of the cells; what single executions leave over is kept as it is. */
export function profileOf(
  executions: readonly Execution[],
  about: Pick<Profile, 'name' | 'device' | 'model' | 'versions' | 'source' | 'covers'>,
): Profile {
  const cells = new Map<string, Execution[]>();
  for (const each of executions) {
    const key = `${each.side}/${each.images}`;
    cells.set(key, [...(cells.get(key) ?? []), each]);
  }
  const points = [...cells.values()].map((same) => {
    const { images, side } = same[0]!;
    return { images, width: side, height: side, ms: round(median(same.map(({ ms }) => ms)), 3), n: same.length };
  });
  const sizeOf = ({ images, width, height }: { images: number; width: number; height: number }) =>
    (images * width * height) / MEGA;
  const line = fitLine(
    points.map((point) => ({ x: sizeOf(point), y: point.ms })),
    { relative: true },
  );
  const time = { fixedMs: round(line.fixed, 3), msPerMegapixel: round(line.each, 3) };
  const off = points.map((point) => point.ms / (time.fixedMs + time.msPerMegapixel * sizeOf(point)) - 1);
  const left = executions
    .map(({ images, side, ms }) => ms / (time.fixedMs + (time.msPerMegapixel * images * side * side) / MEGA))
    .sort((a, b) => a - b);
  return {
    ...about,
    statistic: 'median',
    points,
    time: {
      ...time,
      residual: round(Math.sqrt(off.reduce((sum, each) => sum + each ** 2, 0) / off.length), 4),
      r2: round(line.r2, 4),
    },
    residuals: Array.from({ length: RESIDUALS }, (_, i) => round(quantileOfSorted(left, (i + 0.5) / RESIDUALS), 3)),
    coldStartMs: 0,
    failureRatio: 0,
  };
}

const round = (value: number, digits: number): number => Number(value.toFixed(digits));
