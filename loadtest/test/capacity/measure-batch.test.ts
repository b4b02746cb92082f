import { describe, expect, it } from 'vitest';
import { CAPACITY } from '../../../scenarios/capacity.ts';
import { rateOfEnds, shapeTimes } from '../../src/capacity/measure-batch.ts';
import { judgeRun } from '../../src/judge/judge-run.ts';
import { doubted } from '../../src/load/capacity.ts';
import { runData } from '../judge/run-data.ts';

describe('a sweep on a machine that others used', () => {
  const run = (foreignCpuShare: number) =>
    doubted(
      runData({
        scenario: 'capacity',
        measurements: { capacity_levels: { actual: 6 }, capacity_images_wrong: { actual: 0 } },
        noise: { foreignCpuShare, generatorLagP99Ms: 1 },
      }),
    );
  const verdict = (share: number) =>
    judgeRun({ run: run(share), scenario: CAPACITY, tool: { name: 'segbench', version: '0', commit: 'x' } }).verdict;
  it('is inconclusive, and one on a quiet machine passes', () => {
    expect(verdict(0.67)).toBe('inconclusive');
    expect(verdict(0.01)).toBe('pass');
  });
});

describe('rateOfEnds', () => {
  it('is the rate of the middle, in blocks', () => {
    const rate = rateOfEnds(Array.from({ length: 200 }, (_, at) => ({ queuedMs: 0, endedMs: 50 * at })))!;
    expect(rate.perSecond).toBeCloseTo(20, 3);
    expect(rate.blocksMs).toHaveLength(10);
  });
  it('is none for few images', () => expect(rateOfEnds([{ queuedMs: 0, endedMs: 1 }])).toBeNull());
});

describe('shapeTimes', () => {
  const some = (width: number, cells: number, ms: number) =>
    Array.from({ length: 50 }, (_, at) => ({ width, height: width, cells: cells + (at % 3), ms: ms + at }));
  it('keeps the distribution of each shape, images with many cells apart from those with few', () => {
    const shapes = shapeTimes([...some(256, 90, 40), ...some(128, 6, 10), ...some(256, 15, 20)], 1);
    expect(shapes.map(({ width, images }) => [width, images])).toEqual([
      [128, 50],
      [256, 50],
      [256, 50],
    ]);
    expect(shapes[2]!.cells).toBeCloseTo(91, 0);
    expect(shapes[0]!.quantilesMs).toHaveLength(101);
    expect(shapes[0]!.quantilesMs[0]).toBe(10);
    expect(shapes[0]!.quantilesMs.at(-1)).toBe(59);
    expect(shapes[0]!.meanMs).toBeCloseTo(34.5, 6);
  });
});
