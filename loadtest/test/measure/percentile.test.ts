import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { mergePercentiles, percentileOf, percentileOfBuckets } from '../../src/measure/percentile.ts';
import { quantile } from '../../src/measure/statistics.ts';

describe('a percentile of several runs', () => {
  it('is that of all their values together, however they are spread over the runs', () => {
    const values = fc.array(fc.double({ min: 0.01, max: 60_000, noNaN: true }), { minLength: 1, maxLength: 200 });
    fc.assert(
      fc.property(fc.array(values, { minLength: 1, maxLength: 5 }), (runs) => {
        const merged = mergePercentiles(runs.map((each) => percentileOf(each, 0.95)?.percentile))!;
        const exact = quantile(runs.flat(), 0.95);
        // Three digits, and whole microseconds.
        expect(Math.abs(merged.actual - exact)).toBeLessThan(exact * 0.002 + 0.001);
        expect(mergePercentiles([merged.percentile])?.actual).toBe(merged.actual);
      }),
    );
  });

  it('is that of their buckets, edge by edge, the open one too', () => {
    const run = (low: number, all: number) =>
      percentileOfBuckets(
        [
          [50, low],
          [100, all],
          [Infinity, all],
        ],
        0.95,
      )!;
    const [one, other] = [run(100, 100), run(0, 100)];
    expect([one.actual, other.actual]).toEqual([47.5, 97.5]);
    const merged = mergePercentiles([one.percentile, other.percentile]);
    expect(merged?.actual).toBe(95);
    expect(JSON.parse(JSON.stringify(merged))).toEqual(merged);
    expect(percentileOfBuckets([[Infinity, 0]], 0.95)).toBeNull();
  });

  it('is a ratio of two where the figure is one', () => {
    const of = (values: number[]) => percentileOf(values, 0.5)!.percentile;
    const parts = [
      { ...of([40, 40]), over: of([10]) },
      { ...of([90]), over: of([20, 20]) },
    ];
    expect(mergePercentiles(parts)?.actual).toBeCloseTo(2, 1);
  });

  it('is none where one of them kept nothing', () => {
    const { percentile } = percentileOf([1], 0.5)!;
    expect(mergePercentiles([percentile, undefined])).toBeNull();
    expect(mergePercentiles([])).toBeNull();
    expect(percentileOf([], 0.5)).toBeNull();
  });
});
