import { describe, expect, it } from 'vitest';
import { createNormal, createRandom } from '../../src/images/random.ts';
import { blockMedians, growthOf, isFlat, theilSen, type Point } from '../../src/load/slope.ts';

const MB = 1e6;
/** Resident memory of half an hour, a sample every 2 s: a warm-up, a sawtooth of collections, noise, and a leak in bytes a second. */
function memory(seed: number, leak: number): Point[] {
  const normal = createNormal(createRandom(seed));
  return Array.from({ length: 900 }, (_, index): Point => {
    const x = index * 2;
    const warm = 60 * MB * (1 - Math.exp(-x / 120));
    const sawtooth = ((x % 37) / 37) * 12 * MB;
    return [x, 150 * MB + warm + sawtooth + normal() * 2 * MB + leak * x];
  });
}
const SEEDS = Array.from({ length: 50 }, (_, seed) => seed + 1);

describe('the slope of a series', () => {
  it('is exact on a line, and does not move for a third of garbage', () => {
    const line = Array.from({ length: 60 }, (_, x): Point => [x, 3 * x + 7]);
    expect(theilSen(line)).toMatchObject({ slope: 3, low: 3, high: 3, points: 60 });
    const spiked = line.map(([x, y]): Point => [x, x % 3 === 0 ? y + 1e6 * ((x * 7919) % 13) : y]);
    expect(theilSen(spiked)!.slope).toBeGreaterThan(2.9);
    expect(theilSen(line.slice(0, 9))).toBeNull();
  });

  it('takes the median of stretches of equal length', () => {
    const points = Array.from({ length: 100 }, (_, x): Point => [x, x % 10]);
    const means = blockMedians(points, 10);
    expect(means).toHaveLength(10);
    for (const [, y] of means) expect(Math.abs(y - 4.5)).toBeLessThanOrEqual(1.5);
  });
});

describe('a leak', () => {
  it('is seldom seen where there is none', () => {
    const seen = SEEDS.filter((seed) => !isFlat(growthOf(memory(seed, 0), 0.3)!));
    // the interval holds 95 %: of 50, 2.5 on either side together
    expect(seen.length).toBeLessThanOrEqual(4);
  });

  it('is not seen in a heap that fills for minutes and is emptied at once', () => {
    // seven minutes of a worker's resident memory as it was measured, every 32 s: 148 to 300 MB, and down to 173 once
    const measured = [254, 294, 294, 294, 173, 185, 219, 231, 267, 282, 300, 300].map((mb, at): Point => [
      at * 32,
      mb * MB,
    ]);
    expect(isFlat(theilSen(measured)!)).toBe(true);
  });

  it('is always seen at 10 kB a second, 6 MB in ten minutes', () => {
    for (const seed of SEEDS) {
      const { slope, low } = growthOf(memory(seed, 10_000), 0.3)!;
      expect(low).toBeGreaterThan(0);
      expect(Math.abs(slope - 10_000)).toBeLessThan(5_000);
    }
  });

  it('is not made of a warm-up', () => {
    const points = memory(1, 0);
    expect(isFlat(growthOf(points, 0.3)!)).toBe(true);
    expect(isFlat(growthOf(points.slice(0, 150), 0)!)).toBe(false);
  });
});
