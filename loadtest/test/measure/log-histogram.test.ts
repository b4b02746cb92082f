import { describe, expect, it } from 'vitest';
import { addHistograms, binOf, histogramOf, PER_OCTAVE, quantileOfHistogram } from '../../src/measure/log-histogram.ts';
import { createRandom } from '../../src/images/random.ts';
import { quantile } from '../../src/measure/statistics.ts';

describe('histogramOf', () => {
  it('counts each value once, in the bin that holds it', () => {
    expect(histogramOf([1, 1.05, 2, 0, 0.5])).toEqual([
      [binOf(0), 1],
      [-PER_OCTAVE, 1],
      [0, 2],
      [PER_OCTAVE, 1],
    ]);
    expect(histogramOf([])).toEqual([]);
  });

  it('keeps percentiles within half a bin', () => {
    const random = createRandom(7);
    const values = Array.from({ length: 2000 }, () => Math.exp(random() * 8 - 3));
    // Of two runs: the value of all of them together, not one between two percentiles.
    const bins = addHistograms([histogramOf(values.slice(0, 300)), histogramOf(values.slice(300))]);
    expect(bins).toEqual(histogramOf(values));
    for (const q of [0.5, 0.95, 0.99, 1])
      expect(Math.abs(quantileOfHistogram(bins, q) / quantile(values, q) - 1)).toBeLessThan(0.046);
    expect(quantileOfHistogram([], 0.5)).toBeNaN();
  });
});
