import { mean } from '../measure/statistics.ts';

const BLOCKS = 10;
/** Two-sided 95 % of Student's t with BLOCKS - 1 degrees of freedom. */
const T_95 = 2.262;
const FEWEST = 40;

/** Images a second; `low` and `high` are the ends of a 95 % interval, `high` null where the data give none. */
export interface Capacity {
  perSecond: number;
  low: number;
  high: number | null;
  images: number;
  /** Time per image of each of the ten blocks, ms. */
  blocksMs: number[];
}

/**
 * Throughput of the middle of a batch: the first and the last tenth of the ends are left out, in which queues fill and drain; the
 * rest makes ten blocks of equally many images, whose times per image are taken as independent (batch means: Law, Simulation
 * Modeling and Analysis, 9.5.3). Null for fewer than 40 ends, or when all came at once.
 * @param endsMs arrival of each image's end
 */
export function capacityOf(endsMs: readonly number[]): Capacity | null {
  if (endsMs.length < FEWEST) return null;
  const sorted = endsMs.toSorted((a, b) => a - b);
  const edge = Math.floor(sorted.length / 10);
  const inner = sorted.slice(edge, sorted.length - edge);
  const size = Math.floor((inner.length - 1) / BLOCKS);
  const msPerImage = Array.from({ length: BLOCKS }, (_, block) => {
    const from = inner[block * size] ?? 0;
    const to = inner[(block + 1) * size] ?? 0;
    return (to - from) / size;
  });
  const average = mean(msPerImage);
  if (!(average > 0)) return null;
  const variance = msPerImage.reduce((sum, ms) => sum + (ms - average) ** 2, 0) / (BLOCKS - 1);
  const half = T_95 * Math.sqrt(variance / BLOCKS);
  return {
    perSecond: 1000 / average,
    low: 1000 / (average + half),
    high: average > half ? 1000 / (average - half) : null,
    images: BLOCKS * size,
    blocksMs: msPerImage,
  };
}

/** Mean number of images in work at a time, by Little's law: rate × time. */
export const inWork = (perSecond: number, meanWorkMs: number): number => (perSecond * meanWorkMs) / 1000;
