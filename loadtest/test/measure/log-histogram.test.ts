import { describe, expect, it } from 'vitest';
import { binOf, histogramOf, PER_OCTAVE } from '../../src/measure/log-histogram.ts';
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
    const bins = histogramOf(values);
    const exact = quantile(values, 0.95);
    let seen = 0;
    const [k] = bins.find(([, count]) => (seen += count) >= Math.ceil(0.95 * values.length))!;
    const read = 2 ** ((k + 0.5) / PER_OCTAVE);
    expect(Math.abs(read / exact - 1)).toBeLessThan(0.046);
  });
});
