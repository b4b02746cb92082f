import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { holm } from '../../../src/compare/statistics/holm.ts';
import { bootstrapInterval, hodgesLehmann } from '../../../src/compare/statistics/location.ts';
import { normalBelow, normalQuantile } from '../../../src/compare/statistics/normal.ts';
import { signedRank } from '../../../src/compare/statistics/wilcoxon.ts';

/** Reference values: SciPy 1.17.1, `wilcoxon(alternative='greater', method='exact')`, `bootstrap(method='BCa')`, `norm`. */
const TEN = [0.1, 0.4, -0.2, 0.7, 0.3, -0.05, 0.9, 0.25, 0.6, -0.35];
const TWENTY = [
  0.031, 0.052, -0.011, 0.074, 0.008, -0.043, 0.091, 0.066, -0.022, 0.017, 0.083, 0.049, -0.057, 0.038, 0.095, 0.026,
  -0.013, 0.071, 0.044, 0.062,
];

describe('signedRank', () => {
  it('gives the exact probabilities of SciPy', () => {
    expect(signedRank(TEN)).toEqual({ p: 0.0419921875, rankSum: 45, n: 10 });
    expect(signedRank(TWENTY)).toEqual({ p: 0.002429962158203125, rankSum: 178, n: 20 });
    expect(signedRank([-1, -2, -3.5, 0.5, 1.5, -4])).toEqual({ p: 0.921875, rankSum: 4, n: 6 });
  });

  it('reaches 2^-n and no less: six pairs can never be significant at .01', () => {
    expect(signedRank([1, 2, 3, 4, 5, 6]).p).toBe(1 / 64);
    expect(signedRank(Array.from({ length: 10 }, (_, at) => (at + 1) / 100)).p).toBe(1 / 1024);
  });

  it('is exact with ties and leaves zeros out, as counting all signs says', () => {
    // Counted over all 2^9 signs of SciPy's rankdata: 35 of 512.
    expect(signedRank([1, 1, -1, 2, 2, 2, -3, 4, 4, 0])).toEqual({ p: 35 / 512, rankSum: 36, n: 9 });
  });

  it('says 1 for no differences, and both tails overlap by the value itself', () => {
    expect(signedRank([]).p).toBe(1);
    expect(signedRank([0, 0]).p).toBe(1);
    fc.assert(
      fc.property(fc.array(fc.integer({ min: -5, max: 5 }), { minLength: 1, maxLength: 12 }), (values) => {
        const both = signedRank(values).p + signedRank(values.map((value) => -value)).p;
        expect(both).toBeGreaterThanOrEqual(1 - 1e-9);
      }),
    );
  });
});

describe('holm', () => {
  it('steps down from the smallest, in the order given', () => {
    // By hand: 4 × .005, 3 × .01, 2 × .03, and never less than the one before.
    const adjusted = holm([0.01, 0.04, 0.03, 0.005]);
    expect(adjusted.map((p) => Number(p.toFixed(12)))).toEqual([0.03, 0.06, 0.06, 0.02]);
  });

  it('never exceeds 1 and never undercuts the raw probability', () => {
    fc.assert(
      fc.property(fc.array(fc.double({ min: 0, max: 1, noNaN: true }), { maxLength: 6 }), (given) => {
        for (const [at, p] of holm(given).entries()) {
          expect(p).toBeGreaterThanOrEqual(given[at] ?? 0);
          expect(p).toBeLessThanOrEqual(1);
        }
      }),
    );
  });
});

describe('the normal distribution', () => {
  it('agrees with SciPy to seven digits', () => {
    const below = [-3, -1.5, 0.3, 2.2].map(normalBelow);
    for (const [at, p] of [0.0013498980316301, 0.0668072012688581, 0.617911422188953, 0.986096552486501].entries())
      expect(below[at]).toBeCloseTo(p, 6);
    const quantiles = [0.001, 0.025, 0.5, 0.95, 0.9989].map(normalQuantile);
    for (const [at, z] of [-3.09023230616781, -1.95996398454005, 0, 1.64485362695147, 3.06181411775176].entries())
      expect(quantiles[at]).toBeCloseTo(z, 3);
  });
});

describe('bootstrapInterval', () => {
  it('estimates by the median of pairwise means', () => {
    expect(hodgesLehmann(TEN)).toBeCloseTo(0.275, 12);
    expect(hodgesLehmann(TWENTY)).toBeCloseTo(0.035, 12);
    expect(hodgesLehmann([])).toBeNaN();
  });

  it('agrees with SciPy’s BCa interval, on even data and on skew ones', () => {
    const even = bootstrapInterval(TWENTY, 1);
    expect(even.low).toBeCloseTo(0.013, 2);
    expect(even.high).toBeCloseTo(0.056, 2);
    expect(even.standardError).toBeCloseTo(0.011, 3);
    const skew = bootstrapInterval([0.01, 0.02, 0.015, 0.9, 0.03, 0.012, 0.4, 0.05, 0.02, 0.018, 0.06, 0.25], 1);
    expect(skew.estimate).toBeCloseTo(0.04, 12);
    expect(skew.low).toBeCloseTo(0.019, 2);
    expect(Math.abs(skew.high - 0.325)).toBeLessThan(0.05);
  });

  it('is the same for the same seed, and has no width for one value', () => {
    expect(bootstrapInterval(TEN, 7)).toEqual(bootstrapInterval(TEN, 7));
    expect(bootstrapInterval([0.2], 7)).toEqual({ estimate: 0.2, low: NaN, high: NaN, standardError: NaN });
  });
});
